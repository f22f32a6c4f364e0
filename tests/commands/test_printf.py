"""Lines of the user's own: `vad detect --printf` and `--time-format`."""

from pathlib import Path

import numpy as np
import pytest
import soundfile
from auditok.util import make_duration_formatter
from support.sounds import RATE, tone

from vad.cli import main
from vad.commands.options.templates import Template, format_time
from vad.detection.detector import Detector
from vad.detection.segments import Segment
from vad.errors import ConfigError


@pytest.fixture
def detect(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, model_path: Path, capsys):
    """Run `vad detect` where there are `one.wav` and `two.wav`, in stereo; give the exit code, stdout and stderr."""
    monkeypatch.chdir(tmp_path)
    silence = np.zeros(RATE, np.float32)
    speech = np.concatenate([silence, tone(1.5), silence, tone(1.0), silence])
    soundfile.write("one.wav", speech, RATE)
    soundfile.write("two.wav", np.stack([speech[: 3 * RATE]] * 2, axis=1), RATE)

    def run(*words: str) -> tuple[int, str, str]:
        code = main(["detect", "--model", str(model_path), *words])
        written = capsys.readouterr()
        return code, written.out, written.err

    return run


@pytest.mark.parametrize("time_format", ["%S", "%I", "%h:%m:%s.%i", "%i ms, %s s, %m min"])
@pytest.mark.parametrize("seconds", [0.0, 3.25, 59.875, 3599.5, 45_296.125])
def test_times_are_those_of_auditok(time_format: str, seconds: float) -> None:
    if "%m" in time_format and "%h" not in time_format:
        seconds %= 3600  # auditok drops the hours
    assert format_time(seconds, time_format) == make_duration_formatter(time_format)(seconds)


@pytest.mark.parametrize(
    ("time_format", "expected"),
    [
        ("%-h:%m:%s.%i", "1:02:03.457"),
        ("%m:%s", "62:03"),
        ("%s.%i", "3723.457"),
        ("%i", "3723457"),
        ("%%h %S", "%h 3723.457"),
    ],
)
def test_the_largest_part_has_what_is_more(time_format: str, expected: str) -> None:
    assert format_time(3723.4569, time_format) == expected


def test_every_name_in_the_lines_of_two_channels(detect, model_path: Path) -> None:
    fields = r"{id:02d}\t{start} {end:.1f} {duration:%I}\\n {name} {file} {channel}"
    code, out, err = detect(
        "two.wav", "--channel", "each", "--printf", fields, "--time-format", "%-h:%m:%s.%i"
    )
    (segment,) = Detector(model_path).detect_file("two.wav")
    start, length = f"0:00:{segment.start:06.3f}", round(segment.duration * 1000)
    line = f"01\t{start} {segment.end:.1f} {length}\\n two two.wav"
    assert (code, out, err) == (0, f"{line} 0\n{line} 1\n", "")


def test_numbers_start_again_in_each_recording_and_a_folder_has_a_file_for_each(detect) -> None:
    code, out, _ = detect("one.wav", "two.wav", "--printf", "{file} {id} {channel}")
    assert (code, out) == (0, "one.wav 1 mix\none.wav 2 mix\ntwo.wav 1 mix\n")
    assert detect("one.wav", "two.wav", "--printf", "{id}", "-o", "labels/")[0] == 0
    assert [Path(f"labels/{name}.txt").read_text() for name in ("one", "two")] == ["1\n2\n", "1\n"]


def test_the_time_format_of_text(detect, model_path: Path) -> None:
    first, second = Detector(model_path).detect_file("one.wav")
    milliseconds = [round(time * 1000) for time in (first.start, first.end, second.start, second.end)]
    code, out, _ = detect("one.wav", "two.wav", "--time-format", "%I")
    assert code == 0
    assert out.splitlines()[0] == "one.wav {} {}".format(*milliseconds[:2])
    assert out.splitlines()[1] == "one.wav {} {}".format(*milliseconds[2:])


@pytest.mark.parametrize(
    ("words", "names"),
    [
        (["--printf", "{star}"], "{star}. Did you mean start?"),
        (["--printf", "{0}"], "{0}"),
        (["--printf", "{start.real}"], "{start.real}"),
        (["--printf", "{start"], "'{start'"),
        (["--printf", "{start:abc}"], "'abc'"),
        (["--printf", "{start:{id}}"], "'{start:{id}}'"),
        (["--printf", "{end:%H}"], "%H"),
        (["--time-format", "%h:%M"], "%M"),
        (["--time-format", "%S%"], "%"),
        (["--time-format", "%S", "-f", "rttm"], "rttm"),
        (["--printf", "{id}", "-o", "labels.json"], "json"),
    ],
)
def test_what_does_not_exist_is_one_line(detect, words: list[str], names: str) -> None:
    code, out, err = detect("one.wav", *words)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert names in err


def test_a_pattern_matches_what_the_template_writes_and_keeps_names_apart() -> None:
    import re

    template = Template("{name}_{id:04d}_{start:7.2f}-{end:%-h.%m}.flac", "--option", {"name": ""})
    for segment in (Segment(0.0, 1.5), Segment(812.25, 40_000.0)):
        text = template.format(12_345, segment, name="a.b")
        assert re.fullmatch(template.pattern(name="a.b"), text)
        assert not re.fullmatch(template.pattern(name="axb"), text)
    assert template.ending == ".flac"
    with pytest.raises(ConfigError, match="--option"):
        Template("{name", "--option", {"name": ""})
