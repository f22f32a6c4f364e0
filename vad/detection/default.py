"""The default model, loaded once in a process, and the functions that detect speech with it."""

import functools

import numpy.typing as npt

from vad.audio.decoding import Source
from vad.audio.samples import Channel
from vad.detection.detector import Detector, lookahead_from
from vad.detection.model import Model
from vad.detection.segments import Segment

__all__ = ["default_model", "detect", "detect_file"]


def detect(
    samples: npt.ArrayLike,
    sample_rate: float,
    *,
    operating_point: str = "balanced",
    lookahead: bool = True,
    **options: float | None,
) -> list[Segment]:
    """Detect the speech in samples with the default model, which is loaded once; see `Detector`."""
    lookahead = lookahead_from(lookahead, options)
    detector = Detector(default_model(), operating_point, lookahead=lookahead, **options)
    return detector.detect(samples, sample_rate)


def detect_file(
    source: Source,
    *,
    channel: Channel = "mix",
    operating_point: str = "balanced",
    lookahead: bool = True,
    **options: float | None,
) -> list[Segment]:
    """Detect the speech in a file with the default model, which is loaded once; see `Detector`."""
    lookahead = lookahead_from(lookahead, options)
    detector = Detector(default_model(), operating_point, lookahead=lookahead, **options)
    return detector.detect_file(source, channel=channel)


@functools.cache
def default_model() -> Model:
    """The default model, loaded once in a process."""
    return Model.load()
