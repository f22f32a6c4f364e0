"""What the pages show as a command or as code is run here, in a folder that has what they name.

A fence of `sh` or `python` is run, and a fence of `text` right after it is its output. A comment in the line before a
fence says what else is to be done with it:

    <!-- not run: REASON -->      it is only read: commands with their options, Python as far as its grammar
    <!-- needs PROGRAM -->        the same where PROGRAM is not installed
    <!-- train also gets: ... --> options for `vad train` that make it short

The commands of `vad` in a table are run too, where the line before the table says <!-- commands -->, or only read,
where it says <!-- not run: REASON -->.
"""

from __future__ import annotations

import inspect
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from argparse import Action
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
import pytest
import soundfile
from support.places import ROOT, WINGS

import vad
from vad import cli

README = ROOT / "README.md"
PAGES = [
    README,
    ROOT / "data" / "README.md",
    ROOT / "models" / "README.md",
    *sorted((ROOT / "docs").rglob("*.md")),
]
FENCE = re.compile(
    r"((?:^<!--[^\n]*-->\n)*)^```(sh|python)\n(.*?)^```$(?:\n+^```text\n(.*?)^```$)?",
    re.MULTILINE | re.DOTALL,
)


TABLE = re.compile(r"^(<!-- (?:commands|not run: \w.*) -->)\n+((?:^\|.*\|\n)+)", re.MULTILINE)


@dataclass(frozen=True)
class Fence:
    """A command or code of a page.

    Attributes:
        notes: The comments in the lines before it.
        language: sh or python.
        text: What it holds.
        output: What the page says that it prints; None where it says nothing of that.
    """

    notes: str
    language: str
    text: str
    output: str | None

    @property
    def is_run(self) -> bool:
        needed = re.findall(r"<!-- needs (\w+) -->", self.notes)
        return all(map(shutil.which, needed)) and not re.search(
            r"<!-- (not run: \w.*|set-up) -->", self.notes
        )

    @property
    def commands(self) -> list[str]:
        """A line each, as a shell would read them."""
        return [line for line in self.text.replace("\\\n", " ").splitlines() if line.strip()]

    def words(self, part: str) -> list[str]:
        """A command's words, with those that its note adds."""
        words = shlex.split(part, comments=True)
        more = re.search(r"<!-- train also gets: (.*) -->", self.notes)
        return [*words, *shlex.split(more[1])] if more and words[:2] == ["vad", "train"] else words


