"""`vad detect --save-segments TEMPLATE`: names, formats, and what is refused before anything is written."""

from pathlib import Path

import numpy as np
import pytest
import soundfile
from support.sounds import RATE, tone

from vad.cli import main
from vad.detection.detector import Detector


@pytest.fixture
def save(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, model_path: Path, capsys):
    """Run `vad detect FILES --save-segments TEMPLATE` where there are `one.wav` and `a/two.wav`.

    Give the exit code, the files of the folder cuts and stderr.
    """
    monkeypatch.chdir(tmp_path)
    silence = np.zeros(RATE, np.float32)
    speech = np.concatenate([silence, tone(1.5), silence, tone(1.0), silence])
    Path("a").mkdir()
    soundfile.write("one.wav", speech, RATE, subtype="PCM_24")
    soundfile.write("a/two.wav", np.stack([speech] * 2, axis=1), RATE)

    def run(template: str, *words: str) -> tuple[int, list[str], str]:
        code = main(
            ["detect", "--model", str(model_path), *(words or ["one.wav"]), "--save-segments", template]
        )
        files = sorted(path.name for path in Path("cuts").glob("*"))
        return code, files, capsys.readouterr().err

    return run


def test_every_field_in_names_of_each_format(save, model_path: Path) -> None:
    first, second = Detector(model_path).detect_file("one.wav")
    for suffix in (".wav", ".flac", ".ogg", ".mp3"):
        code, _, err = save(
            f"cuts{suffix}/{{name}}-{{channel}}-{{id:02d}}_{{end:%I}}_{{duration:.1f}}{suffix}"
        )
        assert (code, err) == (0, "")
        for number, one in enumerate((first, second), 1):
            name = f"one-mix-{number:02d}_{round(one.end * 1000)}_{one.duration:.1f}{suffix}"
            info = soundfile.info(f"cuts{suffix}/{name}")
            assert info.duration == pytest.approx(one.duration, abs=0.1)
            assert info.format == {"wav": "WAV", "flac": "FLAC", "ogg": "OGG", "mp3": "MP3"}[suffix[1:]]
            assert suffix not in (".wav", ".flac") or info.subtype == "PCM_24"


def test_characters_that_no_file_name_should_have(save) -> None:
    Path("one.wav").rename("wh?t.wav")
    code, files, err = save(r"cuts/{name}: {id}\t{start:%h:%m:%s}?", "wh?t.wav")
    assert (code, err) == (0, "")
    assert files == ["wh?t_ 1_00_00_01_.wav", "wh?t_ 2_00_00_03_.wav"]


def test_a_template_without_an_extension_is_wav_and_channels_keep_apart(save) -> None:
    assert save("cuts/{name}_{id}", "a/two.wav", "--channel", "each")[:2] == (
        0,
        [f"two.ch{channel}_{number}.wav" for channel in (0, 1) for number in (1, 2)],
    )
    assert save("cuts/{channel}-{name}-{id}.flac", "a/two.wav", "--channel", "each")[1][:2] == [
        "0-two-1.flac",
        "0-two-2.flac",
    ]


@pytest.mark.parametrize(
    ("template", "words", "part"),
    [
        ("cuts/{name}.wav", ["one.wav"], "{id}, {start} or {end}"),
        ("cuts/all.mp3", ["one.wav"], "{id}, {start} or {end}"),
        ("cuts/{id}.wav", ["one.wav", "a/two.wav"], "{name}"),
        ("cuts/{name}/{id}.wav", ["one.wav"], "its folder"),
        ("cuts/{file}_{id}.wav", ["one.wav"], "{file}"),
        ("cuts/{id}.m4a", ["one.wav"], ".flac"),
        ("cuts/{id}{start:%q}", ["one.wav"], "%q"),
    ],
)
def test_what_cannot_name_files_is_refused_before_the_work(
    save, template: str, words: list[str], part: str
) -> None:
    code, files, err = save(template, *words)
    assert (code, files, err.count("\n")) == (2, [], 1)
    assert part in err


def test_two_segments_of_one_name_are_refused_before_one_is_written(save) -> None:
    code, files, err = save("cuts/{name}{start:%h}.wav")
    assert (code, files, err.count("\n")) == (1, [], 1)
    assert "2 segments would be called cuts/one00.wav" in err


@pytest.mark.parametrize(
    "template", ["{name}_{start:%h:%m}_{id:03d}.flac", "{id:03d}.flac", "{id} {name} {name}.flac"]
)
def test_files_that_exist_are_replaced_with_overwrite_only(save, template: str) -> None:
    assert save(f"cuts/{template}")[0] == 0
    written = {path: path.read_bytes() for path in Path("cuts").iterdir()}
    for path in written:
        path.write_bytes(b"made by hand")
    code, _, err = save(f"cuts/{template}")
    assert (code, err.count("\n")) == (2, 1)
    assert all(path.read_bytes() == b"made by hand" for path in written)
    assert save(f"cuts/{template}", "one.wav", "--overwrite")[0] == 0
    assert {path: path.read_bytes() for path in Path("cuts").iterdir()} == written


def test_files_of_other_names_are_in_nobodys_way(save) -> None:
    Path("cuts").mkdir()
    for name in ("one_x_001.flac", "onetwo_0.0_001.flac", "one_0.0_001.wav"):
        (Path("cuts") / name).write_text("made by hand")
    assert save("cuts/{name}_{start:.1f}_{id:03d}.flac")[0] == 0


def test_a_recording_is_never_overwritten(save) -> None:
    Path("cuts").mkdir()
    Path("one.wav").rename("cuts/1.wav")
    before = Path("cuts/1.wav").read_bytes()
    code, _, err = save("cuts/{id}.wav", "cuts/1.wav", "--overwrite")
    assert (code, err.count("\n")) == (2, 1)
    assert Path("cuts/1.wav").read_bytes() == before
