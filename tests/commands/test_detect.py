"""`vad detect` from words to files: what it writes, where, and in which order."""

import io
import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
from support.sounds import RATE, noise, tone

from vad.cli import main
from vad.commands.options import progress
from vad.detection.detector import Detector
from vad.detection.segments import Segment
from vad.detection.stream import Stream
from vad.errors import MissingDependencyError
from vad.labels import FORMATS, loads

Run = Callable[..., str]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of recordings, which is where the test stands; channel 1 of the stereo one says less."""
    monkeypatch.chdir(tmp_path)
    silence = np.zeros(RATE, np.float32)
    speech = np.concatenate([silence, tone(1.5), silence, tone(1.0), silence])
    soundfile.write("one.wav", speech, RATE)
    soundfile.write(
        "two.flac", np.stack([speech, np.roll(speech, RATE) * (speech < 2)], axis=1)[: 3 * RATE], RATE
    )
    soundfile.write("silent.wav", silence, RATE)
    (tmp_path / "deep").mkdir()
    soundfile.write("deep/three.ogg", speech, RATE)
    return tmp_path


@pytest.fixture
def run(folder: Path, model_path: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run `vad detect` to success, and give what it wrote to stdout."""

    def detect(*words: str) -> str:
        code = main(["detect", "--model", str(model_path), *words])
        written = capsys.readouterr()
        assert (code, written.err) == (0, "")
        return written.out

    return detect


@pytest.fixture
def segments(model_path: Path, folder: Path) -> Callable[..., list[Segment]]:
    """What the library finds in a file."""
    return Detector(model_path).detect_file


def close_to(found: list[Segment], expected: list[Segment]) -> bool:
    times = np.array([[s.start, s.end] for s in found]), np.array([[s.start, s.end] for s in expected])
    return times[0].shape == times[1].shape and bool(np.allclose(*times, atol=6e-4))


@pytest.mark.parametrize("label_format", FORMATS)
def test_every_format_has_the_librarys_segments(run: Run, segments: Callable, label_format: str) -> None:
    expected = segments("one.wav")
    assert len(expected) == 2
    assert close_to(loads(run("one.wav", "--format", label_format), label_format), expected)
    assert run("one.wav", "-f", label_format, "-o", f"written{FORMATS[label_format]}") == ""
    assert close_to(loads(Path(f"written{FORMATS[label_format]}").read_text(), label_format), expected)


def test_the_formats_default_is_the_outputs_own_or_text(run: Run) -> None:
    run("one.wav", "--output", "labels.srt")
    assert "-->" in Path("labels.srt").read_text()
    run("one.wav", "--output", "labels.txt")
    assert Path("labels.txt").read_text() == run("one.wav")


def test_many_recordings_keep_their_order_over_processes(run: Run) -> None:
    words = ["one.wav", "silent.wav", "two.flac", "deep", "one.wav", "--format", "jsonl"]
    alone = run(*words, "--jobs", "1")
    files = list(dict.fromkeys(json.loads(line)["file"] for line in alone.splitlines()))
    assert files == ["one.wav", "two.flac", "deep/three.ogg"]
    assert alone.splitlines()[:2] == alone.splitlines()[-2:]
    assert run(*words, "--jobs", "2") == alone


def test_json_of_many_is_one_list_and_of_one_an_object(run: Run) -> None:
    many = json.loads(run("one.wav", "silent.wav", "--format", "json"))
    assert [(item["file"], item["duration"], len(item["segments"])) for item in many] == [
        ("one.wav", 5.5, 2),
        ("silent.wav", 1.0, 0),
    ]
    assert json.loads(run("one.wav", "--format", "json")) == many[0]


@pytest.mark.parametrize("argument", ["deep", "deep/*", "deep.jsonl"])
def test_a_search_that_finds_one_recording_has_the_form_of_many(run: Run, argument: str) -> None:
    Path("deep.jsonl").write_text('{"audio_filepath": "deep/three.ogg"}\n')
    (found,) = json.loads(run(argument, "--format", "json"))
    assert found["file"] == "deep/three.ogg"
    assert run(argument).startswith("deep/three.ogg")
    assert "<TIME_ORDER>" in run(argument, "--format", "elan"), "a format for one recording takes it too"


