"""The inputs that broke a rule once, and the campaign itself: it must see every kind of breach."""

from __future__ import annotations

import contextlib
import shutil
from pathlib import Path

import pytest

from fuzz.breakers import BREAKERS
from fuzz.campaign import KEPT, run_target
from fuzz.mutation import Mutator, ogg_sums
from fuzz.targets import GROUPS, HEAVY, TARGETS
from fuzz.worker import Worker
from vad.audio.ogg import _checksum
from vad.errors import VadError


@pytest.mark.parametrize(
    "path", [path for path in sorted(KEPT.glob("*/*")) if path.parent.name not in HEAVY], ids=lambda path: path.name
)  # fmt: skip
def test_what_broke_a_rule_once_breaks_none(path: Path, tmp_path: Path) -> None:
    target = TARGETS[path.parent.name]
    with contextlib.suppress(VadError):
        target.check(Path(shutil.copy(path, tmp_path / f"input{target.suffix}")))


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("_raise", "KeyError at "),
        ("_take", "out of memory at "),
        ("_write_lines", "a message of several lines at "),
    ],
)
def test_a_refusal_that_is_none_is_seen(
    name: str, kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("fuzz.worker._limit_memory", lambda: None)  # this process goes on
    Worker(BREAKERS[name], tmp_path, 1, 100.0).run([b"another"], 0.0)
    assert f'"kind": "{kind}' in capsys.readouterr().out


@pytest.mark.parametrize(("name", "kind"), [("_hang", "a hang"), ("_crash", "SIGABRT")])
def test_the_input_that_ends_the_process_is_kept(name: str, kind: str, tmp_path: Path) -> None:
    result = run_target(name, 0.01, seed=1, table="fuzz.breakers:BREAKERS", kept=tmp_path, limit_s=0.3)
    assert [one.startswith(kind) for one in result.finds] == [True]
    assert [path.parent.name for path, _ in result.first.values()] == [name]


def test_changes_are_those_of_their_seed_and_sums_are_right() -> None:
    content = TARGETS["ogg"].seeds()[0]
    first, again, other = (Mutator(seed).mutated(content, [content]) for seed in (1, 1, 2))
    assert first == again != other
    page = ogg_sums(content, Mutator(3))
    assert page[22:26] == _checksum(page[: 27 + page[26] + sum(page[27 : 27 + page[26]])])


@pytest.mark.parametrize("name", [*GROUPS["audio"], *GROUPS["labels"]])
def test_a_campaign_begins_with_whole_files(name: str, tmp_path: Path) -> None:
    target = TARGETS[name]
    path = tmp_path / f"input{target.suffix}"
    for content in target.seeds():
        path.write_bytes(content)
        target.check(path)
