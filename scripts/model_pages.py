"""Writes what the cards and the benchmark tell into README.md and models/README.md, between their marks.

    python scripts/model_pages.py [--pictures]

With --pictures, also what `vad inspect` finds in the networks, and its pictures. The text between is people's; it is
not touched.
"""

from __future__ import annotations

import argparse
import io
import json
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PIL import Image

from vad.audio.reading import read_audio
from vad.evaluation.benchmark.tables import table
from vad.labels import read_labels

if TYPE_CHECKING:
    from vad.training.inspection.pictures import Picture

MODELS = Path(__file__).parent.parent / "models"
NAMES = ("default", "tiny", "waveform")
ARCHITECTURES = (
    "`logmel-pair`: log-mel spectrogram, then two networks of 2-D convolutions and dilated ones in time, read as one",
    "`logmel-cnn`: one such network, smaller",
    "`waveform-tcn`: learned filters on the samples, dilated convolutions in time",
)
# Measured on the same recordings, on the same grid: AUC, AP, best balanced error, false alarm at 5 % miss.
PEERS = {
    "Silero v6": (".982", ".984", ".072", ".105"),
    "TEN VAD": (".978", ".980", ".083", ".146"),
    "FireRedVAD, 200 ms lookahead": (".984", ".984", ".072", ".114"),
    "FireRedVAD, streaming": (".971", ".971", ".097", ".168"),
    "WebRTC, mode 2": (".769", ".673", ".232", "-"),
    "log energy": (".810", ".813", ".276", ".654"),
}
SOUNDS = {
    "covid19-cough": "coughs",
    "donateacry": "baby cries",
    "ESC-10": "rain, dogs, crying, clock, sneezes, helicopter, rooster, saw, fire, sea",
    "CDDA": "game effects",
    "redeclipse": "game effects and music",
    "JBFH": "keyboards",
    "blanket": "rain, wind, trains, crowds",
    "openclonk": "game effects and music",
    "unknown-horizons": "game ambience and music",
    "Precise": "noise around a wake word",
    "SuperTux": "game effects and music",
    "bucklespring": "keyboard clicks",
    "wids": "noise",
    "scaper": "street",
    "sonic-pi": "drum loops and samples",
}


PICTURES = {
    "default": {"weights": "first-layer", "saliency": "map"},
    "waveform": {"weights": "first-layer-responses", "saliency": "map"},
}
CLIP = MODELS.parent / "data" / "examples" / "noisy.flac"
DPI = 85


