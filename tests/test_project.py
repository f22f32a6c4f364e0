"""What the repository promises around the code: examples, wheel, README, changelog, public names."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import make_examples
import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray
from support.places import EXAMPLES, ROOT

import vad
from vad.evaluation.frame_metrics import roc_auc
from vad.labels import FORMATS, read_labels
from vad.labels.cells import labels_to_frames

README = (ROOT / "README.md").read_text(encoding="utf-8")


CLIPS = {one.file_name: one for one in make_examples.EXAMPLES}


def energies(path: Path) -> NDArray[np.float64]:
    """Loudness of every 10 ms, all channels together, dB."""
    samples, sample_rate = soundfile.read(path, always_2d=True)
    hop = sample_rate // 100
    cells = samples[: len(samples) // hop * hop].reshape(-1, hop * samples.shape[1])
    return np.asarray(10 * np.log10(np.mean(cells**2, axis=1) + 1e-12))


def test_examples_are_those_of_the_script_and_small() -> None:
    audio = {path.name for path in EXAMPLES.iterdir() if path.suffix != ".rttm"}
    assert audio == set(CLIPS)
    assert {path.stem for path in EXAMPLES.glob("*.rttm")} == {Path(name).stem for name in CLIPS}
    assert sum(path.stat().st_size for path in EXAMPLES.iterdir()) < 1_500_000


@pytest.mark.parametrize("name", CLIPS)
def test_example_labels_start_where_the_script_put_the_phrases(name: str) -> None:
    clip = CLIPS[name]
    segments = read_labels((EXAMPLES / name).with_suffix(".rttm"))
    assert [one.start for one in segments] == pytest.approx([phrase.start for phrase in clip.phrases])
    info = soundfile.info(EXAMPLES / name)
    assert (info.samplerate, info.channels, info.subtype) == (clip.sample_rate, clip.channels, clip.subtype)
    assert info.duration == pytest.approx(clip.duration)
    assert all(one.end < clip.duration for one in segments)


@pytest.mark.parametrize("name", ["clip.wav", "stereo.flac", "telephone.wav"])
def test_example_labels_are_where_quiet_recordings_are_loud(name: str) -> None:
    loudness = energies(EXAMPLES / name)
    segments = read_labels((EXAMPLES / name).with_suffix(".rttm"))
    assert roc_auc(labels_to_frames(segments, loudness.size, 0.01), loudness) > 0.95
    for one in segments:
        first, last = round(one.start * 100), round(one.end * 100)
        before, after = loudness[first - 10 : first - 1], loudness[last + 1 : last + 10]
        assert max(loudness[first : first + 5]) > max(before)
        assert max(loudness[last - 5 : last]) > max(after)


def test_the_script_makes_the_examples_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if shutil.which("espeak-ng") is None:
        pytest.skip("espeak-ng is not installed")
    version = subprocess.run(["espeak-ng", "--version"], capture_output=True, text=True, check=True).stdout
    if f": {make_examples.ESPEAK_NG_VERSION} " not in version:
        pytest.skip(f"the examples were spoken by espeak-ng {make_examples.ESPEAK_NG_VERSION}")
    monkeypatch.setattr(sys, "argv", ["make_examples.py", "--output", str(tmp_path)])
    make_examples.main()
    for path in sorted(EXAMPLES.iterdir()):
        if path.suffix == ".rttm":
            assert (tmp_path / path.name).read_bytes() == path.read_bytes()
        else:
            made, kept = (soundfile.read(folder / path.name)[0] for folder in (tmp_path, EXAMPLES))
            # One step of the coding apart where another processor rounds the other way.
            step = {"PCM_16": 2**-15, "ULAW": 2**-5}[CLIPS[path.name].subtype]
            assert np.abs(made - kept).max() <= step


def test_set_up_is_two_commands_and_ci_reads_them_here() -> None:
    blocks = re.findall(r"<!-- set-up -->\n```sh\n(.*?)```\n<!-- end of set-up -->", README, re.DOTALL)
    first, second = blocks
    assert first.count("\n") == second.count("\n") == 1
    assert "detect" in first
    assert "dev" not in first, "the tests and TensorFlow are the second's"
    ci = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    pipeline = next(line for line in ci.splitlines() if line.startswith("sed "))
    read = subprocess.run(
        ["bash", "-c", pipeline.rpartition(">")[0]], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert read.stdout == first + second


def test_readme_formats_are_the_codes() -> None:
    files = (ROOT / "docs" / "files.md").read_text(encoding="utf-8")
    for text, beginning in ((README, "Output (`--format`):"), (files, "`--format` is one of")):
        paragraph = text.split(beginning)[1].split("\n\n")[0].partition(".")[0]
        assert set(re.findall(r"`(\w+)`", paragraph)) == set(FORMATS)


PAGES = [path for folder in (".", "models", "data", "docs") for path in sorted((ROOT / folder).glob("*.md"))]


@pytest.mark.parametrize(
    "page",
    [*PAGES, *sorted((ROOT / "docs").glob("*/*.md"))],
    ids=lambda page: page.relative_to(ROOT).as_posix(),
)
def test_what_a_page_shows_or_points_to_is_there(page: Path) -> None:
    targets = re.findall(r"\]\((?!\w+:)([^)#]+)", page.read_text(encoding="utf-8"))
    assert not [target for target in targets if not (page.parent / target).exists()]


def test_versions_agree() -> None:
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert re.findall(r"^## \[?(\d[\d.]*)", changelog, re.MULTILINE)[0] == vad.__version__
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    pythons = [one.rpartition(" ")[2] for one in project["classifiers"] if re.search(r":: \d\.\d+$", one)]
    assert project["requires-python"] == f">={pythons[0]},<3.{int(pythons[-1].split('.')[1]) + 1}"
    assert f"Python {', '.join(pythons[:-1])} or {pythons[-1]}" in README


# The package's own names are loaded when used: tests/test_imports.py loads each.
MODULES = sorted(set((ROOT / "vad").rglob("*.py")) - {ROOT / "vad" / "__init__.py"})


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_public_names_are_what_a_module_defines(path: Path) -> None:
    module = ast.parse(path.read_text(encoding="utf-8")).body
    body = [node for part in module for node in (part.body if isinstance(part, ast.With) else [part])]
    kinds = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
    defined = {node.name for node in body if isinstance(node, kinds)}
    bound, promised = set(defined), []
    for node in body:
        if isinstance(node, ast.Import | ast.ImportFrom):
            bound |= {alias.asname or alias.name for alias in node.names}
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        names = {target.id for target in targets if isinstance(target, ast.Name)}
        bound |= names
        if names == {"__all__"}:
            promised = ast.literal_eval(node.value)
    assert len(promised) == len(set(promised))
    assert set(promised) <= bound, "__all__ promises what is not there"
    assert {name for name in defined if not name.startswith("_")} <= set(promised), (
        "public, but not in __all__"
    )


def test_a_strangers_model_is_tried_in_a_process_of_its_own(model_path: Path, tmp_path: Path) -> None:
    text = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
    (code,) = re.findall(r'^python -c "(.*)" new\.tflite$', text, re.MULTILINE)
    (tmp_path / "new.tflite").write_bytes(b"no model")
    for path, ran in ((model_path, True), (tmp_path / "new.tflite", False)):
        done = subprocess.run([sys.executable, "-c", code, path], capture_output=True, check=False)
        assert (done.returncode == 0) is ran