def fences(page: Path) -> list[Fence]:
    content = page.read_text(encoding="utf-8")
    found = [
        Fence(notes, language, text, output or None)
        for notes, language, text, output in FENCE.findall(content)
    ]
    for notes, rows in TABLE.findall(content):
        commands = re.findall(r"`(vad [^`]*)`", rows)
        found.append(Fence(notes, "sh", "\n".join(commands), None))
    return found


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the examples, and with the recordings that the pages name, made of them."""
    folder = tmp_path_factory.mktemp("desk")
    examples = folder / "data" / "examples"
    shutil.copytree(ROOT / "data" / "examples", examples)
    shutil.copytree(
        ROOT / "models", folder / "models", ignore=shutil.ignore_patterns("*.py", "*.md", "*.png")
    )
    os.symlink(sys.prefix, folder / ".venv")
    for name, places in {
        "clip": [
            "meeting",
            "episode",
            "lecture",
            "recordings/monday",
            "my_recordings/anna/call-01",
            "my_test_set/one",
            "their_rttm/one",
        ],
        "noisy": ["recordings/tuesday", "my_recordings/bert/call-02", "my_test_set/two", "their_rttm/two"],
        "telephone": ["call", "my_recordings/cleo/call-03"],
    }.items():
        (audio,) = (path for path in examples.glob(f"{name}.*") if path.suffix != ".rttm")
        for place in places:
            path = folder / place
            path.parent.mkdir(parents=True, exist_ok=True)
            if path.parent.name != "their_rttm":
                shutil.copy(audio, path.with_suffix(audio.suffix))
            shutil.copy(examples / f"{name}.rttm", path.with_suffix(".rttm"))
    for rttm in (folder / "their_rttm").iterdir():
        rttm.write_text(re.sub(r"^SPEAKER \S+", f"SPEAKER {rttm.stem}", rttm.read_text(), flags=re.MULTILINE))
    shutil.copytree(folder / "my_recordings", folder / "my_corpus" / "speech")
    if shutil.which("ffmpeg"):
        command = ["ffmpeg", "-loglevel", "error", "-i", folder / "meeting.wav", folder / "film.mkv"]
        subprocess.run(command, check=True)
    make_calls(folder)
    for place in ("fieldwork/anna/story", "fieldwork/bert/story", "fieldwork/cleo/story", "recorder/song"):
        path = folder / f"{place}.wav"
        path.parent.mkdir(parents=True)
        shutil.copy(examples / "clip.wav", path)
    (folder / "meeting.raw").write_bytes((folder / "meeting.wav").read_bytes()[44:])
    (folder / "my_corpus" / "noise").mkdir()
    shutil.copy(examples / "no-speech.flac", folder / "my_corpus" / "noise" / "hall.flac")
    return folder


def make_calls(folder: Path) -> None:
    """Make two calls in stereo, of which the second has nobody in the second channel, and one without a header."""
    (folder / "calls" / "monday").mkdir(parents=True)
    agent, rate = soundfile.read(folder / "call.wav")
    silence = np.zeros(len(agent) // 2)
    later = np.concatenate([silence, agent[: len(silence)]])
    for name, caller in {"call-01": later, "call-02": np.zeros_like(agent)}.items():
        path = folder / "calls" / "monday" / f"{name}.wav"
        soundfile.write(path, np.stack([agent, caller], axis=1), rate, "ULAW")
    soundfile.write(folder / "call.ulaw", agent, rate, "ULAW", format="RAW")


@pytest.fixture(scope="module")
def done() -> set[str]:
    """The commands that have run in the folder; they need not run again on another page."""
    return set()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_what_a_page_shows_runs(
    page: Path, desk: Path, done: set[str], monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(desk)
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    samples, sample_rate = soundfile.read("meeting.wav", dtype="float32")
    known = {"samples": samples, "sample_rate": sample_rate, "blocks": np.array_split(samples, 100)}
    names = {"__name__": "page", **known}
    for fence in fences(page):
        capfd.readouterr()
        if fence.language == "python":
            code = compile(fence.text, str(page), "exec")
            if fence.is_run:
                exec(code, names)
        else:
            for command in fence.commands:
                if fence.output is not None or command not in done:
                    run(fence, command)
                done.add(command)
        printed = capfd.readouterr().out
        if fence.is_run and fence.output is not None:
            assert printed == fence.output, f"{page}: what it says of\n{fence.text}"


def run(fence: Fence, command: str) -> None:
    """Run a line; of one that is not run, read the options."""
    for part in re.split(r"[|<]|&&", command):
        words = fence.words(part)
        if words[:1] == ["python"] and words[1].endswith(".py"):
            assert (ROOT / words[1]).exists(), command
        if words and Path(words[0]).name == "vad":
            assert is_understood(words[1:]), command
    if not fence.is_run:
        return
    words = fence.words(command)
    if words and words[0] == "vad" and not re.search(r"[|<]|&&", command):
        assert cli.main(words[1:]) == 0, command
    elif words:
        subprocess.run(["bash", "-euo", "pipefail", "-c", command], check=True, timeout=60)


def is_understood(words: list[str]) -> bool:
    """Whether the program knows these words, without doing what they ask for."""
    try:
        return not cli._parsers_for(words)[0].parse_known_args(words)[1]
    except SystemExit:
        return False


@pytest.mark.parametrize("note", ["", "<!-- not run: needs a microphone -->\n"])
def test_a_wrong_option_on_a_page_fails(note: str, capsys: pytest.CaptureFixture[str]) -> None:
    for command in ("vad listen --until-silenc 1", "vad listen --duration soon"):
        with pytest.raises(AssertionError, match="vad listen --"):
            run(Fence(note, "sh", "", None), command)


def table(page: Path, heading: str) -> list[list[str]]:
    """The cells of the first table under a heading, without backticks and without its own headings."""
    section = page.read_text(encoding="utf-8").split(f"\n## {heading}\n")[1].split("\n## ")[0]
    rows = re.findall(r"^\| (.*) \|$", section, flags=re.MULTILINE)
    return [[cell.strip("` ") for cell in row.split(" | ")] for row in rows[1:]]


@pytest.mark.parametrize("model", vad.model_names())
def test_the_table_of_options_has_the_defaults_of_every_operating_point(model: str) -> None:
    points = ("balanced", "precise", "eager")
    options = {point: vad.Detector(model, point).options for point in points}
    shown = {name: values[:3] for name, *values in table(README, "Options")}
    assert list(shown) == [one.name for one in fields(vad.SegmentOptions)]
    for name, cells in shown.items():
        attribute = "release_threshold" if name == "neg_threshold" else name
        assert cells == [f"{getattr(options[point], attribute):g}" for point in points], name


def test_the_other_defaults_of_a_detector_are_listed() -> None:
    section = README.read_text(encoding="utf-8").split("\n## Options\n")[1].split("\n## ")[0]
    listed = dict(re.findall(r"^- `(\w+)` \(default: `([^`]*)`\)", section, flags=re.MULTILINE))
    parameters = inspect.signature(vad.Detector).parameters.values()
    assert listed == {one.name: str(one.default) for one in parameters if one.default is not one.empty}


def actions(command: str) -> list[Action]:
    """The options of a command that take a value."""
    parser = cli._parsers_for([command])[1]
    return [one for one in parser._actions if one.option_strings and one.nargs != 0]


@pytest.mark.parametrize("command", cli.COMMANDS)
def test_help_gives_the_default_of_every_option(command: str) -> None:
    for action in actions(command):
        option = action.option_strings[0]
        assert action.required or "default: " in (action.help or ""), f"vad {command} {option}"
        if isinstance(action.default, int | float | str):
            value = f"{action.default:g}" if isinstance(action.default, float) else str(action.default)
            assert f"default: {value}" in (action.help or ""), f"vad {command} {option}"


def test_help_gives_the_defaults_of_the_card() -> None:
    balanced = json.loads((ROOT / "models" / "default.json").read_text())["segment_options"]["balanced"]
    listed = {
        action.dest: re.search(r"default: ([\d.]+|inf)\b", action.help or "") for action in actions("detect")
    }
    for option in fields(vad.SegmentOptions):
        value = balanced.get(option.name, option.default)
        if value is not None:
            found = listed[option.name]
            assert found is not None, option.name
            assert float(found[1]) == value, option.name


def test_files_that_pages_name_are_there() -> None:
    for page in PAGES:
        named = re.findall(r"`((?:vad|tests|scripts)/[\w./]*)`", page.read_text(encoding="utf-8"))
        assert not [name for name in named if not (ROOT / name).exists()], page
    text = (ROOT / "docs" / "contributing.md").read_text(encoding="utf-8")
    for test, file in re.findall(r"`(test_\w+)`\s+in\s+`([\w./]+)`", text):
        assert f"def {test}(" in (ROOT / file).read_text(encoding="utf-8")


def test_the_table_of_wings_is_in_the_order_of_imports() -> None:
    rows = [
        name
        for first, _ in table(ROOT / "docs" / "contributing.md", "The wings")
        for name in first.split("`, `")
    ]
    shown = [re.sub(r"^vad/|/$|\.py$", "", name) for name in rows]
    assert shown == [wing for wing in WINGS if wing in shown]
    assert {path.name for path in (ROOT / "vad").iterdir() if (path / "__init__.py").exists()} <= set(shown)


def test_the_page_of_the_api_names_all_that_is_public() -> None:
    page = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    assert sorted(re.findall(r"^::: vad\.(\w+)", page, flags=re.MULTILINE)) == sorted(vad.__all__)


def test_the_site_is_built_without_a_warning(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(tmp_path / "site")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    index = (tmp_path / "site" / "index.html").read_text(encoding="utf-8")
    loaded = re.findall(r'<(?:link rel="stylesheet"|script)[^>]*(?:href|src)="(https?:[^"]*)', index)
    assert not loaded, "a page must need nothing of the network"