def test_label_studio_tasks_of_many_are_one_list(run: Run) -> None:
    many = json.loads(run("one.wav", "silent.wav", "--format", "labelstudio"))
    found = [(task["data"]["audio"], len(task["predictions"][0]["result"])) for task in many]
    assert found == [("one.wav", 2), ("silent.wav", 0)]
    assert json.loads(run("one.wav", "--format", "labelstudio")) == many[0]


@pytest.mark.parametrize(("label_format", "column"), [("rttm", 1), ("kaldi", 1), ("uem", 0)])
def test_formats_of_many_that_name_recordings_by_a_word(run: Run, label_format: str, column: int) -> None:
    lines = run("one.wav", "deep", "--format", label_format).splitlines()
    assert {line.split()[column] for line in lines} == {"one", "three"}


@pytest.mark.parametrize("name", ["a.eaf", "a.uem", "a.segments", "segments", "a.ctm", "a.lab"])
def test_the_outputs_name_tells_the_formats_that_are_written(run: Run, name: str) -> None:
    run("one.wav", "--output", name)
    label_format = {"a.eaf": "elan", "a.uem": "uem", "a.segments": "kaldi", "segments": "kaldi"}.get(
        name, "text"
    )
    assert Path(name).read_text() == run("one.wav", "--format", label_format)


@pytest.mark.parametrize("output", ["out/", "out/three.eaf"])
def test_elan_finds_the_recording_from_the_document(run: Run, output: str) -> None:
    run("deep/three.ogg", "--format", "elan", "--output", output)
    found = re.search(r'RELATIVE_MEDIA_URL="([^"]*)"', Path("out/three.eaf").read_text())
    assert found is not None
    assert Path("out", found[1]).resolve() == Path("deep/three.ogg").resolve()


def test_csv_of_many_has_one_header(run: Run) -> None:
    rows = run("silent.wav", "one.wav", "two.flac", "--format", "csv").splitlines()
    assert [row for row in rows if "start" in row] == rows[:1] == ["file,start,end"]


def test_rttm_calls_a_recording_by_its_bare_name(run: Run, folder: Path) -> None:
    assert {line.split()[1] for line in run("deep", "-f", "rttm").splitlines()} == {"three"}
    (folder / "one.flac").symlink_to("two.flac")
    named = {line.split()[1] for line in run("one.wav", "one.flac", "-f", "rttm").splitlines()}
    assert named == {"one.wav", "one.flac"}


def test_text_of_many_says_which(run: Run) -> None:
    assert run("one.wav").splitlines()[0].count(" ") == 1
    assert all(line.startswith("one.wav ") for line in run("one.wav", "silent.wav").splitlines())


def test_a_folder_gets_a_file_a_recording(run: Run, folder: Path) -> None:
    assert run(".", "--recursive", "--format", "vtt", "--output", "out") == ""
    written = sorted(str(path.relative_to("out")) for path in Path("out").rglob("*") if path.is_file())
    assert written == ["deep/three.vtt", "one.vtt", "silent.vtt", "two.vtt"]
    assert loads(Path("out/silent.vtt").read_text(), "vtt") == []


OVERWRITING = [
    (["-f", "rttm", "-o", "."], "one.rttm"),
    (["-o", "all.csv"], "all.csv"),
    (["--save-probabilities", "."], "one.npz"),
    (["--save-segments", "."], "one_0007_1.000-2.000.wav"),
    (["--save-speech", "."], "one_speech.wav"),
    (["--report", "."], "one.html"),
    (["--plot", "."], "one.png"),
    (["--channel", "each", "-f", "rttm", "-o", "."], "one.rttm"),
    (["--channel", "each", "-f", "srt", "-o", "."], "one.ch0.srt"),
    (["--channel", "each", "--save-segments", "."], "one.ch0_0007_1.000-2.000.wav"),
]


