"""Late decisions: files wait for them, whoever listens does not, and each is told on the recording's own clock."""

from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st
from support import tiny_model
from support.bursts import DURATION, RATE, bursts, ends, streamed

import vad.detection.detector
from vad.compat import SileroModel, get_speech_timestamps
from vad.detection.detector import Detector
from vad.detection.model import Model
from vad.detection.stream import Stream
from vad.errors import ModelError

FRAME = tiny_model.FRAME_LENGTH
CHUNK = tiny_model.CHUNK_FRAMES * FRAME
BIAS = {"late": tiny_model.LATE_BIAS, "live": tiny_model.BIAS}


@pytest.fixture(scope="session")
def detectors(late_model_path: Path) -> dict[str, Detector]:
    """One network, heard late as files are, and live."""
    model = Model.load(late_model_path)
    return {"late": Detector(model), "live": Detector(model, lookahead=False)}


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("length", [FRAME, CHUNK], ids=["step", "chunk"])
def test_step_and_chunk_give_either_decision(late_model_path: Path, length: int, late: bool) -> None:
    model = Model.load(late_model_path)
    samples = bursts()[: 10 * CHUNK]
    state, found = model.initial_state(), []
    for block in samples.reshape(-1, length):
        probability, state = (model.step if length == FRAME else model.chunk)(block, state, lookahead=late)
        found.append(np.atleast_1d(probability))
    delay = model.lookahead_frames if late else model.delay_frames
    expected = tiny_model.reference_probabilities(samples, BIAS["late" if late else "live"])
    np.testing.assert_allclose(np.concatenate(found)[delay:], expected[:-delay], atol=1e-5)


def test_a_model_without_late_decisions_is_not_asked_for_one(model: Model) -> None:
    with pytest.raises(ModelError, match=r"without lookahead output\. Received: True for tiny\.$"):
        model.step(np.zeros(FRAME, np.float32), model.initial_state(), lookahead=True)


@pytest.mark.parametrize("way", ["late", "live"])
@pytest.mark.parametrize("length", [0, 1, FRAME - 1, FRAME, FRAME + 1, CHUNK, 27 * FRAME + 5])
def test_every_frame_has_its_decision_and_there_is_none_more(
    detectors: dict[str, Detector], way: str, length: int
) -> None:
    samples = bursts()[round(0.3 * RATE) :][:length]
    expected = tiny_model.reference_probabilities(samples, BIAS[way])
    np.testing.assert_allclose(detectors[way].probabilities(samples, RATE), expected, atol=1e-5)


def test_a_stream_waits_for_no_late_decision(detectors: dict[str, Detector]) -> None:
    for detector in detectors.values():
        events, probabilities = streamed(detector.stream(), [bursts()])
        expected = tiny_model.reference_probabilities(bursts(), tiny_model.BIAS)
        np.testing.assert_allclose(probabilities, expected, atol=1e-5)
        assert ends(events) == detectors["live"].detect(bursts(), RATE)
    assert ends(events) != detectors["late"].detect(bursts(), RATE)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(0, round(DURATION * RATE)), max_size=12).map(sorted))
def test_any_cutting_gives_the_same_late_decisions(
    detectors: dict[str, Detector], positions: list[int]
) -> None:
    samples, detector = bursts(), detectors["late"]
    events, probabilities = streamed(detector.stream(lookahead=True), [samples])
    cut_events, cut_probabilities = streamed(detector.stream(lookahead=True), np.split(samples, positions))
    assert cut_events == events
    np.testing.assert_allclose(cut_probabilities, probabilities, atol=1e-5)
    assert ends(cut_events) == detector.detect(samples, RATE)


def test_decided_at_counts_the_late_delay(detectors: dict[str, Detector]) -> None:
    """Fed one frame at a time, an event comes with the very frame that `decided_at` names."""
    stream = detectors["late"].stream(lookahead=True)
    assert stream.delay == pytest.approx(0.1)
    samples, told = bursts(), []
    for position in range(0, len(samples), FRAME):
        told += [(event, stream.duration) for event in stream.feed(samples[position : position + FRAME])]
    assert len(told) >= 4
    for event, heard in told:
        assert event.decided_at == pytest.approx(heard)


@pytest.mark.parametrize("way", ["late", "live"])
@pytest.mark.parametrize("rate", [RATE, 44100])
def test_a_file_is_heard_as_its_samples_are(
    detectors: dict[str, Detector], way: str, rate: int, tmp_path: Path
) -> None:
    soundfile.write(tmp_path / "bursts.wav", bursts(rate), rate, subtype="FLOAT")
    found = detectors[way].detect_file(tmp_path / "bursts.wav")
    expected = detectors[way].detect(bursts(rate), rate)
    assert len(found) == len(expected) == {"late": 3, "live": 2}[way]
    assert [one.start for one in found] == [one.start for one in expected]


@pytest.mark.parametrize("way", ["late", "live"])
def test_a_reset_or_copied_stream_stays_what_it_was(detectors: dict[str, Detector], way: str) -> None:
    model, options = detectors[way].model, detectors[way].options
    stream = Stream(model, options, lookahead=way == "late")
    stream.feed(bursts(seed=1))
    stream.reset()
    expected = tiny_model.reference_probabilities(bursts(), BIAS[way])
    np.testing.assert_allclose(streamed(stream.copy(), [bursts()])[1], expected, atol=1e-5)
    np.testing.assert_allclose(streamed(stream, [bursts()])[1], expected, atol=1e-5)


@pytest.mark.parametrize("late_frames", [None, 0])
def test_a_card_without_late_decisions_is_heard_alike_in_files_and_live(
    late_frames: int | None, tmp_path: Path
) -> None:
    path = tiny_model.write(tmp_path, late_frames=late_frames)
    detector, live = Detector(path), Detector(path, lookahead=False)
    assert detector.model.lookahead_frames == 0
    assert detector.stream(lookahead=True).delay == detector.stream().delay == pytest.approx(0.04)
    assert np.array_equal(detector.probabilities(bursts(), RATE), live.probabilities(bursts(), RATE))


def test_the_module_functions_hear_live_when_asked(
    detectors: dict[str, Detector], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vad.detection.detector._default_model", lambda: detectors["late"].model)
    soundfile.write(tmp_path / "bursts.wav", bursts(), RATE, subtype="FLOAT")
    for way, detector in detectors.items():
        expected = detector.detect(bursts(), RATE)
        assert vad.detection.detector.detect(bursts(), RATE, lookahead=way == "late") == expected
        assert (
            vad.detection.detector.detect_file(tmp_path / "bursts.wav", lookahead=way == "late") == expected
        )


def test_sileros_offline_function_hears_as_the_detector_does(detectors: dict[str, Detector]) -> None:
    durations = {"min_speech_duration_ms": 60, "min_silence_duration_ms": 80, "speech_pad_ms": 20}
    for detector in detectors.values():
        stamps = get_speech_timestamps(bursts(), SileroModel(detector), **durations)
        expected = detector.detect(bursts(), RATE)
        assert [one["start"] for one in stamps] == [round(one.start * RATE) for one in expected]