def main() -> int:
    """Read the cards, write the pages."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--pictures", action="store_true", help="also look into the networks, and draw")
    if parser.parse_args().pictures:
        text = "\n".join(map(inspected, PICTURES)).rstrip()
        write_between_marks(MODELS / "README.md", "inspection", text)
    for page, sections in pages().items():
        for name, text in sections.items():
            write_between_marks(page, name, text)
    return 0


def write_between_marks(page: Path, name: str, text: str) -> None:
    """Replaces what stands between ``<!-- name -->`` and ``<!-- end of name -->``."""
    begin, end = f"<!-- {name} -->", f"<!-- end of {name} -->"
    old = page.read_text(encoding="utf-8")
    new, count = re.subn(f"{begin}.*{end}", lambda _: f"{begin}\n{text}\n{end}", old, flags=re.DOTALL)
    if count != 1:
        sys.exit(f"{page} must hold {begin} and {end} once. Received: {count} times.")
    page.write_text(new, encoding="utf-8")


def pages() -> dict[Path, dict[str, str]]:
    """What stands in each page between the marks of each name."""
    cards = [json.loads((MODELS / f"{name}.json").read_text(encoding="utf-8")) for name in NAMES]
    page = {
        "networks": networks(cards),
        "sources": sources(cards[0]),
        "trainings": trainings(cards),
        "meetings": meetings(cards),
        "conditions": conditions(MODELS / "benchmark.md"),
        "conditions on exact labels": conditions(MODELS / "benchmark-speech.md"),
        "non-speech": non_speech(cards),
    }
    return {MODELS / "README.md": page, MODELS.parent / "README.md": {"models": in_short(cards)}}


def networks(cards: list[dict[str, Any]]) -> str:
    """What each is and costs."""
    speeds = [card["metrics"]["times real time, one thread"] for card in cards]
    sizes = [(MODELS / f"{name}.tflite").stat().st_size for name in NAMES]
    rows: list[list[str]] = [
        ["architecture", *ARCHITECTURES],
        ["parameters", *(f"{card['parameters']:,}" for card in cards)],
        ["multiply-adds per second of audio", *(f"{card['macs_per_second'] / 1e6:.1f} M" for card in cards)],
        ["receptive field, but for the level", *(f"{card['receptive_field_s']:.2f} s" for card in cards)],
        ["decision delay", *(_delays(card) for card in cards)],
        ["file", *(f"{size / 1e6:.1f} MB" for size in sizes)],
        [
            "speed, one thread (a 2-core cloud machine)",
            *(f"{s['chunk']:,} x in chunks, {s['step']:,} x frame by frame" for s in speeds),
        ],
        [
            "validation AUC (mixed scenes, -5 dB to clean, unseen speakers and noise; `default`: its first network)",
            *(_share(_first_training(card)["validation_auc"], 4) for card in cards),
        ],
        [
            "AUC on the corpus' validation speech as recorded",
            *(_share(card["metrics"]["validation speech"]["auc"], 4) for card in cards),
        ],
    ]
    return table(["", *(f"`{name}`" for name in NAMES)], rows)


def in_short(cards: list[dict[str, Any]]) -> str:
    """What one chooses a model by."""
    rows = [
        [
            f"**`{name}`**",
            *(_share(figures["auc"], 3) for figures in card["metrics"]["devset"].values()),
            f"{card['parameters']:,}",
            f"{card['metrics']['times real time, one thread']['chunk']:,} x",
        ]
        for name, card in zip(NAMES, cards, strict=True)
    ]
    return table(["", "AUC", "-26 dB", "-40 dB", "parameters", "real time"], rows)


def sources(card: dict[str, Any]) -> str:
    """Where the training data come from."""
    kinds = ["speech", "noise", "music"]
    found = sorted(card["data_sources"], key=lambda source: (kinds.index(source["kind"]), -source["hours"]))
    hours = {kind: sum(source["hours"] for source in found if source["kind"] == kind) for kind in kinds}
    told = (
        f"{hours['speech']:.1f} h of speech, {hours['noise']:.1f} h of noise and {hours['music']:.1f} h of music for "
        "training; other speakers and other\nfiles for validation. The recordings are not part of this repository. "
        "Commits are of the public repositories they were\ntaken from.\n"
    )
    rows = [
        [
            *(source["kind"], source["source"], source["commit"][:8], source["license"]),
            *(f"{source['files']:,}", f"{source['hours']:.2f}"),
        ]
        for source in found
    ]
    return told + "\n" + table(["kind", "source", "commit", "licence", "files", "hours"], rows)


def trainings(cards: list[dict[str, Any]]) -> str:
    """How long each was trained, and what proves its file."""
    rows = []
    for name, card in zip(NAMES, cards, strict=True):
        steps = {f"`{name}`": _first_training(card)}
        if "second" in card["training"]:
            steps[f"`{name}`, second network"] = card["training"]["second"]
        if "start" in card["training"]:
            steps[f"`{name}`, late decision"] = card["training"]
        rows += [
            [
                step,
                f"{training['epochs']} x {training['config']['epoch_hours']:.0f} h",
                f"{training['wall_clock_hours']:.2f} h",
                str(training["seed"]),
                training["manifest_sha256"][:12],
                f"{card['versions']['keras']} on TensorFlow {card['versions']['tensorflow']}",
                f"{max(card['verification']['largest_difference_from_keras'].values()):.1e}",
            ]
            for step, training in steps.items()
        ]
    headings = [
        "",
        "scenes heard",
        "wall clock",
        "seed",
        "manifest sha256",
        "Keras",
        "LiteRT from Keras, at most",
    ]
    return table(headings, rows)


def meetings(cards: list[dict[str, Any]]) -> str:
    """Recordings labelled by people, beside the peers."""
    fields = ("auc", "average_precision", "best_balanced_error", "false_alarm_at_5_miss")
    rows = [
        [
            f"**{name}**{way}" + ("" if condition == "as recorded" else f", {condition}"),
            *(_share(figures[field], 3) for field in fields),
        ]
        for name, card in zip(NAMES, cards, strict=True)
        for way in ("", ", live")
        for condition, figures in card["metrics"].get(f"devset{way}", {}).items()
    ]
    rows += [[name, *figures] for name, figures in PEERS.items()]
    return table(["system", "AUC", "AP", "best balanced error", "false alarm at 5 % miss"], rows)


def conditions(benchmark: Path) -> str:
    """A benchmark's table of AUC."""
    found = re.search(r"### Area under the ROC curve\n\n((?:\|.*\n)+)", benchmark.read_text(encoding="utf-8"))
    if found is None:
        sys.exit(f"{benchmark} must hold the table of AUC. Received: none. Run `vad benchmark`.")
    return found[1].rstrip()


