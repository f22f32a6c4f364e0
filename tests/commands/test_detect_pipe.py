"""`vad detect -` with real pipes that stay open."""

import io
import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import soundfile
from support.listening import RATE, tone_bursts

from vad.cli import main
from vad.commands.options import progress

SOUND = tone_bursts([(start, start + 0.7) for start in range(1, 20, 2)], 20.0)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def encoded(container: str) -> bytes:
    content = io.BytesIO()
    soundfile.write(content, SOUND, RATE, format=container)
    return content.getvalue()


@pytest.fixture
def pipe_in(
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Callable[[bytes, threading.Event | None], list[bool]]]:
    """Gives a function that pipes content in. With an event, the last fifth waits for it."""
    threads, stdins = [], []

    def start(content: bytes, go_on: threading.Event | None = None) -> list[bool]:
        reading, writing = os.pipe()
        in_time: list[bool] = []
        stdins.append(open(reading))  # noqa: SIM115 (closed below)
        monkeypatch.setattr(sys, "stdin", stdins[-1])

        def write() -> None:
            with open(writing, "wb", buffering=0) as end:
                end.write(content[: len(content) * 4 // 5])
                in_time.append(go_on is None or go_on.wait(10))
                end.write(content[len(content) * 4 // 5 :])

        threads.append(threading.Thread(target=write))
        threads[-1].start()
        return in_time

    yield start
    for thread, stdin in zip(threads, stdins, strict=True):
        thread.join()
        stdin.close()


class Screen(io.StringIO):
    """Sets an event at its first line."""

    def __init__(self) -> None:
        super().__init__()
        self.first_line = threading.Event()

    def write(self, text: str) -> int:
        if "\n" in text:
            self.first_line.set()
        return super().write(text)


@pytest.mark.parametrize(
    ("container", "words"),
    [
        ("WAV", ["-f", "text"]),
        ("FLAC", ["-f", "jsonl", "--save-speech", "speech.wav", "--report", "page.html"]),
        ("MP3", ["-f", "text", "--jobs", "4"]),
    ],
)
def test_segments_are_printed_while_the_pipe_is_open(
    place: Path,
    model_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    pipe_in: Callable[..., list[bool]],
    container: str,
    words: list[str],
) -> None:
    content = encoded(container)
    (place / "stdin").write_bytes(content)
    screen, whole = Screen(), Screen()
    in_time = pipe_in(content, screen.first_line)
    monkeypatch.setattr(sys, "stdout", screen)
    assert main(["detect", "-", "--model", str(model_path), *words]) == 0
    assert in_time == [True], "the first segment came after the writer ended"
    monkeypatch.setattr(sys, "stdout", whole)
    assert main(["detect", "stdin", "--model", str(model_path), *words[:2]]) == 0
    assert screen.getvalue() == whole.getvalue()
    assert screen.getvalue().count("\n") == 10
    if "speech.wav" in words:
        assert soundfile.info("speech.wav").duration > 7.0
        assert Path("page.html").stat().st_size > len(content) // 2


@pytest.mark.parametrize("size", [0, 8192, 2_000_000_000])
def test_detect_and_listen_read_all_of_a_pipe_whatever_its_header_states(
    place: Path,
    model_path: Path,
    pipe_in: Callable[..., list[bool]],
    capsys: pytest.CaptureFixture[str],
    size: int,
) -> None:
    content = bytearray(encoded("WAV"))
    at = content.index(b"data") + 4
    content[at : at + 4] = size.to_bytes(4, "little")
    for words in (["detect", "-", "-f", "jsonl"], ["listen", "-", "--format", "jsonl"]):
        pipe_in(bytes(content))
        assert main([*words, "--model", str(model_path)]) == 0
        found = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
        assert sum(one.get("event", "end") == "end" for one in found) == 10


def test_each_channel_of_a_pipe(
    place: Path, model_path: Path, pipe_in: Callable[..., list[bool]], capsys: pytest.CaptureFixture[str]
) -> None:
    pipe_in(encoded("WAV"))
    assert main(["detect", "-", "--channel", "each", "--model", str(model_path)]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 10


@pytest.mark.parametrize(
    ("container", "shown"), [("WAV", r"\b\d+/20 s of audio"), ("AIFF", r"\b1 MB received")]
)
def test_a_pipe_shows_how_far_it_is(
    place: Path,
    model_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    pipe_in: Callable[..., list[bool]],
    container: str,
    shown: str,
) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr(progress, "_SHOWN_AFTER_S", 0.0)
    monkeypatch.setattr(sys, "stderr", Terminal())
    pipe_in(encoded(container))
    assert main(["detect", "-", "--model", str(model_path)]) == 0
    assert re.search(shown, sys.stderr.getvalue())  # type: ignore[attr-defined]


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="Windows has no such signals")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_leaves_nothing_of_a_pipe(place: Path, model_path: Path, number: int) -> None:
    words = [
        "-",
        "--model",
        str(model_path),
        "--save-speech",
        "speech.wav",
        "-o",
        "segments.txt",
        "-f",
        "text",
    ]
    with subprocess.Popen(
        [sys.executable, "-m", "vad", "detect", *words],
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "TMPDIR": str(place)},
    ) as process:
        assert process.stdin is not None
        assert process.stderr is not None
        process.stdin.write(encoded("WAV"))
        process.stdin.flush()
        while not list(place.iterdir()):  # the file of the segments was begun
            assert process.poll() is None
        process.send_signal(number)
        assert process.wait(20) == 128 + number
        assert process.stderr.read() == b""
    assert list(place.iterdir()) == []
