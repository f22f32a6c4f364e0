"""Sound for `vad listen`, and what the command prints of it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np

from vad.detection.detector import Detector

RATE = 16000


def tone_bursts(bursts: list[tuple[float, float]], duration: float) -> np.ndarray:
    time_s = np.arange(round(duration * RATE)) / RATE
    samples = np.zeros(len(time_s))
    for start, end in bursts:
        within = (start <= time_s) & (time_s < end)
        samples[within] = 0.3 * np.sin(2 * np.pi * 440 * time_s[within])
    return samples.astype(np.float32)


# The second burst is open when the sound ends.
SOUND = tone_bursts([(0.3, 0.7), (1.5, 1.8)], 1.8)


def segments(stdout: str) -> list[tuple[float, float]]:
    events = [json.loads(line) for line in stdout.splitlines()]
    return [(event["start"], event["time"]) for event in events if event["event"] == "end"]


def expected(model_path: Path, sound: np.ndarray = SOUND) -> list[tuple[float, float]]:
    found = Detector(model_path).detect(sound, RATE)
    return [(round(segment.start, 3), round(segment.end, 3)) for segment in found]


def listen_to_pipe(model_path: Path, *arguments: str) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-m", "vad", "listen", "-", "--model", str(model_path), *arguments]
    buffered = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    return subprocess.Popen(
        command, env=buffered, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
