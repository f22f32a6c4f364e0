"""Measures what live streams promise, and prints Markdown tables.

    python scripts/live_figures.py latency DIR      from a labelled onset to `SpeechStart`, and false starts
    python scripts/live_figures.py streams          streams that one core carries
    python scripts/live_figures.py hour FILE        an hour of a recording again and again: drift and memory

Latency counts audio, as a clock on the wall would beside a microphone: until the block that decided was full, and
the time that hearing it took. Labels that are speakers' turns begin loosely; see the labels' own description.
"""

from __future__ import annotations

import argparse
import gc
import sys
import time
import tracemalloc
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from vad.audio import read_audio
from vad.corpus import Item, read_corpus
from vad.detector import Detector
from vad.labels.union import merge
from vad.segments import Segment, SpeechEnd, SpeechStart

EARLY_S = 0.25  # a start so much before an onset is that onset's
BESIDE_S = 0.25  # a start farther from any speech is a false one

OPTIONS: dict[str, dict[str, Any]] = {
    "balanced (default)": {},
    "eager": {"operating_point": "eager"},
    "precise": {"operating_point": "precise"},
    "balanced, confirm_start": {"confirm_start": True},
    "threshold 0.2": {"threshold": 0.2},
    "threshold 0.4": {"threshold": 0.4},
    "threshold 0.6": {"threshold": 0.6},
    "threshold 0.8": {"threshold": 0.8},
}


@dataclass
class Onsets:
    """What became of the onsets of some recordings.

    Attributes:
        latencies_s: From each onset that was found to its delivery.
        missed: Onsets whose speech was never found.
        open: Onsets at which speech was already going on for the detector.
        false_starts: Starts away from any speech.
        silence_s: How much audio there was without speech.
    """

    latencies_s: list[float] = field(default_factory=list)
    missed: int = 0
    open: int = 0
    false_starts: int = 0
    silence_s: float = 0.0

    def row(self) -> str:
        """Cells of a table."""
        median, p95 = np.percentile(self.latencies_s, [50, 95]) * 1000 if self.latencies_s else (np.nan,) * 2
        per_minute = self.false_starts / (self.silence_s / 60)
        return f"{len(self.latencies_s)} | {median:.0f} | {p95:.0f} | {self.missed} | {self.open} | {per_minute:.1f}"


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("what", choices=["latency", "streams", "hour"])
    parser.add_argument("source", type=Path, nargs="?", help="a labelled folder, or a recording")
    parser.add_argument("--model", default="default", help="a model's name or a .tflite file")
    parser.add_argument("--block-ms", type=float, default=20.0, help="fed at a time")
    parser.add_argument("--sample-rate", type=int, default=16000, help="of the streams, in Hz")
    args = parser.parse_args()
    if args.what != "streams" and args.source is None:
        parser.error(f"{args.what} needs a source")
    measure = {"latency": print_latency, "streams": print_streams, "hour": print_hour}[args.what]
    measure(args)
    return 0


def print_latency(args: argparse.Namespace) -> None:
    """A row for each set of options."""
    items = read_corpus(args.source)
    print(
        "| options | found | median ms | p95 ms | missed | already open | false starts a minute of silence |"
    )
    print("|---|---|---|---|---|---|---|")
    for name, options in OPTIONS.items():
        chosen = dict(options)
        confirm_start = chosen.pop("confirm_start", False)
        detector = Detector(args.model, **chosen)
        onsets = Onsets()
        for item in items:
            add_onsets(onsets, detector, item, args, confirm_start)
        print(f"| {name} | {onsets.row()} |")


