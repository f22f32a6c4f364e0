"""Makes a model that ships, from its trainings to its card.

    python scripts/release.py MODEL... --corpus MANIFEST --labelled DIR [--runs runs/release] [--output models]
    python scripts/release.py MODEL --trained RUN --corpus MANIFEST --labelled DIR

Trains with models/MODEL.toml, exports, measures the figures of the card, and writes the model's probabilities of
data/examples/clip.wav to tests/golden. Stopped, the same command goes on. With --trained it takes a network that is
trained already. Afterwards `python scripts/model_pages.py` writes the figures into the pages.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import time
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np

from vad.audio.reading import read_audio
from vad.cli import main as vad
from vad.corpus.manifest import CorpusItem, read_corpus
from vad.detection.detector import Detector
from vad.detection.model import Model
from vad.errors import VadError
from vad.evaluation.scoring import Metrics, pool, score, score_item
from vad.files import writing
from vad.labels.cells import CELL_DURATION

ROOT = Path(__file__).parent.parent
CLIP = ROOT / "data" / "examples" / "clip.wav"
FIELDS = (
    *("auc", "average_precision", "best_balanced_error", "best_threshold", "false_alarm_at_5_miss"),
    *("miss", "false_alarm", "onset_median", "offset_median"),
)
GAINS_DB = {"as recorded": 0.0, "-26 dB": -26.0, "-40 dB": -40.0}
LABEL_ORIGIN = (
    "Not by ear: the mean logit of four detectors on the clean recording (Silero VAD v6, FireRedVAD, TEN VAD, and the "
    "model default of vad 0.1), soft, on a 10 ms grid; where a recording is clean enough, pauses silent by energy for "
    "120 ms or more are taken out. Validation labels: Silero and FireRedVAD alone."
)


# What each model ships as, of the formats of `vad export`.
FORMATS = {
    "default": ("tflite", "onnx"),
    "tiny": ("tflite",),
    "waveform": ("tflite",),
    "interchange": ("tflite", "silero-onnx"),
}


def main(words: Sequence[str] | None = None) -> int:
    """Train, export, measure, write."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument(
        "models", metavar="MODEL", nargs="+", choices=FORMATS, help="one of: " + ", ".join(FORMATS)
    )
    parser.add_argument(
        "--trained", metavar="RUN", type=Path, help="release this network: a run's folder or a .keras file"
    )
    parser.add_argument("--corpus", type=Path, required=True, help="what to train and to validate on")
    parser.add_argument("--labelled", type=Path, required=True, help="recordings labelled by people")
    parser.add_argument("--runs", type=Path, default=Path("runs/release"), help="folder of the trainings")
    parser.add_argument("--output", type=Path, default=ROOT / "models", help="where the models are written")
    parser.add_argument(
        "--golden", type=Path, default=ROOT / "tests" / "golden", help="where their output is"
    )
    parser.add_argument(
        "--set", metavar="NAME=VALUE", action="append", default=[], help="as vad train takes it"
    )
    args = parser.parse_args(words)
    if args.trained and len(args.models) > 1:
        parser.error("--trained is one network: name one model")
    for name in args.models:
        trained = args.trained or _train(name, args)
        for format_name in FORMATS[name]:
            _export(trained, name, args.output, format_name)
        exported = args.output / f"{name}.tflite"
        figures = measure(exported, args.corpus, args.labelled)
        _update_card(exported.with_suffix(".json"), figures)
        _write_golden(exported, args.golden)
    return 0


def _train(name: str, args: argparse.Namespace) -> Path:
    """The run of a model, trained by its config; trainings share decoded recordings and rendered scenes."""
    run: Path = args.runs / name
    words = ["train", str(run), "--config", str(ROOT / "models" / f"{name}.toml")]
    words += ["--corpus", str(args.corpus), "--data", str(args.runs / "data")]
    for setting in args.set:
        words += ["--set", setting]
    if vad(words):
        sys.exit(f"release: the training {run} failed, see above.")
    return run


def _export(run: Path, name: str, folder: Path, format_name: str) -> None:
    words = ["export", str(run), "--name", name, "--format", format_name, "--output", str(folder)]
    words += ["--overwrite", "--note", f"label_origin={LABEL_ORIGIN}"]
    if vad(words):
        sys.exit(f"release: the export of {run} failed, see above.")


def measure(model: Path, corpus: Path, labelled: Path) -> dict[str, Any]:
    """The figures of a card: frame metrics, false alarms on noise and music by source, and speed.

    Metrics are of labelled recordings as recorded and played softer, and of the corpus' validation speech, for each
    output that the model has.
    """
    outputs = outputs_of(Model.load(model))
    dev = [item for item in read_corpus(corpus) if item.split == "dev"]
    figures: dict[str, Any] = {}
    for way, detector in outputs.items():
        suffix = "" if way == "file" else f", {way}"
        figures[f"{labelled.name}{suffix}"] = {
            name: figures_of(detector, read_corpus(labelled), gain_db) for name, gain_db in GAINS_DB.items()
        }
        speech = pool([score_item(detector, item) for item in dev if item.kind == "speech"])
        figures[f"validation speech{suffix}"] = _chosen(speech.metrics(detector.options.threshold))
    figures["non-speech taken for speech, share of time"] = _false_alarms(outputs["file"], dev)
    figures["times real time, one thread"] = speed(outputs["file"])
    return figures


def outputs_of(model: Model) -> dict[str, Detector]:
    """How a model is used: "file" on recordings, which are read ahead, and "live" on streams."""
    return {"file": Detector(model), "live": Detector(model, lookahead=False)}


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


def _false_alarms(detector: Detector, items: Iterable[CorpusItem]) -> dict[str, float]:
    """Share of the time of noise and music that lies in segments, by source."""
    false: dict[str, float] = defaultdict(float)
    total: dict[str, float] = defaultdict(float)
    for item in items:
        if item.kind != "speech":
            scored = score_item(detector, replace(item, segments=()))
            name = f"{item.kind}: {item.source}"
            false[name] += scored.detection.false_alarm
            total[name] += scored.duration
    return {name: round(false[name] / total[name], 4) for name in sorted(total)}


def _chosen(metrics: Metrics) -> dict[str, Any]:
    values = asdict(metrics)
    return {name: round(values[name], 4) for name in FIELDS} | {"grid_s": CELL_DURATION}


def _update_card(path: Path, figures: dict[str, Any]) -> None:
    card = json.loads(path.read_text(encoding="utf-8"))
    with writing(path) as temporary:
        temporary.write_text(json.dumps({**card, "metrics": figures}, indent=1) + "\n", encoding="utf-8")


def _write_golden(model: Path, folder: Path) -> None:
    """The probabilities of an example, which a test compares; "live" is without lookahead."""
    samples = read_audio(CLIP, sample_rate=16_000)
    golden = {
        way: [round(float(p), 5) for p in detector.probabilities(samples, 16_000)]
        for way, detector in outputs_of(Model.load(model)).items()
    }
    (folder / f"{model.stem}.json").write_text(json.dumps(golden))


if __name__ == "__main__":
    try:
        sys.exit(main())
    except VadError as error:
        sys.exit(f"release: {error}")
