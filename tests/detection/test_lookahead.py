"""The lookahead output: recordings use it, streams do not, and its probabilities are in step with the recording."""

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
BIAS = {"lookahead": tiny_model.LOOKAHEAD_BIAS, "low latency": tiny_model.BIAS}
both_outputs = pytest.mark.parametrize("output", BIAS)


@pytest.fixture(scope="session")
def detectors(lookahead_model_path: Path) -> dict[str, Detector]:
    """One network with its two outputs."""
    model = Model.load(lookahead_model_path)
    return {"lookahead": Detector(model), "low latency": Detector(model, lookahead=False)}


@both_outputs
@pytest.mark.parametrize("length", [FRAME, CHUNK], ids=["step", "chunk"])
def test_step_and_chunk_give_either_output(lookahead_model_path: Path, length: int, output: str) -> None:
    model, lookahead = Model.load(lookahead_model_path), output == "lookahead"
    samples = bursts()[: 10 * CHUNK]
    state, found = model.initial_state(), []
    for block in samples.reshape(-1, length):
        probability, state = (model.step if length == FRAME else model.chunk)(
            block, state, lookahead=lookahead
        )
        found.append(np.atleast_1d(probability))
    delay = model.lookahead_frames if lookahead else model.delay_frames
    expected = tiny_model.reference_probabilities(samples, BIAS[output])
    np.testing.assert_allclose(np.concatenate(found)[delay:], expected[:-delay], atol=1e-5)


def test_a_model_without_lookahead_output_refuses_to_give_it(model: Model) -> None:
    with pytest.raises(ModelError, match=r"without lookahead output\. Received: True for tiny\.$"):
        model.step(np.zeros(FRAME, np.float32), model.initial_state(), lookahead=True)


@both_outputs
@pytest.mark.parametrize("length", [0, 1, FRAME - 1, FRAME, FRAME + 1, CHUNK, 27 * FRAME + 5])
def test_every_frame_has_one_probability(detectors: dict[str, Detector], output: str, length: int) -> None:
    samples = bursts()[round(0.3 * RATE) :][:length]
    expected = tiny_model.reference_probabilities(samples, BIAS[output])
    np.testing.assert_allclose(detectors[output].probabilities(samples, RATE), expected, atol=1e-5)


def test_a_stream_uses_the_low_latency_output(detectors: dict[str, Detector]) -> None:
    for detector in detectors.values():
        events, probabilities = streamed(detector.stream(), [bursts()])
        expected = tiny_model.reference_probabilities(bursts(), tiny_model.BIAS)
        np.testing.assert_allclose(probabilities, expected, atol=1e-5)
        assert ends(events) == detectors["low latency"].detect(bursts(), RATE)
    assert ends(events) != detectors["lookahead"].detect(bursts(), RATE)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(0, round(DURATION * RATE)), max_size=12).map(sorted))
def test_any_cutting_gives_the_same_lookahead_output(
    detectors: dict[str, Detector], positions: list[int]
) -> None:
    samples, detector = bursts(), detectors["lookahead"]
    events, probabilities = streamed(detector.stream(lookahead=True), [samples])
    cut_events, cut_probabilities = streamed(detector.stream(lookahead=True), np.split(samples, positions))
    assert cut_events == events
    np.testing.assert_allclose(cut_probabilities, probabilities, atol=1e-5)
    assert ends(cut_events) == detector.detect(samples, RATE)


def test_decided_at_counts_the_delay_of_the_lookahead_output(detectors: dict[str, Detector]) -> None:
    """Fed one frame at a time, an event comes with the very frame that `decided_at` names."""
    stream = detectors["lookahead"].stream(lookahead=True)
    assert stream.delay == pytest.approx(0.1)
    samples, events = bursts(), []
    for position in range(0, len(samples), FRAME):
        events += [(event, stream.duration) for event in stream.feed(samples[position : position + FRAME])]
    assert len(events) >= 4
    for event, duration in events:
        assert event.decided_at == pytest.approx(duration)


@both_outputs
@pytest.mark.parametrize("rate", [RATE, 44100])
def test_a_file_is_analysed_as_its_samples_are(
    detectors: dict[str, Detector], output: str, rate: int, tmp_path: Path
) -> None:
    soundfile.write(tmp_path / "bursts.wav", bursts(rate), rate, subtype="FLOAT")
    found = detectors[output].detect_file(tmp_path / "bursts.wav")
    expected = detectors[output].detect(bursts(rate), rate)
    assert len(found) == len(expected) == {"lookahead": 3, "low latency": 2}[output]
    assert [one.start for one in found] == [one.start for one in expected]


@both_outputs
def test_a_reset_or_copied_stream_stays_what_it_was(detectors: dict[str, Detector], output: str) -> None:
    model, options = detectors[output].model, detectors[output].options
    stream = Stream(model, options, lookahead=output == "lookahead")
    stream.feed(bursts(seed=1))
    stream.reset()
    expected = tiny_model.reference_probabilities(bursts(), BIAS[output])
    np.testing.assert_allclose(streamed(stream.copy(), [bursts()])[1], expected, atol=1e-5)
    np.testing.assert_allclose(streamed(stream, [bursts()])[1], expected, atol=1e-5)


@pytest.mark.parametrize("late_frames", [None, 0])
def test_without_lookahead_output_files_and_streams_are_alike(
    late_frames: int | None, tmp_path: Path
) -> None:
    path = tiny_model.write(tmp_path, late_frames=late_frames)
    detector, low_latency = Detector(path), Detector(path, lookahead=False)
    assert detector.model.lookahead_frames == 0
    assert detector.stream(lookahead=True).delay == detector.stream().delay == pytest.approx(0.04)
    assert np.array_equal(detector.probabilities(bursts(), RATE), low_latency.probabilities(bursts(), RATE))


def test_the_module_functions_give_either_output(
    detectors: dict[str, Detector], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vad.detection.default.default_model", lambda: detectors["lookahead"].model)
    soundfile.write(tmp_path / "bursts.wav", bursts(), RATE, subtype="FLOAT")
    for output, detector in detectors.items():
        expected = detector.detect(bursts(), RATE)
        assert vad.detection.default.detect(bursts(), RATE, lookahead=output == "lookahead") == expected
        assert (
            vad.detection.default.detect_file(tmp_path / "bursts.wav", lookahead=output == "lookahead")
            == expected
        )


def test_sileros_offline_function_gives_the_detectors_output(detectors: dict[str, Detector]) -> None:
    durations = {"min_speech_duration_ms": 60, "min_silence_duration_ms": 80, "speech_pad_ms": 20}
    for detector in detectors.values():
        stamps = get_speech_timestamps(bursts(), SileroModel(detector), **durations)
        expected = detector.detect(bursts(), RATE)
        starts = [one["start"] / RATE for one in stamps]
        assert starts == pytest.approx([one.start for one in expected], abs=0.033)  # Silero's windows