def add_onsets(
    onsets: Onsets, detector: Detector, item: Item, args: argparse.Namespace, confirm_start: bool
) -> None:
    """Hear a recording, and settle its onsets."""
    samples = read_audio(item.path, sample_rate=args.sample_rate)
    stream = detector.stream(args.sample_rate, confirm_start=confirm_start)
    starts: list[tuple[SpeechStart, float]] = []  # and when it was delivered
    found: list[Segment] = []
    for block in blocks_of(samples, args):
        began = time.perf_counter()
        events = stream.feed(block)
        delivered = stream.duration + time.perf_counter() - began
        starts += [(event, delivered) for event in events if isinstance(event, SpeechStart)]
        found += [event.segment for event in events if isinstance(event, SpeechEnd)]
    found += [event.segment for event in stream.finish() if isinstance(event, SpeechEnd)]
    speech = merge(item.segments)
    onsets.silence_s += stream.duration - sum(segment.duration for segment in speech)
    onsets.false_starts += sum(
        not any(one.start - BESIDE_S <= start.decided_at <= one.end + BESIDE_S for one in speech)
        for start, _ in starts
    )
    for one in speech:
        if one.start <= 0:
            continue
        if any(segment.start < one.start - EARLY_S and segment.end > one.start for segment in found):
            onsets.open += 1
            continue
        delivery = next((at for start, at in starts if one.start - EARLY_S <= start.time < one.end), None)
        if delivery is None:
            onsets.missed += 1
        else:
            onsets.latencies_s.append(delivery - one.start)


def print_streams(args: argparse.Namespace) -> None:
    """How many streams keep up with their microphones on one core, and what a step costs."""
    count, seconds = 100, 4.0
    detector = Detector(args.model)
    streams = [detector.stream(args.sample_rate) for _ in range(count)]
    noise = np.random.default_rng(0).normal(0, 0.05, round(seconds * args.sample_rate)).astype(np.float32)
    steps = []
    for block in blocks_of(noise, args):
        for stream in streams:
            began = time.thread_time()
            stream.feed(block)
            steps.append(time.thread_time() - began)
    p50, p99 = np.percentile(steps, [50, 99]) * 1000
    print(f"| streams at {args.sample_rate} Hz, blocks of {args.block_ms:g} ms | step p50 ms | p99 ms |")
    print("|---|---|---|")
    print(f"| {count * seconds / sum(steps):.0f} a core | {p50:.2f} | {p99:.2f} |")


def print_hour(args: argparse.Namespace) -> None:
    """A recording of whole frames, heard for an hour on a simulated clock."""
    detector = Detector(args.model)
    samples = read_audio(args.source, sample_rate=args.sample_rate)
    frame = round(detector.frame_duration * args.sample_rate)
    samples = samples[: len(samples) // frame * frame]
    rounds = max(3, round(3600 * args.sample_rate / len(samples)))
    stream = detector.stream(args.sample_rate, keep_audio_s=5.0)
    first: np.ndarray | None = None
    drift, memory = 0.0, []
    tracemalloc.start()
    for number in range(rounds):
        probabilities = []
        for block in blocks_of(samples, args):
            stream.feed(block)
            probabilities.append(stream.probabilities)
        heard = np.concatenate(probabilities)
        if number == 1:  # the first round begins from silence
            first = heard
        elif first is not None:
            size = min(len(heard), len(first))
            drift = max(drift, float(np.abs(heard[-size:] - first[-size:]).max()))
        gc.collect()
        memory.append(tracemalloc.get_traced_memory()[0])
    print("| heard | largest change of a probability, round by round | memory after a tenth | at the end |")
    print("|---|---|---|---|")
    tenth, last = memory[len(memory) // 10] / 1024, memory[-1] / 1024
    print(f"| {stream.duration:.0f} s | {drift:.1e} | {tenth:.0f} KiB | {last:.0f} KiB |")


def blocks_of(samples: np.ndarray, args: argparse.Namespace) -> Iterator[np.ndarray]:
    """The samples as a microphone would give them."""
    length = round(args.block_ms / 1000 * args.sample_rate)
    return (samples[position : position + length] for position in range(0, len(samples), length))


if __name__ == "__main__":
    sys.exit(main())
