"""The page and the picture of one recording: its sound, the probability of speech, and the segments."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from pathlib import Path

from vad.detection.detection import Detection
from vad.detection.detector import Detector
from vad.errors import AudioError
from vad.files import write_text, writing
from vad.report.excerpt import Excerpt, Samples, take_excerpt
from vad.report.page import TIMELINE_SCRIPTS, fill_page, link_to, packed_excerpt, packed_steps, segment_times

__all__ = ["save_plot", "save_report", "whole_excerpt"]

_MAX_SOUND_S = 7_200.0  # 25 MB in the page; longer recordings are played from their own file


def whole_excerpt(blocks: Iterable[Samples], sample_rate: int, duration: float) -> Excerpt:
    """Take a whole recording, up to any damage, as an excerpt; with its sound unless it is very long.

    Args:
        blocks: The recording.
        sample_rate: Of the blocks, in Hz.
        duration: Seconds that the detector processed.
    """
    with_sound = duration <= _MAX_SOUND_S
    return take_excerpt(_until_damage(blocks), sample_rate, duration, with_sound=with_sound)


def save_report(
    path: Path, name: str, detector: Detector, detection: Detection, excerpt: Excerpt, recording: str
) -> None:
    """Write the page of a recording.

    Args:
        path: The page.
        name: What the page calls the recording.
        detector: What processed it.
        detection: The result.
        excerpt: The recording.
        recording: Its path. The page links to it, if it exists and the page does not hold the sound.

    Raises:
        ConfigError: The page cannot be written.
    """
    options = detector.options
    view = {
        **packed_excerpt(excerpt),
        "probability": packed_steps(detection.probabilities, detection.frame_duration),
        "thresholds": [options.threshold, options.release_threshold],
        "lanes": [{"name": "speech", "marks": {"detected": segment_times(detection.segments)}}],
        "shaded": [0],
        "link": None,
    }
    if not excerpt.sound and os.path.exists(recording):
        view["link"] = link_to(Path(recording), path.parent)
    data = {"name": name, "model": detector.model.name, "options": asdict(options), "view": view}
    write_text(path, fill_page(name, [*TIMELINE_SCRIPTS, "detection.js"], data))


def save_plot(path: Path, name: str, detector: Detector, detection: Detection, excerpt: Excerpt) -> None:
    """Write the picture of a recording, in the format of the path's extension.

    Raises:
        ConfigError: It cannot be written.
    """
    from vad.report.plot import plot

    with writing(path) as temporary, open(temporary, "wb") as file:
        plot(name, detector.options, detection, excerpt, file, path.suffix.lower())


def _until_damage(blocks: Iterable[Samples]) -> Iterator[Samples]:
    with contextlib.suppress(AudioError):  # the detector has reported it
        yield from blocks
