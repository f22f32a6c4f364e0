"""Measures what a model card tells, as JSON.

    python scripts/figures.py MODEL --labelled DIR --corpus MANIFEST

Frame metrics on labelled recordings as they are and turned down by 26 and 40 dB; frame metrics on the corpus'
validation speech; how much of its validation noise and music is taken for speech, by source; speed on one thread. Frame
metrics of a model with lookahead output are also those without.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import time
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np

from vad.audio import read_audio
from vad.corpus import CorpusItem, read_corpus
from vad.detector import Detector
from vad.errors import VadError
from vad.evaluate import GRID_DURATION, Metrics, pool, score, score_item
from vad.runtime import Model

FIELDS = (
    "auc",
    "average_precision",
    "best_balanced_error",
    "best_threshold",
    "false_alarm_at_5_miss",
    "miss",
    "false_alarm",
    "onset_median",
    "offset_median",
)
GAINS_DB = {"as recorded": 0.0, "-26 dB": -26.0, "-40 dB": -40.0}


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("model", help="a model's name or a .tflite file")
    parser.add_argument("--labelled", type=Path, required=True, help="recordings labelled by people")
    parser.add_argument("--corpus", type=Path, required=True, help="the training corpus, for its dev split")
    args = parser.parse_args()
    model = Model.load(args.model)
    detector = Detector(model)
    outputs = {"": detector}
    if model.lookahead_frames:
        outputs[", low latency"] = Detector(model, lookahead=False)
    dev = [item for item in read_corpus(args.corpus) if item.split == "dev"]
    figures: dict[str, Any] = {}
    for suffix, output in outputs.items():
        figures[f"{args.labelled.name}{suffix}"] = {
            name: figures_of(output, read_corpus(args.labelled), gain_db)
            for name, gain_db in GAINS_DB.items()
        }
        speech = pool([score_item(output, item) for item in dev if item.kind == "speech"])
        figures[f"validation speech{suffix}"] = _chosen(speech.metrics(output.options.threshold))
    figures["non-speech taken for speech, share of time"] = false_alarms(detector, dev)
    figures["times real time, one thread"] = speed(detector)
    json.dump(figures, sys.stdout, indent=1)
    return 0


def figures_of(detector: Detector, items: Iterable[CorpusItem], gain_db: float) -> dict[str, Any]:
    """Pooled frame metrics of recordings played softer."""
    gain = np.float32(10 ** (gain_db / 20))
    scored = [
        score(
            detector.process(
                gain * read_audio(item.path, sample_rate=detector.sample_rate), detector.sample_rate
            ),
            item.segments,
        )
        for item in items
    ]
    return _chosen(pool(scored).metrics(detector.options.threshold))


def false_alarms(detector: Detector, items: Iterable[CorpusItem]) -> dict[str, float]:
    """Share of the time of noise and music that lies in segments, by source."""
    found: dict[str, float] = defaultdict(float)
    total: dict[str, float] = defaultdict(float)
    for item in items:
        if item.kind != "speech":
            scored = score_item(detector, replace(item, segments=()))
            name = f"{item.kind}: {item.source}"
            found[name] += scored.detection.false_alarm
            total[name] += scored.duration
    return {name: round(found[name] / total[name], 4) for name in sorted(total)}


def speed(detector: Detector) -> dict[str, int]:
    """Seconds of audio a second of processor time, a frame at a time and a chunk at a time."""
    model = detector.model
    rng = np.random.default_rng(0)
    figures = {}
    for name, call, frames in (("step", model.step, 1), ("chunk", model.chunk, model.chunk_frames)):
        samples = (0.1 * rng.standard_normal(frames * model.frame_length)).astype(np.float32)
        state, calls = model.initial_state(), math.ceil(60 / (frames * model.frame_duration))
        began = time.process_time()
        for _ in range(calls):
            _, state = call(samples, state)
        figures[name] = round(calls * frames * model.frame_duration / (time.process_time() - began))
    return figures


def _chosen(metrics: Metrics) -> dict[str, Any]:
    values = asdict(metrics)
    return {name: round(values[name], 4) for name in FIELDS} | {"grid_s": GRID_DURATION}


if __name__ == "__main__":
    try:
        sys.exit(main())
    except VadError as error:
        sys.exit(f"figures: {error}")
