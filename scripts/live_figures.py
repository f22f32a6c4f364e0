"""Measures what live streams promise, and prints it as Markdown.

    python scripts/live_figures.py latency DIR      from a labelled onset to `SpeechStart`, and false starts
    python scripts/live_figures.py streams          streams that one core carries, and what a step costs
    python scripts/live_figures.py hour FILE        an hour of a recording again and again: drift and memory
    python scripts/live_figures.py all DIR --corpus CORPUS --into docs/experiments/live-latency.md      all of it

`live_latency` says what an onset, its start and a false start are.
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import sys
import time
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import live_latency
import numpy as np
from live_latency import CONFIRMATIONS_MS, POINTS, THRESHOLDS, Heard, Onsets, blocks_of
from marked_pages import write_between_marks

from vad import __version__
from vad.audio import read_audio
from vad.corpus import read_corpus
from vad.detector import Detector
from vad.segments import SegmentOptions

EXAMPLE = Path(__file__).parent.parent / "data" / "examples" / "clip.wav"
SILEROS = SegmentOptions(threshold=0.5, neg_threshold=0.35, min_silence_duration_ms=100, speech_pad_ms=30)


def main() -> int:
    """Measure, and print or write."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("what", choices=["latency", "streams", "hour", "all"])
    parser.add_argument("source", type=Path, nargs="?", help="a labelled corpus, or a recording")
    parser.add_argument("--split", choices=["train", "dev", "test"], help="only this part of the corpus")
    parser.add_argument("--each", action="store_true", help="also every onset by itself")
    parser.add_argument(
        "--corpus", type=Path, help="for all: a second corpus, of which the dev split is heard"
    )
    parser.add_argument("--into", type=Path, help="a page to write the figures into, between its marks")
    parser.add_argument("--model", default="default", help="a model's name or a .tflite file")
    parser.add_argument("--block-ms", type=float, default=20.0, help="fed at a time")
    parser.add_argument("--sample-rate", type=int, default=16000, help="of the streams, in Hz")
    args = parser.parse_args()
    if args.what in ("latency", "all") and args.source is None:
        parser.error(f"{args.what} needs a labelled corpus")
    detector = Detector(args.model)
    fed = {"sample_rate": args.sample_rate, "block_ms": args.block_ms}
    if args.what == "latency":
        lines = latency(detector, args.source, split=args.split, each=args.each, **fed)
    elif args.what == "streams":
        lines = streams(detector, **fed)
    elif args.what == "hour":
        lines = hour(detector, args.source or EXAMPLE, **fed)
    else:
        lines = everything(detector, args.source, args.corpus, args.block_ms)
    if args.into is None:
        for line in lines:
            print(line, flush=True)
    else:
        write_between_marks(args.into, "live figures", "\n".join(lines))
    return 0


def everything(detector: Detector, labelled: Path, corpus: Path | None, block_ms: float) -> Iterator[str]:
    """Every figure, with a heading for each kind."""
    frame_ms = 1000 * detector.frame_duration
    yield f"`{detector.model.name}` of vad {__version__}, blocks of {block_ms:g} ms. A frame is {frame_ms:.0f} ms,"
    yield f"and the network waits {detector.model.delay_frames * frame_ms:.0f} ms past it: no option makes that less."
    yield f"\n### From onset to start: {labelled.name}\n"
    yield from latency(detector, labelled, sample_rate=16000, block_ms=block_ms, each=True)
    if corpus is not None:
        yield f"\n### From onset to start: {corpus.name}, its dev split\n"
        yield from latency(detector, corpus, split="dev", sample_rate=16000, block_ms=block_ms)
    yield "\n### Cost\n"
    yield from streams(detector, sample_rate=16000, block_ms=block_ms)
    yield list(streams(detector, sample_rate=48000, block_ms=block_ms))[-1]
    yield "\n### An hour\n"
    yield from hour(detector, EXAMPLE, sample_rate=44100, block_ms=block_ms)


def latency(
    detector: Detector,
    source: Path,
    *,
    sample_rate: int,
    block_ms: float,
    split: str | None = None,
    each: bool = False,
) -> Iterator[str]:
    """A table of the operating points, one of thresholds and confirmations, and every onset if asked for."""
    items = [item for item in read_corpus(source) if split in (None, item.split)]
    heard = live_latency.hear(detector, items, sample_rate, block_ms)
    yield "| options | found | median ms | p95 ms | missed | already open | false a minute | of other sound |"
    yield "|---|---|---|---|---|---|---|---|"
    for point in POINTS:
        options = Detector(detector.model, point).options
        for confirm_start, name in ((False, f"`{point}`"), (True, f"`{point}`, `confirm_start`")):
            yield point_row(name, live_latency.measure(heard, options, confirm_start=confirm_start))
    with contextlib.suppress(ImportError):
        silero = live_latency.hear_silero(items)
        yield point_row("Silero, 0.5", live_latency.measure(silero, SILEROS, confirm_start=False))
    yield ""
    yield from confirmations(heard, detector)
    if each:
        yield "\n| onset | loud after ms | told after ms |\n|---|---|---|"
        for name, onset, loud_ms, alone in live_latency.each_onset(heard, detector.options):
            yield f"| {name} {onset:.2f} s | {loud_ms:.0f} | {outcome(alone)} |"


