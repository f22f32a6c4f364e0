"""Quiet recordings are turned up before the network gets them, by what is loudest within a minute."""

import types
from pathlib import Path
from typing import cast

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.bursts import RATE, streamed
from support.places import EXAMPLES

from vad.audio.reading import read_audio
from vad.detection.detector import Detector
from vad.detection.lookahead_gain import AHEAD_S, MOST_DB, TARGET_DBFS, LookaheadGain
from vad.detection.model import Model

Samples = npt.NDArray[np.float32]


def sound(*parts: tuple[float, float]) -> Samples:
    """Noise: seconds, dBFS."""
    rng = np.random.default_rng(1)
    return np.concatenate(
        [rng.standard_normal(round(s * RATE)) * 10 ** (dbfs / 20) for s, dbfs in parts]
    ).astype(np.float32)


def turned_up(model: Model, samples: Samples, cuts: list[int] | None = None) -> Samples:
    gain = LookaheadGain(model)
    return np.concatenate([*map(gain.feed, np.split(samples, cuts or [])), gain.finish()])


def gain_db(model: Model, samples: Samples, at_s: float) -> float:
    """The gain at a time."""
    at = round(at_s * RATE)
    return float(20 * np.log10(turned_up(model, samples)[at] / samples[at]))


def test_a_quiet_recording_comes_to_the_target(model: Model) -> None:
    quiet = sound((5.0, -60.0))
    assert gain_db(model, quiet, 3.0) == pytest.approx(TARGET_DBFS + 60.0, abs=1.0)
    assert gain_db(model, quiet * np.float32(0.3), 3.0) == pytest.approx(
        gain_db(model, quiet, 3.0) - 20 * np.log10(0.3), abs=0.01
    )


def test_a_recording_and_the_same_softer_become_the_same(model: Model) -> None:
    quiet = sound((3.0, -70.0), (2.0, -45.0), (4.0, -75.0))
    softer = turned_up(model, quiet * np.float32(0.1))
    np.testing.assert_allclose(softer, turned_up(model, quiet), rtol=1e-4)


def test_a_loud_recording_stays_as_it_is(model: Model) -> None:
    loud = sound((3.0, -70.0), (0.5, -30.0), (4.0, -75.0))
    np.testing.assert_array_equal(turned_up(model, loud), loud)


@pytest.mark.parametrize(("length_s", "is_turned_up"), [(0.1, True), (0.3, False)])
def test_a_word_sets_the_level_and_a_click_does_not(
    model: Model, length_s: float, is_turned_up: bool
) -> None:
    samples = sound((2.0, -60.0), (length_s, -20.0), (2.0, -60.0))
    assert (gain_db(model, samples, 0.5) > 20.0) == is_turned_up


def test_a_short_recording_is_judged_by_half_of_it(model: Model) -> None:
    assert gain_db(model, sound((0.1, -60.0)), 0.05) == pytest.approx(24.0, abs=2.0)
    one_hop = sound((0.01, -60.0))
    np.testing.assert_array_equal(turned_up(model, one_hop), one_hop)


def test_an_offset_counts_because_it_is_turned_up_too(model: Model) -> None:
    samples = sound((3.0, -80.0)) + np.float32(0.05)
    np.testing.assert_array_equal(turned_up(model, samples), samples)


@pytest.mark.parametrize("frame_length", [160, 100])
def test_chunks_shorter_than_a_hop_have_their_level_too(frame_length: int) -> None:
    model = types.SimpleNamespace(chunk_frames=1, frame_length=frame_length, sample_rate=RATE)
    samples = sound((3.0, -26.0))
    np.testing.assert_array_equal(turned_up(cast("Model", model), samples), samples)


def test_the_gain_has_a_limit_and_samples_stay_in_range(model: Model) -> None:
    assert gain_db(model, sound((2.0, -100.0)), 1.0) == pytest.approx(MOST_DB)
    click = sound((1.0, -100.0), (0.01, -10.0), (1.0, -100.0))
    assert np.abs(turned_up(model, click)).max() == 1.0
    np.testing.assert_array_equal(turned_up(model, np.zeros(RATE, np.float32)), np.zeros(RATE, np.float32))


def test_a_pause_of_a_loud_recording_is_turned_up_slowly(model: Model) -> None:
    samples = sound((1.0, -20.0), (300.0, -70.0))
    assert gain_db(model, samples, 200.0) == pytest.approx(0.0)
    assert 2.0 < gain_db(model, samples, 270.0) < 6.0
    assert gain_db(model, samples, 280.0) - gain_db(model, samples, 270.0) == pytest.approx(1.0, abs=0.2)


def test_what_comes_within_a_minute_counts(model: Model) -> None:
    before = sound((40.0, -60.0), (2.0, -20.0))
    assert gain_db(model, before, 5.0) == pytest.approx(0.0)
    after = sound((AHEAD_S + 30.0, -60.0), (2.0, -20.0))
    assert gain_db(model, after, 5.0) > 20.0
    assert gain_db(model, after, 60.0) == pytest.approx(0.0)


def test_no_more_than_a_minute_is_held_back(model: Model) -> None:
    chunk_s = 1.2  # the least number of the model's chunks that is a second or more, and some
    quiet, loud = LookaheadGain(model), LookaheadGain(model)
    held = 100.0 - len(quiet.feed(sound((100.0, -60.0)))) / RATE
    assert AHEAD_S - chunk_s <= held <= AHEAD_S + chunk_s
    assert 100.0 - len(loud.feed(sound((100.0, -20.0)))) / RATE < chunk_s


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.integers(0, 90 * RATE), max_size=12).map(sorted),
    st.sampled_from([-20.0, -33.0, -50.0]),
)
def test_any_cutting_gives_the_same_samples(model: Model, cuts: list[int], dbfs: float) -> None:
    samples = sound((2.0, -70.0), (0.4, dbfs), (70.0, -65.0), (0.5, -40.0), (17.0, -90.0))
    np.testing.assert_array_equal(turned_up(model, samples, cuts), turned_up(model, samples))
    blocks = list(LookaheadGain(model).blocks(np.split(samples, cuts), 20_000))
    assert {len(block) for block in blocks[:-1]} == {20_000}
    np.testing.assert_array_equal(np.concatenate(blocks), turned_up(model, samples))


def test_a_recording_is_turned_up_and_a_stream_is_not(tmp_path: Path) -> None:
    """The example 45 dB softer, in noise of a room that is turned down too."""
    clip = read_audio(EXAMPLES / "clip.wav", sample_rate=RATE)
    noisy = clip + sound((len(clip) / RATE, -45.0))
    soft = (noisy * 10 ** (-45 / 20)).astype(np.float32)
    detector, low_latency = Detector(), Detector(lookahead=False)
    as_recorded, softer = (detector.probabilities(one, RATE) for one in (noisy, soft))
    assert np.mean((as_recorded > 0.5) == (softer > 0.5)) > 0.95
    assert np.mean(softer > 0.5) > 0.2
    _, streamed_probabilities = streamed(low_latency.stream(), [soft])
    assert np.array_equal(streamed_probabilities, low_latency.probabilities(soft, RATE))
    assert np.mean(streamed_probabilities > 0.5) < np.mean(softer > 0.5)
