"""How fast the systems of a benchmark are, how soon they start, and how much memory and disk they take.

Each measurement runs in a process of its own, the systems in turn, round after round: a machine that becomes slower
slows all of them. All figures are medians of the rounds. Times are processor time, of all threads.
"""

from __future__ import annotations

import contextlib
import importlib.metadata
import itertools
import multiprocessing
import resource
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vad.audio.acoustics import SAMPLE_RATE, Samples
from vad.audio.decoding import decoded_blocks, open_decoder
from vad.audio.resampling import Resampler
from vad.audio.samples import MonoInput
from vad.detection.detector import Detector
from vad.detection.lookahead_gain import LookaheadGain
from vad.detection.segmenter import segments_from_probabilities
from vad.detection.stream import ProbabilityStream
from vad.evaluation.benchmark.systems import PEERS, System, model_systems
from vad.evaluation.benchmark.tables import table
from vad.labels import dumps

__all__ = [
    "ROUNDS",
    "STAGES",
    "SystemSpeed",
    "measure_system",
    "measure_systems",
    "stage_table",
    "system_table",
]

ROUNDS = 5
STAGES = ("decode", "resample", "turn up", "graph", "segmenter", "write")
_HEADINGS = (
    *("system", "x real time", "of the first", "start-up", "hop", "a hop: median", "p95", "p99"),
    *("memory", "installed"),
)


@dataclass(frozen=True)
class SystemSpeed:
    """What one process measured.

    Attributes:
        name: The system's name.
        start_s: Seconds to load it and to process its first second, after numpy was loaded.
        times_real_time: Seconds of audio per second.
        hop_s: Seconds of audio of a hop; 0 where the system takes whole recordings alone.
        latencies_s: Median, 95th and 99th percentile of the time of a hop.
        memory_bytes: The most memory of the process, less what it had before it loaded the system.
        installed_bytes: Of the model's files or the package.
    """

    name: str
    start_s: float
    times_real_time: float
    hop_s: float
    latencies_s: tuple[float, float, float]
    memory_bytes: int
    installed_bytes: int


def measure_systems(
    models: Sequence[str], peers: Sequence[str], samples: Samples, rounds: int = ROUNDS
) -> list[list[SystemSpeed]]:
    """Measure each system in a new process, in turn.

    Args:
        models: Names or paths.
        peers: Keys of `vad.evaluation.benchmark.systems.PEERS`.
        samples: At 16 kHz.
        rounds: How often.

    Returns:
        The rounds of each system.
    """
    openings: list[tuple[str, int | None]] = [
        (name, index) for name in models for index in range(len(model_systems(name)))
    ]
    openings += [(peer, None) for peer in peers]
    context = multiprocessing.get_context("spawn")  # a fork would have loaded everything
    measured: list[list[SystemSpeed]] = [[] for _ in openings]
    for _, (place, opening) in itertools.product(range(rounds), enumerate(openings)):
        with context.Pool(1) as pool:
            measured[place].append(pool.apply(measure_system, (*opening, samples)))
    return measured


def measure_system(name: str, index: int | None, samples: Samples) -> SystemSpeed:
    """Measure one system in this process, once.

    Args:
        name: Of a model or its path, or a key of `vad.evaluation.benchmark.systems.PEERS`.
        index: Which of the model's systems (`model_systems`); None for one of `PEERS`.
        samples: At 16 kHz. [shape=(samples,)]
    """
    before = _peak_bytes()
    began = time.process_time()
    system: System = PEERS[name]() if index is None else model_systems(name)[index]
    system.process(samples[:SAMPLE_RATE])
    start_s = time.process_time() - began
    began = time.process_time()
    system.process(samples)
    spent = time.process_time() - began
    costs = [0.0]
    if system.by_hops is not None:
        frames, score = system.by_hops(samples)
        costs = [_time_of(score, frame) for frame in frames]
    latencies = tuple(float(value) for value in np.percentile(costs, [50, 95, 99]))
    return SystemSpeed(
        system.name,
        start_s,
        len(samples) / SAMPLE_RATE / max(spent, 1e-9),
        system.hop / SAMPLE_RATE,
        (latencies[0], latencies[1], latencies[2]),
        _peak_bytes() - before,
        _installed_bytes(system),
    )