@pytest.mark.parametrize(("words", "name"), OVERWRITING)
def test_files_that_exist_are_replaced_with_overwrite_only(
    run: Run,
    folder: Path,
    model_path: Path,
    capsys: pytest.CaptureFixture[str],
    words: list[str],
    name: str,
) -> None:
    Path(name).write_text("made by hand")
    before = {path: path.stat().st_mtime_ns for path in folder.iterdir()}
    assert main(["detect", "one.wav", "silent.wav", "--model", str(model_path), *words]) == 2
    written = capsys.readouterr()
    assert written.out == ""
    (line,) = written.err.splitlines()
    assert name in line
    assert "1 output file " in line
    assert "--overwrite" in line
    assert {path: path.stat().st_mtime_ns for path in folder.iterdir()} == before
    assert Path(name).read_text() == "made by hand"
    run("one.wav", "--model", str(model_path), "--overwrite", *words)
    if "0007" not in name:
        assert Path(name).read_bytes() != b"made by hand"


def test_files_of_other_recordings_are_in_nobodys_way(run: Run) -> None:
    for name in ("two.rttm", "one.ch0.rttm", "one.ch0_0001_1.000-2.000.wav", "oneone_0001_1.000-2.000.wav"):
        Path(name).write_text("made by hand")
    run("one.wav", "-f", "rttm", "-o", ".", "--save-segments", ".")
    run("one.wav", "-o", "/dev/null")


@pytest.mark.parametrize("label_format", ["rttm", "kaldi", "uem"])
@pytest.mark.parametrize("words", [[], ["-o", "out/"]])
def test_two_recordings_never_share_a_one_word_name(
    folder: Path, model_path: Path, capsys: pytest.CaptureFixture[str], label_format: str, words: list[str]
) -> None:
    Path("a b.wav").symlink_to("one.wav")
    Path("a_b.wav").symlink_to("one.wav")
    words = ["a b.wav", "a_b.wav", "missing.wav", "--model", str(model_path), *words]
    assert main(["detect", *words, "-f", label_format]) == 2
    written = capsys.readouterr()
    assert written.out == ""
    (line,) = written.err.splitlines()
    assert "a b.wav and a_b.wav" in line
    assert main(["detect", *words, "-f", "json"]) == 1
    assert main(["detect", "a b.wav", "*.nothing", "-f", label_format, "--model", str(model_path)]) == 1
    assert capsys.readouterr().err.count("\n") == 2


@pytest.mark.parametrize("label_format", ["text", "csv", "rttm", "audacity", "json"])
def test_the_last_segment_has_as_many_decimals_as_the_others(
    run: Run, folder: Path, label_format: str
) -> None:
    times = np.arange(round(2.873625 * RATE)) / RATE
    speech = 0.3 * np.sin(2 * np.pi * 440 * times) * ((times < 1.0) | (times > 2.0))
    soundfile.write("cut.wav", speech, RATE)
    written = run("cut.wav", "-f", label_format)
    if label_format == "json":
        assert json.loads(written)["segments"][-1]["end"] == 2.873
        return
    decimals = {len(number) for number in re.findall(r"\b\d\.(\d+)", written)}
    assert decimals == {3}
    assert label_format == "rttm" or "2.873" in written


def test_channels(run: Run, segments: Callable) -> None:
    each = json.loads(run("two.flac", "--channel", "each", "--format", "json"))
    assert each["file"] == "two.flac"
    by_channel = {}
    for index in (0, 1):
        found = [
            {name: one[name] for name in ("start", "end")}
            for one in each["segments"]
            if one["channel"] == index
        ]
        chosen = json.loads(run("two.flac", "--channel", str(index), "--format", "json"))
        assert chosen["segments"] == found
        assert close_to([Segment(**times) for times in found], segments("two.flac", channel=index))
        by_channel[index] = found
    assert by_channel[0] != by_channel[1]