def point_row(name: str, onsets: Onsets) -> str:
    """An operating point's row."""
    median, p95 = onsets.quantiles_ms()
    speech, other = (f"{rate:.1f}" if np.isfinite(rate) else "" for rate in onsets.false_a_minute())
    found = len(onsets.latencies_s)
    return f"| {name} | {found} | {median:.0f} | {p95:.0f} | {onsets.missed} | {onsets.open} | {speech} | {other} |"


def outcome(alone: Onsets) -> str:
    """What became of a single onset."""
    if alone.latencies_s:
        return f"{1000 * alone.latencies_s[0]:.0f}"
    return "missed" if alone.missed else "already open"


def confirmations(heard: list[Heard], detector: Detector) -> Iterator[str]:
    """Thresholds downwards, confirmations across: median and p95, missed, false starts a minute of silence."""
    names = ["at once" if wait == 0 else f"confirmed, {wait} ms" for wait in CONFIRMATIONS_MS]
    yield f"| threshold | {' | '.join(names)} |"
    yield "|---" * (len(names) + 1) + "|"
    for threshold in THRESHOLDS:
        cells = []
        for wait in CONFIRMATIONS_MS:
            changed = {"threshold": threshold} | ({"min_speech_duration_ms": wait} if wait else {})
            options = detector.options.replace(**changed)
            onsets = live_latency.measure(heard, options, confirm_start=wait > 0)
            median, p95 = onsets.quantiles_ms()
            false = onsets.false_a_minute()[0]
            cells.append(f"{median:.0f} / {p95:.0f} ms, {onsets.missed} missed, {false:.1f} false")
        yield f"| {threshold} | {' | '.join(cells)} |"


def streams(detector: Detector, *, sample_rate: int, block_ms: float) -> Iterator[str]:
    """How many streams keep up with their microphones on one core, in one process, and what a step costs."""
    count, seconds = 100, 4.0
    listening = [detector.stream(sample_rate) for _ in range(count)]
    noise = np.random.default_rng(0).normal(0, 0.05, round(seconds * sample_rate)).astype(np.float32)
    steps = []
    for block in blocks_of(noise, sample_rate, block_ms):
        for stream in listening:
            began = time.thread_time()
            stream.feed(block)
            steps.append(time.thread_time() - began)
    p50, p99 = np.percentile(steps, [50, 99]) * 1000
    yield "| streams at | a core carries | step p50 ms | p99 ms |"
    yield "|---|---|---|---|"
    yield f"| {sample_rate} Hz | {count * seconds / sum(steps):.0f} | {p50:.2f} | {p99:.2f} |"


def hour(detector: Detector, path: Path, *, sample_rate: int, block_ms: float) -> Iterator[str]:
    """A recording of whole frames, heard for an hour on a simulated clock."""
    samples = read_audio(path, sample_rate=sample_rate)
    frame = round(detector.frame_duration * sample_rate)
    samples = samples[: len(samples) // frame * frame]
    rounds = max(3, round(3600 * sample_rate / len(samples)))
    stream = detector.stream(sample_rate, keep_audio_s=5.0)
    first: np.ndarray | None = None
    drift, memory = 0.0, np.zeros(rounds)
    tracemalloc.start()
    for number in range(rounds):
        probabilities = []
        for block in blocks_of(samples, sample_rate, block_ms):
            stream.feed(block)
            probabilities.append(stream.probabilities)
        heard = np.concatenate(probabilities)
        if number == 1:  # the first round begins from silence
            first = heard
        elif first is not None:
            size = min(len(heard), len(first))
            drift = max(drift, float(np.abs(heard[-size:] - first[-size:]).max()))
        gc.collect()
        memory[number] = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    yield "| heard | largest change of a probability, round by round | memory after a tenth | at the end |"
    yield "|---|---|---|---|"
    tenth, last = memory[len(memory) // 10] / 1024, memory[-1] / 1024
    yield f"| {stream.duration:.0f} s | {drift:.1e} | {tenth:.0f} KiB | {last:.0f} KiB |"


if __name__ == "__main__":
    sys.exit(main())
