"""Compares the runtimes of one network: difference from LiteRT, start-up, and time per frame.

    vad export default --name default --format onnx --output exports/
    vad export default --name default --format saved-model --output exports/
    python scripts/runtimes.py exports/default five-minutes.wav

Each runs in a process of its own. Start-up is from the first import to the first probability. Times are medians, on one
thread where the runtime lets choose.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import statistics
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

HEADINGS = (
    *("runtime", "start-up", "a frame of 20 ms", "a chunk of 2 s"),
    *("difference, probe signals", "difference, recording"),
)

Probabilities = npt.NDArray[np.float32]


def main() -> int:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("model", metavar="FOLDER/NAME", type=Path, help="an included model, exported there")
    parser.add_argument("recording", metavar="RECORDING", help="audio to compare on")
    args = parser.parse_args()
    from vad.audio.reading import read_audio
    from vad.evaluation.benchmark.tables import table
    from vad.training.release.probe_signals import probe_signals

    signals = [*probe_signals().values(), read_audio(args.recording, sample_rate=16_000)]
    spawn = multiprocessing.get_context("spawn")  # a fork would have the imports already
    rows: list[tuple[str, ...]] = []
    expected: list[Probabilities] = []
    for runtime in ("LiteRT", "onnxruntime", "TensorFlow"):
        with spawn.Pool(1) as pool:
            start, found, frame, chunk = pool.apply(measure, (runtime, args.model, signals))
        expected = expected or found
        differences = [np.abs(one - other).max() for one, other in zip(found, expected, strict=True)]
        rows.append(
            (
                *(runtime, f"{start:.1f} s", f"{1000 * frame:.2f} ms", f"{1000 * chunk:.1f} ms"),
                *(f"{max(differences[:-1]):.1e}", f"{differences[-1]:.1e}"),
            )
        )
    print(table(HEADINGS, rows))
    return 0


def measure(
    runtime: str, path: Path, signals: list[npt.NDArray[np.float32]]
) -> tuple[float, list[Probabilities], float, float]:
    """Run the signals in steps and in chunks, and the last of them, the recording, in chunks alone.

    Returns:
        Seconds of start-up; the probabilities of each signal, by call and output; seconds a step; seconds a chunk.
    """
    began = time.perf_counter()
    model = load(runtime, path)
    model.step(np.zeros(model.frame_length, np.float32), model.initial_state())
    start = time.perf_counter() - began
    has_lookahead = json.loads(path.with_name(f"{path.name}.onnx.json").read_text())["late_frames"] > 0
    times: dict[int, list[float]] = {1: [], model.chunk_frames: []}
    found = [
        np.stack(
            [
                run(model, frames, samples, lookahead, times[frames])
                for frames in (times if samples is not signals[-1] else [model.chunk_frames])
                for lookahead in (False, True)[: 1 + has_lookahead]
            ]
        )
        for samples in signals
    ]
    return start, found, *map(statistics.median, times.values())


def load(runtime: str, path: Path) -> Any:
    """Load a network, with all imports that it needs."""
    if runtime == "TensorFlow":
        from vad.training.release.packed import ServedModel

        version = max(path.iterdir(), key=lambda folder: int(folder.name))
        return ServedModel(version, json.loads((version / "card.json").read_text()))
    from vad.detection.model import Model

    return Model.load(path.name if runtime == "LiteRT" else path.with_name(f"{path.name}.onnx"))


def run(
    model: Any, frames: int, samples: npt.NDArray[np.float32], lookahead: bool, times: list[float]
) -> Probabilities:
    """The probabilities of the whole chunks of a recording, by calls of so many frames, whose times are added."""
    whole = len(samples) // (model.chunk_frames * model.frame_length) * model.chunk_frames
    blocks = samples[: whole * model.frame_length].reshape(-1, frames * model.frame_length)
    state, found, call = model.initial_state(), [], model.step if frames == 1 else model.chunk
    for block in blocks:
        began = time.perf_counter()
        probability, state = call(block, state, lookahead=lookahead)
        times.append(time.perf_counter() - began)
        found.append(np.atleast_1d(probability))
    return np.concatenate(found)


if __name__ == "__main__":
    sys.exit(main())
