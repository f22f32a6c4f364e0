"""Scenes of the tiny corpus, bare of all but talk, and how to measure them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import signal

from support.sounds import RATE
from vad.training.data.decoded import CELL
from vad.training.data.scene_config import SceneConfig
from vad.training.data.scenes import Scene

# Talk alone, dry, as it was recorded; each test adds what it is about.
BARE = SceneConfig(
    scene_s=8.0,
    speech_free=0.0,
    speed=(1.0, 1.0),
    sound_speed=(1.0, 1.0),
    room=0.0,
    noise=0.0,
    events=0.0,
    bangs=0.0,
    bars=0.0,
    music=0.0,
    background=0.0,
    babble=0.0,
    hiss=0.0,
    handling=0.0,
    tones=0.0,
    part_band_limit=0.0,
    tunes=0.0,
    telephone=0.0,
    band_limit=0.0,
    equalise=0.0,
    clipping=0.0,
    digital_silence=0.0,
)
PARTS = (
    "noise",
    "events",
    "bangs",
    "bars",
    "music",
    "background",
    "babble",
    "hiss",
    "handling",
    "tones",
    "tunes",
)
CHANNEL = ("telephone", "band_limit", "equalise", "clipping")

Samples = npt.NDArray[np.float32]


def mix(scene: Scene) -> npt.NDArray[np.float64]:
    """The scene as it was before its peak was set: talk at 0 dB."""
    return scene.samples.astype(np.float64) / 10 ** (scene.level_db / 20)


def cell_power(samples: npt.NDArray[np.floating]) -> npt.NDArray[np.float64]:
    return np.square(samples.reshape(-1, CELL), dtype=np.float64).mean(axis=1)


def power_db(samples: npt.NDArray[np.floating]) -> float:
    return float(10 * np.log10(np.square(samples, dtype=np.float64).mean() + 1e-20))


def louder_half_db(samples: npt.NDArray[np.floating]) -> float:
    power = cell_power(samples)
    return float(10 * np.log10(power[power >= np.median(power)].mean()))


def is_recorded(bed: npt.NDArray[np.floating]) -> bool:
    """The corpus' noises have nothing below 4 kHz, synthetic noise has most of it there."""
    return power_db(signal.sosfilt(signal.butter(8, 4000, fs=RATE, output="sos"), bed)) < power_db(bed) - 20
