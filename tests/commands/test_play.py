"""`vad detect --play`, on a simulated PortAudio."""

import os
import threading
import types
from pathlib import Path

import numpy as np
import pytest
import soundfile
from support.paper_portaudio import OutputStream
from support.sounds import RATE, tone

from vad.cli import main
from vad.detection.detector import Detector
from vad.detection.stream import Stream


@pytest.fixture
def play(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    model_path: Path,
    capsys,
    portaudio: types.SimpleNamespace,
):
    """Run `vad detect two.wav --play`, of a stereo recording with two segments; give its exit code, stdout, stderr."""
    monkeypatch.chdir(tmp_path)
    silence = np.zeros(RATE, np.float32)
    speech = np.concatenate([silence, tone(1.5), silence, tone(1.0), silence])
    soundfile.write("two.wav", np.stack([speech, 0.5 * speech], axis=1), RATE)

    def run(*words: str) -> tuple[int, str, str]:
        code = main(["detect", "--model", str(model_path), "two.wav", *words, "--play"])
        written = capsys.readouterr()
        return code, written.out, written.err

    return run


@pytest.mark.parametrize(("channel", "played"), [("mix", ["mix"]), ("1", [1]), ("each", [0, 1])])
def test_each_segment_is_played(play, model_path: Path, channel: str, played: list) -> None:
    code, out, err = play("--channel", channel, "--printf", "{id}")
    assert (code, out, err) == (0, "1\n2\n" * len(played), "")
    values, _ = soundfile.read("two.wav", dtype="float32")
    expected = [
        values[round(one.start * RATE) : round(one.end * RATE), slice(None) if index == "mix" else [index]]
        for index in played
        for one in Detector(model_path).detect_file("two.wav", channel=index)
    ]
    assert len(OutputStream.made) == len(expected)
    for stream, samples in zip(OutputStream.made, expected, strict=True):
        assert np.array_equal(stream.played, samples)


def test_a_segment_is_played_before_the_next_audio_is_analysed(play, monkeypatch: pytest.MonkeyPatch) -> None:
    values, _ = soundfile.read("two.wav", dtype="float32")
    soundfile.write("two.wav", np.concatenate([values] * 8), RATE)  # 52 s, in blocks of 20 s
    feed, played = Stream.feed, []

    def watched(stream: Stream, samples: object) -> object:
        played.append(len(OutputStream.made))
        return feed(stream, samples)

    monkeypatch.setattr(Stream, "feed", watched)
    assert play()[1].count("\n") == len(OutputStream.made) == 16
    assert played[0] == 0
    assert 4 <= played[1] < played[-1]


def test_a_pipe_is_played_at_its_end(play, monkeypatch: pytest.MonkeyPatch) -> None:
    with open("two.wav", "rb") as wav:
        read, write = os.pipe()
        threading.Thread(target=lambda: [os.write(write, wav.read()), os.close(write)], daemon=True).start()
        with open(read, "rb") as stdin:
            monkeypatch.setattr("sys.stdin", stdin)
            code, out, err = play("-", "--jobs", "1")
    assert (code, out.count("\n"), err) == (0, 4, "")
    first, second = np.array_split(np.array([len(stream.played) for stream in OutputStream.made]), 2)
    assert np.array_equal(first, second)


def test_ctrl_c_keeps_the_lines_of_what_was_played(play) -> None:
    OutputStream.interrupted_after = 3
    code, out, err = play()
    assert (code, out.count("\n"), err) == (130, 1, "")
    assert OutputStream.made[-1].state.endswith("closed")


def test_without_a_loudspeaker_nothing_begins(play, portaudio: types.SimpleNamespace) -> None:
    portaudio.devices = []
    code, out, err = play("-o", "labels.txt")
    assert (code, out, err.count("\n")) == (1, "", 1)
    assert err.startswith("vad: no device can play")
    assert not Path("labels.txt").exists()
