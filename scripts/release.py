"""Makes a model that ships, from its trainings to its card.

    python scripts/release.py MODEL... --corpus MANIFEST --labelled DIR [--runs runs/release] [--output models]
    python scripts/release.py MODEL --trained RUN --corpus MANIFEST --labelled DIR

Trains with models/MODEL.toml, exports, measures the figures of the card, and writes the model's probabilities of
data/examples/clip.wav to tests/golden. Stopped, the same command goes on. With --trained it takes a network that is
trained already. Default takes three trainings: that of models/default.toml; from there, those of
models/default-late.toml, which adds the lookahead output, and of models/default-second.toml, a smaller network; then
both become one ensemble (vad/training/release/ensemble.py).
Afterwards `python scripts/model_pages.py` writes the figures into the pages.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import time
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
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


@dataclass(frozen=True)
class Ensemble:
    """How three trainings become one model.

    Attributes:
        lookahead: The config of the training that adds the lookahead output; its network comes first.
        second: The config of the smaller network's training.
        second_share: The weight of the second network, 0 to 1.
        low_latency_share: The weight of the low-latency output for the same frame in the lookahead output, 0 to 1.
        lookahead_offset: Added to the logit of the lookahead output.
    """

    lookahead: str
    second: str
    second_share: float
    low_latency_share: float
    lookahead_offset: float


@dataclass(frozen=True)
class Release:
    """How a model that ships is made.

    Attributes:
        ensemble: How three trainings become one; None is one training.
        formats: What it ships as, of the formats of `vad export`.
    """

    ensemble: Ensemble | None = None
    formats: tuple[str, ...] = ("tflite",)


MODELS = {
    "default": Release(Ensemble("default-late", "default-second", 0.25, 0.25, -0.75), ("tflite", "onnx")),
    "tiny": Release(),
    "waveform": Release(),
    "interchange": Release(formats=("tflite", "silero-onnx")),
}


def main(words: Sequence[str] | None = None) -> int:
    """Train, export, measure, write."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument(
        "models", metavar="MODEL", nargs="+", choices=MODELS, help="one of: " + ", ".join(MODELS)
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
        trained = args.trained or _trained(name, args)
        for format_name in MODELS[name].formats:
            _export(trained, name, args.output, format_name)
        exported = args.output / f"{name}.tflite"
        figures = measure(exported, args.corpus, args.labelled)
        _update_card(exported.with_suffix(".json"), figures)
        _write_golden(exported, args.golden)
    return 0


def _trained(name: str, args: argparse.Namespace) -> Path:
    """The network of a model, trained by its config."""
    run, ensemble = _train(name, name, args), MODELS[name].ensemble
    return run if ensemble is None else _join(run, name, ensemble, args)


def _train(run: str, config: str, args: argparse.Namespace, *settings: str) -> Path:
    """A training by its config; trainings share rendered scenes."""
    words = ["train", str(args.runs / run), "--config", str(ROOT / "models" / f"{config}.toml")]
    words += ["--corpus", str(args.corpus), "--data", str(args.runs / "data")]
    for setting in (*settings, *args.set):
        words += ["--set", setting]
    if vad(words):
        sys.exit(f"release: the training {run} failed, see above.")
    return Path(args.runs / run)


def _export(run: Path, name: str, folder: Path, format_name: str = "tflite") -> None:
    words = ["export", str(run), "--name", name, "--format", format_name, "--output", str(folder)]
    words += ["--overwrite", "--note", f"label_origin={LABEL_ORIGIN}"]
    if vad(words):
        sys.exit(f"release: the export of {run} failed, see above.")


def _join(run: Path, name: str, ensemble: Ensemble, args: argparse.Namespace) -> Path:
    """The two trainings that start from the first, and the weights of their ensemble."""
    from vad.training.config import load_config
    from vad.training.provenance import describe_run, load_network, network_of, training_of
    from vad.training.release.ensemble import adjust_lookahead, join_ensemble
    from vad.training.release.export import export

    _export(run, name, args.runs / "start")
    start = args.runs / "start" / f"{name}.keras"
    scenes = f"data={args.runs / 'late-data'}"
    late = _train(ensemble.lookahead, ensemble.lookahead, args, f"warm_start={start}", scenes)
    second = _train(ensemble.second, ensemble.second, args, f"warm_start={start}")
    weights = [folder / "best.keras" for folder in (late, second)]
    (first, config), (other, other_config) = ((load_network(one), network_of(one)) for one in weights)
    model, network = join_ensemble(first, config, other, other_config, ensemble.second_share)
    adjust_lookahead(model, ensemble.low_latency_share, ensemble.lookahead_offset)
    notes = describe_run(late, load_config(late / "config.json"))
    notes["training"]["second"] = {"share": ensemble.second_share, **training_of(weights[1])}
    notes |= {"prompt_share": ensemble.low_latency_share, "late_offset": ensemble.lookahead_offset}
    return export(model, network, name, args.runs / "ensemble", notes=notes).with_suffix(".keras")


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
    """The outputs of a model: "file" with lookahead, and "live" without, where the model has both."""
    outputs = {"file": Detector(model)}
    return outputs | {"live": Detector(model, lookahead=False)} if model.lookahead_frames else outputs


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
    """The probabilities of an example, which a test compares; "live" is the low-latency output, if there are two."""
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
