"""Speed: figures are medians of rounds, ratios are of pairs, and a stream of hops is the system that is measured."""

import re
from dataclasses import replace
from importlib.metadata import distributions

import numpy as np
import pytest
from support.places import EXAMPLES

from vad.audio.reading import read_audio
from vad.detection.detector import Detector
from vad.evaluation.benchmark.speed import (
    STAGES,
    SystemSpeed,
    measure_system,
    measure_systems,
    stage_table,
    system_table,
)
from vad.evaluation.benchmark.systems import PEERS, model_systems

SPEED = SystemSpeed("first", 0.1, 100.0, 0.02, (1e-3, 2e-3, 3e-3), 10_000_000, 500_000)


def rows(markdown: str) -> list[list[str]]:
    return [re.split(r"\s*\|\s*", line.strip("| ")) for line in markdown.splitlines()[2:]]


def test_a_round_on_a_slow_machine_changes_no_ratio() -> None:
    first = [replace(SPEED, times_real_time=speed) for speed in (100.0, 10.0, 100.0)]
    second = [replace(SPEED, name="second", times_real_time=speed) for speed in (50.0, 5.0, 900.0)]
    table = rows(system_table([first, second]))
    assert [row[:3] for row in table] == [["first", "100", "1.00"], ["second", "50", "0.50"]]
    assert table[0][4:8] == ["20 ms", "1.000 ms", "2.000 ms", "3.000 ms"]


def test_the_stages_of_a_recording_are_all_measured() -> None:
    (row,) = rows(stage_table({"tiny": Detector("tiny")}, [EXAMPLES / "stereo.flac"], rounds=1))
    seconds = [float(cell.removesuffix(" s")) for cell in row[1:]]
    assert len(seconds) == len(STAGES) + 1
    assert seconds[-1] == pytest.approx(sum(seconds[:-1]), abs=0.01)
    assert seconds[STAGES.index("graph")] > 0


@pytest.mark.parametrize(("name", "index"), [("tiny", 0), ("webrtc", None)])
def test_a_system_is_measured_whole_and_by_hops(name: str, index: int | None) -> None:
    if index is None and not any(distributions(name="webrtcvad-wheels")):
        pytest.skip("needs webrtcvad-wheels")
    samples = read_audio(EXAMPLES / "clip.wav", sample_rate=16_000)
    speed = measure_system(name, index, samples)
    assert speed.times_real_time > 1
    assert 0 < speed.latencies_s[0] <= speed.latencies_s[2] < speed.hop_s
    assert speed.installed_bytes > 10_000
    system = PEERS[name]() if index is None else model_systems(name)[index]
    assert system.by_hops is not None
    hops, score = system.by_hops(samples[: 20 * system.hop])
    assert len([score(hop) for hop in hops]) == 20
    assert np.isclose(speed.hop_s * 16_000, system.hop)


def test_memory_is_that_of_the_system_whatever_this_process_has_had() -> None:
    peak = np.ones(60_000_000)  # 480 MB, which getrusage would hand down
    del peak
    samples = read_audio(EXAMPLES / "clip.wav", sample_rate=16_000)
    (speed,), _ = measure_systems(["tiny"], [], samples, rounds=1)
    assert 2e6 < speed.memory_bytes < 200e6
