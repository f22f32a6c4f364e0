"""A corpus in which every kind can be told apart by ear: speech below 3 kHz, noise from 5 to 7 kHz, music at 4 kHz.

Speech is zero outside its segments, to the sample, so that labels can be held against the sound itself.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import soundfile
from scipy import signal

from support.sounds import RATE, tone

CELL = 160
# Seconds of silence, voice and silence again; whole cells.
BEFORE, VOICE, AFTER = 0.3, 0.6, 0.2
TRAIN_SPEAKERS = {"anna": 500.0, "bela": 1000.0, "cleo": 1500.0, "dora": 2000.0}
DEV_SPEAKERS = {"emil": 1250.0}


def speech(hertz: float, level: float = 0.2) -> npt.NDArray[np.float32]:
    """One utterance: a tone that starts and ends on a label cell."""
    silences = [np.zeros(round(seconds * RATE), np.float32) for seconds in (BEFORE, AFTER)]
    # A quarter of a period in, so that the first sample sounds.
    voice = tone(VOICE + 0.25 / hertz, hertz=hertz, level=level)[-round(VOICE * RATE) :]
    return np.concatenate([silences[0], voice, silences[1]])


def noise(seed: int, level: float = 0.05) -> npt.NDArray[np.float32]:
    """Two seconds of steady noise above all speech and music."""
    white = np.random.default_rng(seed).standard_normal(2 * RATE)
    high = signal.sosfilt(signal.butter(8, [5000, 7000], "band", fs=RATE, output="sos"), white)
    return (level * high / high.std()).astype(np.float32)


def row(path: str, kind: str, split: str, **more: Any) -> dict[str, Any]:
    return {"audio_filepath": path, "kind": kind, "split": split, **more}


def write(folder: Path, *, noises: int = 2) -> Path:
    """Write the corpus and its manifest.

    Args:
        folder: Where.
        noises: How many training noises, each of its own source.

    Returns:
        The manifest.
    """
    sounds: list[tuple[dict[str, Any], npt.NDArray[np.float32]]] = []
    segments = [[BEFORE, BEFORE + VOICE]]
    for split, speakers in (("train", TRAIN_SPEAKERS), ("dev", DEV_SPEAKERS)):
        for speaker, hertz in speakers.items():
            place = row(f"speech/{speaker}.wav", "speech", split, speaker=speaker, segments=segments)
            sounds.append((place, speech(hertz)))
    sounds += [
        (row(f"noise/{seed}.wav", "noise", "train", source=f"source {seed}"), noise(seed))
        for seed in range(noises)
    ]
    sounds.append((row("noise/dev.wav", "noise", "dev"), noise(99)))
    sounds.append((row("music/song.wav", "music", "train"), tone(1.0, hertz=4000.0, level=0.1)))
    for one, samples in sounds:
        path = folder / one["audio_filepath"]
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, samples, RATE, "PCM_16")
    manifest = folder / "manifest.jsonl"
    manifest.write_text("".join(json.dumps(one) + "\n" for one, _ in sounds), encoding="utf-8")
    return manifest
