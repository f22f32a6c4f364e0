"""`vad listen` and `vad detect --play` with real, paced devices: PulseAudio's null sink, through PortAudio and ALSA."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile

from vad.detection.detector import Detector

RATE = 16000
PULSE = """
load-module module-native-protocol-unix
load-module module-null-sink sink_name=virtual rate=48000 channels=2
set-default-sink virtual
set-default-source virtual.monitor
"""
ALSA = "pcm.!default { type pulse }\nctl.!default { type pulse }\n"

# The microphone needs about a second to wake up; the sound begins with as much silence.
BURSTS = [(1.5, 1.9), (2.7, 3.2)]

pytestmark = pytest.mark.skipif(
    not (shutil.which("pulseaudio") and shutil.which("paplay")),
    reason="needs PulseAudio: apt install pulseaudio pulseaudio-utils libasound2-plugins libportaudio2",
)


@pytest.fixture
def pulse(tmp_path: Path) -> Iterator[tuple["subprocess.Popen[bytes]", dict[str, str]]]:
    """A PulseAudio of our own, and the environment in which its null sink is the microphone."""
    home, runtime = tmp_path / "home", tmp_path / "runtime"
    home.mkdir()
    runtime.mkdir(mode=0o700)
    (home / ".asoundrc").write_text(ALSA, encoding="utf-8")
    (home / "virtual.pa").write_text(PULSE, encoding="utf-8")
    places = {"HOME": home, "XDG_RUNTIME_DIR": runtime, "PULSE_RUNTIME_PATH": runtime}
    environment = os.environ | {name: str(place) for name, place in places.items()}
    command = ["pulseaudio", "-n", "-F", str(home / "virtual.pa"), "--exit-idle-time=-1", "--use-pid-file=no"]
    server = subprocess.Popen(
        [*command, "--daemonize=no"], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        for _ in range(100):
            if subprocess.run(["pactl", "info"], env=environment, capture_output=True).returncode == 0:
                break
            time.sleep(0.05)
        else:
            pytest.skip("PulseAudio does not run here")
        yield server, environment
    finally:
        server.kill()
        server.wait()


def sound() -> np.ndarray:
    time_s = np.arange(round(4.0 * RATE)) / RATE
    samples = np.zeros(len(time_s))
    for start, end in BURSTS:
        within = (start <= time_s) & (time_s < end)
        samples[within] = 0.3 * np.sin(2 * np.pi * 440 * time_s[within])
    return samples.astype(np.float32)


def listen(environment: dict[str, str], model_path: Path, *arguments: str) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "vad", "listen", "--model", str(model_path), *arguments]
    process = subprocess.Popen(
        command, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stderr is not None
    assert "default" in process.stderr.readline()
    return process


def play(environment: dict[str, str], folder: Path) -> "subprocess.Popen[bytes]":
    path = folder / "sound.wav"
    soundfile.write(path, sound(), RATE)
    return subprocess.Popen(["paplay", str(path)], env=environment)


def events_until(process: "subprocess.Popen[str]", kind: str, count: int) -> list[dict[str, float | str]]:
    assert process.stdout is not None
    events: list[dict[str, float | str]] = []
    while [event["event"] for event in events].count(kind) < count:
        events.append(json.loads(process.stdout.readline()))
    return events


def test_the_events_are_those_of_the_file_that_is_played(
    pulse: tuple["subprocess.Popen[bytes]", dict[str, str]], model_path: Path, tmp_path: Path
) -> None:
    _, environment = pulse
    recorded = tmp_path / "recorded.wav"
    process = listen(environment, model_path, "--record", str(recorded))
    player = play(environment, tmp_path)
    try:
        events = events_until(process, "end", 2)
        process.send_signal(signal.SIGINT)
        rest, words = process.communicate(timeout=60)
    finally:
        process.kill()
        player.kill()
        player.wait()
    assert process.returncode == 130
    assert rest == ""
    assert words.startswith("processed ")
    assert "2 segments" in words
    assert words.rstrip().endswith("overflows: 0")
    detector = Detector(model_path)
    expected = [time for segment in detector.detect(sound(), RATE) for time in (segment.start, segment.end)]
    found = [float(event["time"]) for event in events if event["event"] != "rejected"]
    # The file begins at an unknown moment between two frames: what is between its boundaries tells.
    between = np.diff(found) - np.diff(expected)
    assert np.abs(between).max() <= detector.frame_duration + 0.002
    # In what the microphone heard they are where they were told to be.
    ends = [(event["start"], event["time"]) for event in events if event["event"] == "end"]
    assert ends == [(round(one.start, 3), round(one.end, 3)) for one in detector.detect_file(recorded)]


def test_a_microphone_that_is_unplugged(
    pulse: tuple["subprocess.Popen[bytes]", dict[str, str]], model_path: Path, tmp_path: Path
) -> None:
    server, environment = pulse
    process = listen(environment, model_path, "--save", str(tmp_path / "saved"))
    player = play(environment, tmp_path)
    try:
        events_until(process, "start", 1)
        server.kill()
        rest, words = process.communicate(timeout=60)
    finally:
        process.kill()
        player.kill()
        player.wait()
    assert process.returncode == 1
    assert json.loads(rest.splitlines()[-1])["event"] == "end", "what was open is closed"
    summary, complaint = words.splitlines()  # and nothing of ALSA's or PortAudio's
    assert summary.startswith("processed ")
    assert re.match(r"vad: the microphone .* stopped\.", complaint)
    (saved,) = (tmp_path / "saved").iterdir()
    assert soundfile.info(saved).duration > 0.1


def test_the_loudspeaker_gets_the_segments(
    pulse: tuple["subprocess.Popen[bytes]", dict[str, str]], model_path: Path, tmp_path: Path
) -> None:
    _, environment = pulse
    soundfile.write(tmp_path / "sound.wav", sound(), RATE)
    recorded = tmp_path / "recorded.wav"
    command = [
        "parec",
        "-d",
        "virtual.monitor",
        "--rate=16000",
        "--channels=1",
        "--file-format=wav",
        str(recorded),
    ]
    recorder = subprocess.Popen(command, env=environment)
    try:
        command = [
            sys.executable,
            "-m",
            "vad",
            "detect",
            "--model",
            str(model_path),
            str(tmp_path / "sound.wav"),
        ]
        played = subprocess.run(
            [*command, "--play"], env=environment, capture_output=True, text=True, timeout=60
        )
    finally:
        recorder.send_signal(signal.SIGINT)
        recorder.wait()
    assert (played.returncode, played.stdout.count("\n"), played.stderr) == (0, 2, "")
    samples, _ = soundfile.read(recorded, dtype="float32")
    assert np.sum(np.abs(samples) > 0.05) / RATE == pytest.approx(
        0.9 * 0.89, abs=0.05
    )  # of a sine of 0.3 that is 0.89


def test_no_microphone(tmp_path: Path, model_path: Path) -> None:
    (tmp_path / ".asoundrc").write_text(ALSA, encoding="utf-8")  # of a PulseAudio that does not run
    environment = os.environ | {"HOME": str(tmp_path), "XDG_RUNTIME_DIR": str(tmp_path)}
    environment |= {"PULSE_RUNTIME_PATH": str(tmp_path), "ALSA_CONFIG_UCM2": str(tmp_path)}
    command = [sys.executable, "-m", "vad", "listen", "--model", str(model_path), "--duration", "0.1"]
    listened = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=30)
    if listened.returncode == 0:
        pytest.skip("this machine has a microphone")
    assert listened.returncode == 1
    (line,) = listened.stderr.splitlines()
    assert line.startswith("vad: ")
