"""What goes wrong at the command line: one line each on stderr, the right exit code, and nothing half-written."""

import io
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
import soundfile
from support.sounds import RATE, noise, tone

from vad.cli import COMMANDS, main
from vad.commands.options.detection import SEGMENT_OPTIONS
from vad.detection.options import SegmentOptions


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a good recording, which is where the test stands."""
    monkeypatch.chdir(tmp_path)
    soundfile.write("good.wav", np.concatenate([np.zeros(RATE), tone(1.0), np.zeros(RATE)]), RATE)
    return tmp_path


@pytest.fixture
def bad_words(folder: Path) -> dict[str, str]:
    """Recordings that fail, and what their line says."""
    Path("empty.wav").touch()
    soundfile.write("header.wav", np.zeros(0, np.float32), RATE)
    Path("text.wav").write_text("Dear diary\n" * 50)
    soundfile.write("nan.wav", np.full(RATE, np.nan, np.float32), RATE, subtype="FLOAT")
    Path("bare").mkdir()
    return {
        "missing.wav": "there is no such file",
        "empty.wav": "the file is empty",
        "header.wav": "a header and no samples",
        "text.wav": "libsndfile",
        "nan.wav": "nan at 0.000 s",
        "bare": "--recursive",
        "no*.wav": "pattern",
    }


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_bad_recordings_cost_a_line_each_and_nothing_else(
    bad_words: dict[str, str], model_path: Path, capsys: pytest.CaptureFixture[str], jobs: str
) -> None:
    words = ["good.wav", *bad_words, "./good.wav"]
    assert main(["detect", "--model", str(model_path), "--jobs", jobs, *words]) == 1
    written = capsys.readouterr()
    assert [line.split()[0] for line in written.out.splitlines()] == ["good.wav", "./good.wav"]
    lines = written.err.splitlines()
    assert len(lines) == len(bad_words)
    for line, (word, reason) in zip(lines, bad_words.items(), strict=True):
        assert line.startswith(f"vad: {word}: ")
        assert re.search(reason, line)


def test_a_file_needs_no_temporary_folder(
    folder: Path, model_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def nowhere(*_: object, **__: object) -> str:
        raise FileNotFoundError(2, "No usable temporary directory found")

    monkeypatch.setattr("tempfile._get_default_tempdir", nowhere)
    monkeypatch.setattr("tempfile.tempdir", None)
    soundfile.write("good.mp3", tone(3.0), RATE)
    assert main(["detect", "--model", str(model_path), "--jobs", "1", "good.wav", "good.mp3"]) == 0


def test_speech_before_damage_is_detected_and_cut(
    folder: Path, model_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    soundfile.write(
        "whole.flac", np.concatenate([tone(1.0), noise(3 * RATE) / 1000, tone(4.0) + noise(4 * RATE)]), RATE
    )
    content = Path("whole.flac").read_bytes()
    Path("half.flac").write_bytes(content[: len(content) * 6 // 10])
    model = ["--model", str(model_path)]
    assert main(["detect", *model, "whole.flac"]) == 0
    whole = capsys.readouterr().out.splitlines()
    assert main(["detect", *model, "half.flac", "--save-segments", "cuts"]) == 1
    written = capsys.readouterr()
    half = written.out.splitlines()
    assert half[0] == whole[0]
    assert float(half[1].split()[1]) < float(whole[1].split()[1])
    assert written.err.startswith("vad: half.flac: ")
    assert written.err.count("\n") == 1
    assert len(list(Path("cuts").iterdir())) == len(half)


def test_names_that_are_not_utf8_are_cut_too(folder: Path, model_path: Path) -> None:
    name = os.fsdecode(b"na\xefve")
    Path(name).mkdir()
    words = ["detect", "good.wav", "--model", str(model_path), "--save-speech", f"{name}/{name}.wav"]
    assert main(words) == 0
    assert Path(name, f"{name}.wav").stat().st_size > 1000


def test_a_file_that_cannot_be_written_does_not_cost_the_segments(
    folder: Path, model_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("out/good_speech.wav").mkdir(parents=True)
    assert main(["detect", "good.wav", "--model", str(model_path), "--save-speech", "out"]) == 1
    written = capsys.readouterr()
    assert len(written.out.splitlines()) == 1
    (line,) = written.err.splitlines()
    assert line.startswith("vad: cannot write out/good_speech.wav: is a directory")


@pytest.mark.parametrize(
    ("option", "ending", "failed"),
    [
        (["-f", "json", "-o", "out/"], ".json", ["b"]),
        (["--save-speech", "out/"], "_speech.wav", ["b", "あ"]),
        (["--save-segments", "out/{name}_{id:04d}.wav"], "_0001.wav", ["あ"]),
    ],
)
def test_an_output_that_cannot_be_written_costs_its_recording_alone(
    folder: Path,
    model_path: Path,
    capsys: pytest.CaptureFixture[str],
    option: list[str],
    ending: str,
    failed: list[str],
) -> None:
    longest = "あ" * 83 + ".wav"  # 253 bytes, of at most 255
    for name in ("a.wav", "b.wav", longest, "z.wav"):
        shutil.copy("good.wav", name)
    Path("out/b.json").mkdir(parents=True)
    Path("out/b_speech.wav").mkdir()
    words = ["detect", "a.wav", "b.wav", longest, "z.wav", "--model", str(model_path), "--jobs", "1", *option]
    assert main(words) == 1
    lines = capsys.readouterr().err.splitlines()
    assert [line.removeprefix("vad: cannot write out/")[0] for line in lines] == failed
    written = {path.name[0] for path in Path("out").iterdir() if path.is_file()}
    assert written == {"a", "b", "z", "あ"} - {*failed}
    assert Path(f"out/z{ending}").is_file()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["good.wav", "--threshold", "1.5"], r"threshold.*0.*1.*threshold=1\.5"),
        (["good.wav", "--max-speech-duration-s", "0.01"], "max_speech_duration_s"),
        (["good.wav", "--threshold", "loud"], "invalid float value: 'loud'"),
        (["good.wav", "--format", "xml"], "invalid choice: 'xml'"),
        (["good.wav", "--format", "rtm"], "Did you mean rttm?"),
        (["good.wav", "--model", "nope"], "model='nope'"),
        (["good.wav", "--model", "nope.tflite"], "nope.tflite"),
        (["good.wav", "--operating-point", "balance"], "Did you mean balanced?"),
        (["good.wav", "--channel", "left"], "must be mix, each, or a number"),
        (["good.wav", "--channel", "-1"], "must be mix, each, or a number"),
        (["good.wav", "--jobs", "0"], "must be a number of at least 1"),
        (
            ["good.wav", "--encoding", "s16le"],
            "--encoding describes raw samples, which also need --sample-rate.",
        ),
        (["good.wav", "--sample-rate", "1"], "sample_rate must be between"),
        (["good.wav", "--config", "missing.toml"], "missing.toml: No such file"),
        (["good.wav", "--config", "bad.toml"], r"bad\.toml: Invalid value"),
        (["good.wav", "--config", "good.wav"], "configuration good.wav: "),
        (["good.wav", "--config", "unknown.toml"], "Received: threshhold. Did you mean threshold?"),
        (["good.wav", "--config", "wrong.toml"], "threshold must be a number. Received: threshold='high'."),
        (["good.wav", "good.wav", "--format", "srt"], "Give a folder with --output"),
        (
            ["good.wav", "--channel", "each", "--format", "srt"],
            "1 recording, each channel",
        ),
        (["good.wav", "x.wav", "--save-speech", "s.wav"], "--save-speech must be a folder for 2 recordings"),
        (["good.wav", "--save-speech", "s.m4a"], "--save-speech must end in one of .wav"),
        (["good.wav", "--save-probabilities", "p"], "must end in .npz or .csv"),
        (["good.wav", "--save-speech", "good.wav"], "output good.wav would overwrite a recording"),
        (["good.wav", "--output", "./good.wav"], "output good.wav would overwrite a recording"),
        (["good.wav", "--output", "good.wav/out.csv"], r"good\.wav"),
        (["good.wav", "--output", "good.wav/"], r"good\.wav:"),
        (["good.wav", "--save-segments", "good.wav"], r"must have \{id\}.* good\.wav"),
        (["-", "-"], "`-` was given twice"),
        (["--nope", "good.wav"], "unrecognized arguments: --nope"),
        ([], "the following arguments are required"),
    ],
)
def test_usage_is_exit_code_2_and_one_line(
    folder: Path, model_path: Path, capsys: pytest.CaptureFixture[str], words: list[str], message: str
) -> None:
    Path("bad.toml").write_text("threshold =")
    Path("unknown.toml").write_text("threshhold = 0.5")
    Path("wrong.toml").write_text("threshold = 'high'")
    before = Path("good.wav").read_bytes()
    model = [] if "--model" in words else ["--model", str(model_path)]
    assert main(["detect", *model, *words]) == 2
    written = capsys.readouterr()
    assert written.out == ""
    (line,) = written.err.splitlines()
    assert re.search(message, line)
    assert line.startswith("vad")
    assert Path("good.wav").read_bytes() == before


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (["evaluate", "x", "--thresold"], "--thresold.*--threshold.*--help`"),
        (
            ["evaluate", "x", "--qqq"],
            "vad evaluate: unrecognized arguments: --qqq. See `vad evaluate --help`.",
        ),
        (
            ["train", "run", "--epoch", "3"],
            "--epoch.*3.*--epochs.*--help`",
        ),
        (["tune", "x", "--max-mis=0.1"], r"--max-mis=0\.1.*--max-miss.*--help`"),
        (
            ["export", "run", "run2", "--name", "x"],
            "vad export: unrecognized arguments: run2. See `vad export --help`.",
        ),
        (["--versoin"], "COMMAND"),
    ],
)
def test_an_unknown_option_names_the_nearest_and_the_commands_help(
    words: list[str], part: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """An option cannot be abbreviated."""
    assert main(words) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert re.search(part, line)


def test_no_command_prints_the_help_with_examples(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    written = capsys.readouterr()
    assert written.err == ""
    examples = re.findall(r"^  (vad .*?)  ", written.out, flags=re.MULTILINE)
    assert len(examples) == 3
    assert max(map(len, written.out.splitlines())) <= 80
    assert main(["--help"]) == 0
    assert capsys.readouterr().out == written.out


def test_a_recording_needs_no_command(
    folder: Path, model_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    model = ["--model", str(model_path)]
    assert main(["detect", "good.wav", *model]) == 0
    expected = capsys.readouterr().out
    assert len(expected.splitlines()) == 1
    for words in (["good.wav"], ["-"]):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(Path("good.wav").read_bytes())))
        assert main([*words, *model]) == 0
        assert capsys.readouterr().out == expected
    assert main(["goo*.wav", *model]) == 0
    assert capsys.readouterr().out == f"good.wav {expected}"
    for words in (
        ["--quiet", "good.wav", *model],
        [*model, "good.wav"],
        ["-q", "detect", "good.wav", *model],
    ):
        assert main(words) == 0
        assert capsys.readouterr().out == expected
    for missing in ("missing.wav", "./missing"):
        assert main([missing, *model]) == 1
        assert f"{missing}: " in capsys.readouterr().err
    Path("models").mkdir()
    assert main(["models"]) == 0
    assert "default" in capsys.readouterr().out, "a command goes before a folder of its name"


def test_the_models_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models"]) == 0
    rows = {line.split()[0]: line for line in capsys.readouterr().out.splitlines() if line}
    assert re.search(r"2\.2 MB +456,539 +80 ms +820 ms +[\d,]+ x$", rows["default"])
    assert re.search(r"59,530 +80 ms +80 ms +[\d,]+ x$", rows["tiny"])
    assert "waveform" in rows


def test_unknown_commands_are_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["detekt"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "'detekt'" in line


@pytest.mark.parametrize(
    ("missing", "extra", "command"),
    [
        ("keras", "train", "train run --corpus ."),
        ("keras", "train", "export run --name mine"),
        ("tf2onnx", "export-onnx", "export tiny --name mine --format onnx"),
        ("keras", "export-onnx", "export tiny --name mine --format onnx"),
    ],
)
def test_a_missing_extra_is_one_line(missing: str, extra: str, command: str) -> None:
    without = f"import sys; sys.modules['{missing}'] = None; from vad.cli import main; sys.exit(main())"
    ended = subprocess.run([sys.executable, "-c", without, *command.split()], capture_output=True, text=True)
    assert (ended.returncode, ended.stdout) == (2, "")
    (line,) = ended.stderr.splitlines()
    assert f"needs {missing}. Install it with: pip install 'openvad[{extra}]'" in line


def test_version_goes_to_stdout(capsys: pytest.CaptureFixture[str]) -> None:
    import vad

    for words in (["--version"], ["-V"], *([command, "-V"] for command in COMMANDS)):
        assert main(words) == 0
        assert capsys.readouterr().out == f"vad {vad.__version__}\n"


def test_every_segment_option_is_a_flag() -> None:
    assert list(SEGMENT_OPTIONS) == [option.name for option in fields(SegmentOptions)]


def started(*words: str, **options: object) -> "subprocess.Popen[str]":
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options}
    return subprocess.Popen([sys.executable, "-m", "vad", "detect", *words], text=True, **pipes)


def test_a_reader_that_goes_away_is_no_news(folder: Path, model_path: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with started("good.wav", "--model", str(model_path), stdout=writing) as process:
        os.close(writing)
        _, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (141, "")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no device that is always full")
def test_a_full_disk_is_one_line(folder: Path, model_path: Path) -> None:
    with (
        open("/dev/full", "w") as full,
        started("good.wav", "--model", str(model_path), stdout=full) as process,
    ):
        _, err = process.communicate(timeout=60)
    assert process.returncode == 2
    (line,) = err.splitlines()
    assert line.startswith("vad: ")
    assert "no space left on device" in line


@pytest.mark.parametrize("number", [0, 1, 2])
def test_a_closed_standard_stream_costs_nothing_else(folder: Path, model_path: Path, number: int) -> None:
    """Words must not go to stdout where stderr is closed, nor a file get the number of a standard stream."""
    words = ["good.wav", "missing.wav", "--model", str(model_path), "--save-speech", "kept"]
    done = subprocess.run(
        [sys.executable, "-m", "vad", "detect", *words],
        capture_output=True,
        text=True,
        preexec_fn=lambda: os.close(number),
        timeout=60,
    )
    assert done.returncode == 1
    assert len(done.stdout.splitlines()) == (number != 1)
    assert len(done.stderr.splitlines()) == (number != 2)
    assert len(list(Path("kept").iterdir())) == 1


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT for one process")
@pytest.mark.parametrize("jobs", ["1", "2"])
def test_ctrl_c_leaves_only_whole_files(folder: Path, model_path: Path, jobs: str) -> None:
    with soundfile.SoundFile("long.wav", "w", 8000, 1) as file:
        for _ in range(30):
            file.write(noise(60 * 8000))
    for number in range(40):
        Path(f"{number:02}.wav").symlink_to("good.wav" if number < 2 else "long.wav")
    words = [
        ".",
        "--model",
        str(model_path),
        "--jobs",
        jobs,
        "-o",
        "out",
        "-f",
        "json",
        "--save-speech",
        "cut",
    ]
    with started(*words, start_new_session=True) as process:
        deadline = time.monotonic() + 60
        while not Path("out/01.json").exists():
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.01)
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does
        out, err = process.communicate(timeout=30)
    assert (process.returncode, out, err) == (130, "", "")
    whole = [path.name for path in Path("out").iterdir()] + [path.name for path in Path("cut").iterdir()]
    assert {"00.json", "01.json", "00_speech.wav", "01_speech.wav"} <= set(whole)
    assert not [name for name in whole if name.startswith(".")]
