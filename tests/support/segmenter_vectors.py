"""Events of drawn probabilities, for every implementation of the segmenter: tests/golden/segmenter.json.

`python tests/support/segmenter_vectors.py` writes the file again, after a change of the rules.
"""

import json
import random
from pathlib import Path
from typing import Any

from vad.detection.options import SegmentOptions
from vad.detection.segmenter import Segmenter
from vad.detection.segments import Event, SpeechEnd, SpeechStart

VECTORS = Path(__file__).parents[1] / "golden" / "segmenter.json"
FRAME_DURATION_S = 0.02

# A character is a frame: "." is 0, "#" is 1, a digit is tenths. These come from the drawings of test_segments.py.
_DRAWN: list[tuple[str, dict[str, float]]] = [
    (
        "..4..5..544443.53445.",
        {"min_speech_duration_ms": 0, "min_silence_duration_ms": 0, "speech_pad_ms": 0},
    ),
    ("....", {"threshold": 0.0}),
    ("#.......#", {"min_silence_duration_ms": 140, "min_speech_duration_ms": 0}),
    (
        "..8954.4.996......8.......79999.9997......",
        {"min_silence_duration_ms": 80, "min_speech_duration_ms": 60, "max_speech_duration_s": 0.2},
    ),
    ("#7##8###.########", {"max_speech_duration_s": 0.16, "speech_pad_ms": 20}),
    ("####..####...####.....####", {"speech_pad_ms": 45, "min_silence_duration_ms": 20}),
    ("####...#...####", {"speech_pad_ms": 60, "min_silence_duration_ms": 40, "min_speech_duration_ms": 60}),
    ("", {}),
    ("#", {"min_speech_duration_ms": 0}),
]
_CHOICES: dict[str, list[float]] = {
    "threshold": [0.3, 0.5, 0.7],
    "min_speech_duration_ms": [0, 50, 100],
    "min_silence_duration_ms": [0, 60, 150],
    "speech_pad_ms": [0, 10, 30, 70],
    "max_speech_duration_s": [0.26, 0.5],
}
_LENGTHS = {".": 6, "#": 6, "4": 2, "6": 2, "1": 3, "9": 4}


def vectors() -> dict[str, Any]:
    """The content of the file."""
    rng = random.Random(2026)
    cases = [_case(drawing, options) for drawing, options in _DRAWN]
    for _ in range(60):
        drawing = "".join(c * rng.randint(1, _LENGTHS[c]) for c in rng.choices(list(_LENGTHS), k=12))
        options = {name: rng.choice(values) for name, values in _CHOICES.items() if rng.random() < 0.6}
        cases.append(
            _case(drawing, options, rng.random() < 0.4, rng.choice([0.0, 0.06]), rng.choice([0.0, 0.013]))
        )
    return {"frame_duration": FRAME_DURATION_S, "cases": cases}


def _case(
    drawing: str,
    options: dict[str, float],
    confirm_start: bool = False,
    delay: float = 0.0,
    missing: float = 0.0,
) -> dict[str, Any]:
    """A drawing with its events; `missing` are the seconds that the last frame is short of."""
    segmenter = Segmenter(
        SegmentOptions(**options), FRAME_DURATION_S, confirm_start=confirm_start, delay=delay
    )
    events = segmenter.feed([{".": 0.0, "#": 1.0}[c] if c in ".#" else int(c) / 10 for c in drawing])
    duration = len(drawing) * FRAME_DURATION_S - missing
    events += segmenter.finish(duration if drawing else None)
    return {
        "drawing": drawing,
        "options": options,
        "confirm_start": confirm_start,
        "delay": delay,
        "duration": duration,
        "events": [_shown(event) for event in events],
    }


def _shown(event: Event) -> list[str | float]:
    kind = {SpeechStart: "start", SpeechEnd: "end"}.get(type(event), "rejected")
    start = event.segment.start if isinstance(event, SpeechEnd) else event.time
    return [kind, *(round(seconds, 9) for seconds in (start, event.time, event.decided_at))]


def main() -> None:
    """Write the file, a case a line."""
    content = vectors()
    lines = ",\n".join(json.dumps(case) for case in content["cases"])
    head = f'{{"frame_duration": {FRAME_DURATION_S}, "cases": ['
    VECTORS.write_text(f"{head}\n{lines}\n]}}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