def non_speech(cards: list[dict[str, Any]]) -> str:
    """False alarms with default options, by source."""
    shares = [card["metrics"]["non-speech taken for speech, share of time"] for card in cards]
    rows = [
        [
            name,
            next(what for part, what in SOUNDS.items() if part in name),
            *(f"{100 * of[name]:.1f} %" for of in shares),
        ]
        for name in shares[0]
    ]
    return table(["source", "what it is", *(f"`{name}`" for name in NAMES)], rows)


def _first_training(card: dict[str, Any]) -> dict[str, Any]:
    """That of the network; of one that learned its late decision afterwards, the one before."""
    training: dict[str, Any] = card["training"]
    return training.get("start", training)  # type: ignore[no-any-return]


def _delays(card: dict[str, Any]) -> str:
    frame_ms = 1000 * card["frame_length"] // card["sample_rate"]
    late = f", in files {card['late_frames'] * frame_ms} ms" if card.get("late_frames") else ""
    return f"{card['delay_frames'] * frame_ms} ms{late}"


def _share(value: float, digits: int) -> str:
    return f"{value:.{digits}f}".removeprefix("0")


def inspected(name: str) -> str:
    """A network's part of the text; its pictures are written beside its weights."""
    from vad.training.inspection.network import Clip, load_subject
    from vad.training.inspection.views import look

    subject = load_subject(str(MODELS / f"{name}.keras"))
    clip = Clip(CLIP.name, read_audio(CLIP, sample_rate=16_000), read_labels(CLIP.with_suffix(".rttm")))
    lines = [f"### {name}", ""]
    for view in look(subject, list(PICTURES[name]), clip):
        picture = next(one for one in view.pictures if one.name == PICTURES[name][view.name])
        path = MODELS / f"{name}-{view.name}.png"
        path.write_bytes(_drawn(picture))
        lines += [*(f"- {line}" for line in view.findings), ""]
        lines += [f"![{view.title}]({path.name})", "", f"{picture.seen} {picture.healthy}", ""]
    return "\n".join(lines)


def _drawn(picture: Picture) -> bytes:
    """A PNG of 256 colours, chosen so that the rare ones at the ends of a scale stay: a third of the bytes."""
    full, small = io.BytesIO(), io.BytesIO()
    picture.figure.savefig(full, format="png", dpi=DPI)
    colours = (
        Image.open(full).convert("RGB").quantize(method=Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
    )
    colours.save(small, "PNG", optimize=True)
    return small.getvalue()


if __name__ == "__main__":
    sys.exit(main())