def _peak_bytes() -> int:
    """The peak of this process. On Linux, getrusage's is handed down by the process that started this one."""
    if (status := Path("/proc/self/status")).exists():
        return 1024 * int(status.read_text(encoding="utf-8").partition("VmHWM:")[2].split()[0])
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def _time_of(call: Callable[[object], object], value: object) -> float:
    began = time.thread_time()
    call(value)
    return time.thread_time() - began


def _installed_bytes(system: System) -> int:
    """The bytes of the model's file, or of the package's files."""
    if system.file is not None:
        return system.file.stat().st_size
    if not system.package:
        return 0
    files = importlib.metadata.files(system.package) or []
    return sum(path.stat().st_size for one in files if (path := Path(str(one.locate()))).is_file())


def system_table(measured: Sequence[Sequence[SystemSpeed]]) -> str:
    """A Markdown table of the medians, in pairs with the first system."""
    rows = []
    for of_system in measured:
        one = of_system[0]
        ratio = statistics.median(
            other.times_real_time / first.times_real_time
            for first, other in zip(measured[0], of_system, strict=True)
        )
        hops = [""] * 4
        if one.hop_s:
            latencies = [
                statistics.median(each) for each in zip(*(s.latencies_s for s in of_system), strict=True)
            ]
            hops = [f"{1000 * one.hop_s:.0f} ms", *(f"{1000 * seconds:.3f} ms" for seconds in latencies)]
        rows.append([
            one.name,
            f"{statistics.median(s.times_real_time for s in of_system):,.0f}",
            f"{ratio:.2f}",
            f"{statistics.median(s.start_s for s in of_system):.2f} s",
            *hops,
            f"{statistics.median(s.memory_bytes for s in of_system) / 1e6:.0f} MB",
            f"{one.installed_bytes / 1e6:.1f} MB" if one.installed_bytes else "",
        ])  # fmt: skip
    return table(_HEADINGS, rows)


def _measure_stages(detector: Detector, paths: Sequence[Path]) -> dict[str, float]:
    """Seconds of each stage of `vad detect` for an hour of audio, on one thread: one pass over recordings.

    Raises:
        AudioError: A recording cannot be read.
    """
    spent = dict.fromkeys(STAGES, 0.0)
    duration = 0.0

    @contextlib.contextmanager
    def stage(name: str) -> Iterator[None]:
        began = time.process_time()
        yield
        spent[name] += time.process_time() - began

    for path in paths:
        with open_decoder(path) as decoder:
            mono = MonoInput(decoder.sample_rate, channels=decoder.channels)
            resampler = Resampler(decoder.sample_rate, detector.sample_rate)
            gain = LookaheadGain(detector.model)
            stream = ProbabilityStream(detector.model, lookahead=detector.lookahead)
            blocks, found = decoded_blocks(decoder, detector.block_duration), []
            while True:
                with stage("decode"):
                    block = next(blocks, None)
                with stage("resample"):
                    samples = resampler.finish() if block is None else resampler.feed(mono.feed(block))
                with stage("turn up"):
                    samples = gain.feed(samples)
                    if block is None:
                        samples = np.concatenate([samples, gain.finish()])
                with stage("graph"):
                    found.append(stream.feed(samples))
                if block is None:
                    break
            with stage("graph"):
                probabilities = np.concatenate([*found, stream.finish()])
        with stage("segmenter"):
            segments = segments_from_probabilities(probabilities, detector.frame_duration, detector.options)
        with stage("write"):
            dumps(segments, "text")
        duration += len(probabilities) * detector.frame_duration
    return {name: seconds / duration * 3600 for name, seconds in spent.items()}


def stage_table(detectors: Mapping[str, Detector], paths: Sequence[Path], rounds: int = ROUNDS) -> str:
    """A Markdown table of the stages, medians of rounds in which the models take turns."""
    measured = [{name: _measure_stages(one, paths) for name, one in detectors.items()} for _ in range(rounds)]
    rows = []
    for name in detectors:
        medians = [statistics.median(of_round[name][stage] for of_round in measured) for stage in STAGES]
        rows.append([name, *(f"{seconds:.3f} s" for seconds in (*medians, sum(medians)))])
    return table(("an hour of audio", *STAGES, "all"), rows)