def test_formats_without_channels_have_a_file_for_each(run: Run) -> None:
    for label_format in ("srt", "audacity", "textgrid", "rttm"):
        run("two.flac", "--channel", "each", "--format", label_format, "--output", "out/")
    names = ["two.TextGrid", "two.ch0.srt", "two.ch0.txt", "two.ch1.srt", "two.ch1.txt", "two.rttm"]
    assert sorted(path.name for path in Path("out").iterdir()) == names
    lines = Path("out/two.rttm").read_text().splitlines()
    assert {tuple(line.split()[1:3]) for line in lines} == {("two", "1"), ("two", "2")}


@pytest.mark.parametrize("label_format", ["jsonl", "csv", "text"])
def test_channels_come_in_one_order(run: Run, label_format: str) -> None:
    words = ["silent.wav", "two.flac", "--channel", "each", "-f", label_format]
    assert run(*words, "--jobs", "1") == run(*words, "--jobs", "2")


def test_stdin(run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = run("one.wav")
    values, _ = soundfile.read("one.wav", dtype="int16")
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO((folder / "one.wav").read_bytes())))
    assert run("-") == expected
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(values.tobytes())))
    assert run("-", "--sample-rate", str(RATE)) == expected
    stereo = np.repeat(values, 2).astype("<i4") << 16
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stereo.tobytes())))
    words = ["--sample-rate", str(RATE), "--channels", "2", "--encoding", "s32le", "--save-speech", "s.wav"]
    assert run("-", *words) == expected
    assert soundfile.info("s.wav").channels == 2


def test_raw_samples_need_a_rate(
    folder: Path, model_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(bytes(3200))))
    assert main(["detect", "--model", str(model_path), "-"]) == 1
    assert capsys.readouterr().err.endswith("Raw samples need a --sample-rate.\n")


def test_probabilities_are_the_librarys(run: Run, folder: Path, model_path: Path) -> None:
    values, _ = soundfile.read("two.flac", dtype="float32")
    expected = Detector(model_path).probabilities(values, RATE)
    run("two.flac", "--save-probabilities", "p.npz")
    with np.load("p.npz") as kept:
        assert np.abs(kept["probabilities"] - expected).max() < 1e-6
    run("two.flac", "one.wav", "--save-probabilities", "out", "--channel", "each")
    with np.load("out/two.npz") as kept:
        assert kept["probabilities"].shape == (2, len(expected))


def test_cuts(run: Run, folder: Path, segments: Callable) -> None:
    lengths = [round(segment.end * RATE) - round(segment.start * RATE) for segment in segments("one.wav")]
    run("one.wav", "silent.wav", "--save-segments", "cuts", "--save-speech", "speech")
    assert [soundfile.info(path).frames for path in sorted(Path("cuts").iterdir())] == lengths
    assert soundfile.info("speech/one_speech.wav").frames == sum(lengths)
    assert soundfile.info("speech/silent_speech.wav").frames == 0
    run("two.flac", "--channel", "each", "--save-segments", "each", "--save-speech", "speech.wav")
    assert {path.name.split("_")[0] for path in Path("each").iterdir()} == {"two.ch0", "two.ch1"}
    assert soundfile.info("speech.ch0.wav").channels == 1


def test_flags_go_before_the_file_and_the_file_before_the_card(run: Run, folder: Path) -> None:
    card, strict = run("one.wav"), run("one.wav", "--speech-pad-ms", "200")
    assert card != strict
    Path("options.toml").write_text("speech_pad_ms = 200\nmin_speech_duration_ms = 1_000_000\n")
    assert run("one.wav", "--config", "options.toml") == ""
    assert run("one.wav", "--config", "options.toml", "--min-speech-duration-ms", "0") == strict


def test_zero_is_a_value(run: Run) -> None:
    starts = [float(line.split()[0]) for line in run("one.wav", "--threshold", "0").splitlines()]
    assert starts == [0.0]


class Terminal(io.StringIO):
    """A stderr that somebody watches."""

    def isatty(self) -> bool:
        return True


