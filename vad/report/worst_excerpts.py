"""The page of `vad evaluate --report`: the evaluation's figures, and its worst stretches heard once more."""

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from vad.audio.reading import open_audio
from vad.errors import AudioError
from vad.evaluation.breakdown import Evaluation, worst_excerpts
from vad.files import writing
from vad.report.evaluation import evaluation_page, shown_stretch
from vad.report.excerpt import take_excerpt

__all__ = ["save_evaluation"]

_STRETCHES = 12
_SAMPLE_RATE = 16_000


def save_evaluation(path: Path, evaluation: Evaluation) -> None:
    """Write the page.

    Raises:
        ConfigError: It cannot be written.
    """
    with writing(path) as temporary:
        temporary.write_text(evaluation_page(evaluation, _stretches(evaluation)), encoding="utf-8")


def _stretches(evaluation: Evaluation) -> Iterator[dict[str, Any]]:
    for stretch in worst_excerpts([one for _, one in evaluation.scored], _STRETCHES):
        item, scored = evaluation.scored[stretch.recording]
        blocks = _between(item.path, stretch.start, stretch.end)
        try:
            excerpt = take_excerpt(
                blocks, _SAMPLE_RATE, stretch.end - stretch.start, start=stretch.start, with_sound=True
            )
        except AudioError as error:  # it could be read a moment ago
            print(f"vad: {error}", file=sys.stderr)
            continue
        yield shown_stretch(item.key, stretch, scored, excerpt, evaluation.options)


def _between(path: Path, start: float, end: float) -> Iterator[npt.NDArray[np.float32]]:
    first, last = round(start * _SAMPLE_RATE), round(end * _SAMPLE_RATE)
    position = 0
    with contextlib.closing(open_audio(path, sample_rate=_SAMPLE_RATE)) as audio:
        for block in audio:
            yield block[max(0, first - position) : max(0, last - position)]
            position += len(block)
            if position >= last:
                break
