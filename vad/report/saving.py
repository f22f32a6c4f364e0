"""What `vad detect` shows of a recording: a page, and a picture."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt

from vad.audio.reading import AudioBlocks
from vad.commands.detecting.recordings import AudioInput
from vad.errors import AudioError
from vad.files import writing
from vad.report.detection import Detection, detection_page
from vad.report.excerpt import Excerpt, take_excerpt
from vad.report.page import link_to

__all__ = ["MAX_SOUND_S", "heard_excerpt", "save_plot", "save_report"]

MAX_SOUND_S = 7_200.0  # 25 MB of audio in the page; longer recordings are played from where they lie


def heard_excerpt(audio: AudioBlocks, duration: float) -> Excerpt:
    """Make a recording small enough to show, up to any damage; its sound too where it is not too long.

    Args:
        audio: The recording, at the model's rate.
        duration: Seconds that are known to be heard.
    """
    blocks = _until_damage(audio)
    return take_excerpt(blocks, audio.sample_rate, duration, with_sound=duration <= MAX_SOUND_S)


def save_report(path: Path, detection: Detection, excerpt: Excerpt, recording: AudioInput) -> None:
    """Write the page of a recording.

    Raises:
        ConfigError: It cannot be written.
    """
    page = detection_page(detection, excerpt, _link(path, recording))
    with writing(path) as temporary:
        temporary.write_text(page, encoding="utf-8")


def save_plot(path: Path, detection: Detection, excerpt: Excerpt) -> None:
    """Write the picture of a recording, of the kind that the path ends like.

    Raises:
        ConfigError: It cannot be written.
    """
    from vad.report.plot import plot

    with writing(path) as temporary, open(temporary, "wb") as file:
        plot(detection, excerpt, file, path.suffix.lower())


def _until_damage(audio: AudioBlocks) -> Iterator[npt.NDArray[np.float32]]:
    with contextlib.suppress(AudioError):  # detection has met it before, and told
        yield from audio


def _link(page: Path, recording: AudioInput) -> str | None:
    """Where a recording lies, seen from a page; nowhere if it came through a pipe."""
    return link_to(Path(recording.name), page.parent) if os.path.exists(recording.name) else None