def test_the_bar_shows_on_a_terminal_only_and_wipes_itself(
    run: Run, folder: Path, model_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ["detect", "one.wav", "silent.wav", "--model", str(model_path)]
    monkeypatch.setattr(sys, "stderr", Terminal())
    assert main(words) == 0
    bar, closing = sys.stderr.getvalue().rsplit("\r", 1)
    lines = bar.split("\r")
    assert re.findall(r"\d/2 ", sys.stderr.getvalue()) == ["0/2 ", "1/2 ", "2/2 "]
    assert "x real time" in sys.stderr.getvalue()
    assert set(lines[-1]) == {" "}
    assert closing.startswith("vad: speech in 1 recording, none in 1")
    monkeypatch.setattr(sys, "stderr", Terminal())
    assert main([*words, "--quiet"]) == 0
    assert sys.stderr.getvalue() == ""


def long_recording(minutes: int) -> None:
    """Write long.wav: five seconds in which there is a tone, again and again."""
    scene = np.concatenate(
        [np.zeros(2 * RATE, np.float32), tone(1.5), np.zeros(round(1.5 * RATE), np.float32)]
    )
    with soundfile.SoundFile("long.wav", "w", RATE, 1) as file:
        for _ in range(12 * minutes):
            file.write(scene)


class Watched(io.StringIO):
    """A stdout that notes how much the detector had processed at each write."""

    def __init__(self, blocks: list[int]):
        super().__init__()
        self.blocks = blocks
        self.lines_at: list[int] = []

    def write(self, text: str) -> int:
        self.lines_at += [len(self.blocks)] * text.count("\n")
        return super().write(text)


@pytest.mark.parametrize("label_format", ["text", "jsonl"])
@pytest.mark.parametrize("words", [["long.wav"], ["one.wav", "long.wav", "two.flac", "--channel", "each"]])
def test_segments_appear_while_the_recording_is_processed(
    run: Run, model_path: Path, monkeypatch: pytest.MonkeyPatch, label_format: str, words: list[str]
) -> None:
    long_recording(3)
    words = [*words, "-f", label_format]
    whole = run(*words, "--jobs", "2")
    blocks: list[int] = []
    feed = Stream.feed
    monkeypatch.setattr(Stream, "feed", lambda self, samples: blocks.append(1) or feed(self, samples))
    out = Watched(blocks)
    monkeypatch.setattr(sys, "stdout", out)
    assert main(["detect", *words, "--model", str(model_path)]) == 0
    assert out.getvalue() == whole
    assert len(set(out.lines_at)) > 5, "written at the end"


def test_a_reader_that_leaves_ends_the_work_on_a_long_recording(run: Run, model_path: Path) -> None:
    long_recording(120)
    words = [sys.executable, "-m", "vad", "detect", "long.wav", "--model", str(model_path)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        first = process.stdout.readline()
        assert len(first.split()) == 2
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(60) == 141


def test_a_long_recording_shows_its_position(
    run: Run, model_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    long_recording(3)
    monkeypatch.setattr(progress, "_SHOWN_AFTER_S", 0.0)
    monkeypatch.setattr(sys, "stderr", Terminal())
    assert main(["detect", "long.wav", "--model", str(model_path)]) == 0
    positions = [int(one) for one in re.findall(r"(\d+)/180 s of audio", sys.stderr.getvalue())]
    assert positions == sorted(positions)
    assert len(set(positions)) > 5
    assert positions[-1] == 180
    assert sys.stderr.getvalue().endswith("\r")
    monkeypatch.setattr(sys, "stderr", Terminal())
    assert main(["detect", "long.wav", "--report", "long.html", "--model", str(model_path)]) == 0
    assert len(set(re.findall(r"page or picture[^\r]* (\d+)/180 s of audio", sys.stderr.getvalue()))) > 5
    monkeypatch.setattr(sys, "stderr", Terminal())
    assert main(["detect", "long.wav", "--save-speech", "speech.wav", "--model", str(model_path)]) == 0
    assert len(set(re.findall(r"cutting[^\r]* (\d+)/180 s of audio", sys.stderr.getvalue()))) > 5
    monkeypatch.setattr(sys, "stderr", Terminal())
    assert main(["detect", "long.wav", "--quiet", "--model", str(model_path)]) == 0
    assert sys.stderr.getvalue() == ""


def test_evaluation_and_inspection_show_their_position(
    run: Run, model_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    long_recording(3)
    Path("corpus").mkdir()
    Path("long.wav").rename("corpus/long.wav")
    Path("corpus/long.rttm").write_text("SPEAKER long 1 0.0 1.0 <NA> <NA> x <NA> <NA>\n")
    monkeypatch.setattr(progress, "_SHOWN_AFTER_S", 0.0)

    def stop(*_: object) -> None:
        raise MissingDependencyError("not this far")

    monkeypatch.setattr("vad.commands.inspect.labels_of", stop)
    for words, code in (
        (["evaluate", "corpus", "--model", str(model_path)], 0),
        (
            [
                "inspect",
                "saliency",
                "default",
                "corpus/long.wav",
                "--labels",
                "corpus/long.rttm",
                "--start",
                "170",
            ],
            2,
        ),
    ):
        monkeypatch.setattr(sys, "stderr", Terminal())
        assert main(words) == code
        assert len(set(re.findall(r"(\d+)/180 s of audio", sys.stderr.getvalue()))) > 5


def closing_line(monkeypatch: pytest.MonkeyPatch, model_path: Path, *words: str) -> str:
    """What a terminal shows at the end."""
    monkeypatch.setattr(sys, "stderr", Terminal())
    main(["detect", "--model", str(model_path), *words])
    return sys.stderr.getvalue().rpartition("\r")[2]


def test_a_terminal_shows_a_closing_line(
    run: Run, folder: Path, model_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("notes.txt", "more.TXT", ".hidden.txt", "deep/plan.pdf"):
        Path(name).touch()
    Path("broken.wav").write_bytes(b"RIFF")
    line = closing_line(monkeypatch, model_path, ".", "-f", "rttm", "-o", "out")
    assert line.startswith("vad: speech in 2 recordings, none in 1, 1 failed.")
    assert " out." in line
    assert "1 subfolder with recordings (search with -r)" in line
    assert "2 files of other formats (.txt)" in line
    line = closing_line(monkeypatch, model_path, ".", "-r")
    assert "speech in 3 recordings, none in 1, 1 failed" in line
    assert "subfolder" not in line
    assert ".pdf" in line
    assert ".rttm" not in closing_line(monkeypatch, model_path, ".", "-f", "rttm", "-o", ".")
    assert closing_line(monkeypatch, model_path, "one.wav") == ""
    assert "Written to one.srt." in closing_line(monkeypatch, model_path, "one.wav", "-o", "one.srt")
    assert "no speech" in closing_line(monkeypatch, model_path, "one.wav", "--threshold", "1")
    assert "1 recording" in closing_line(monkeypatch, model_path, "deep")
    assert closing_line(monkeypatch, model_path, ".", "--quiet").count("\n") == 1  # broken.wav alone


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the peak of a process is read from /proc")
def test_an_hour_takes_no_more_memory_than_a_second(folder: Path, model_path: Path) -> None:
    with soundfile.SoundFile("long.wav", "w", 8000, 1) as file:
        minute = noise(60 * 8000)
        for _ in range(60):
            file.write(minute)
    # Not getrusage: its peak is handed down by the process that started this one.
    code = (
        "import sys; from vad.cli import main; code = main(sys.argv[1:])\n"
        "status = dict(line.split(':', 1) for line in open('/proc/self/status'))\n"
        "print(status['VmHWM'].split()[0], file=sys.stderr); sys.exit(code)"
    )
    words = [sys.executable, "-c", code, "detect", "long.wav", "--model", str(model_path)]
    done = subprocess.run(words, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0
    assert int(done.stderr) * 1024 < 250e6, "the whole hour would be 230 MB at the model's rate"


def test_detecting_in_a_wav_loads_no_container_library(folder: Path, model_path: Path) -> None:
    code = "import sys; from vad.cli import main; main(sys.argv[1:]); print('av' in sys.modules)"
    words = [sys.executable, "-c", code, "detect", "silent.wav", "--model", str(model_path)]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60)
    assert done.stdout.splitlines() == ["False"]
