"""The detector: the network's probabilities and the segments, whatever the type, rate and length of the samples."""

import re
from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr
from hypothesis import given, settings
from hypothesis import strategies as st
from support import tiny_model
from support.bursts import RATE, bursts

import vad.detection.default
import vad.detection.detector
from vad.detection.detector import Detector
from vad.detection.model import Model
from vad.detection.stream import ProbabilityStream
from vad.errors import AudioError, ConfigError, ModelError

FRAME = tiny_model.FRAME_LENGTH


def test_probabilities_are_the_networks_on_the_recordings_own_clock(detector: Detector) -> None:
    samples = bursts()
    probabilities = detector.probabilities(samples, RATE)
    assert probabilities.dtype == np.float32
    np.testing.assert_allclose(probabilities, tiny_model.reference_probabilities(samples), atol=1e-5)


@pytest.mark.parametrize(
    "length", [1, FRAME - 1, FRAME, FRAME + 1, 8 * FRAME - 1, 8 * FRAME, 8 * FRAME + 1, 27 * FRAME]
)
def test_every_frame_has_a_probability_the_last_one_too(detector: Detector, length: int) -> None:
    samples = bursts()[round(0.3 * RATE) :][:length]
    probabilities = detector.probabilities(samples, RATE)
    assert len(probabilities) == -(-length // FRAME)
    np.testing.assert_allclose(probabilities, tiny_model.reference_probabilities(samples), atol=1e-5)


def test_another_rate_is_the_resampled_recording(detector: Detector) -> None:
    samples = bursts(44100)
    expected = detector.probabilities(soxr.resample(samples, 44100, RATE), RATE)
    np.testing.assert_allclose(detector.probabilities(samples, 44100), expected, atol=1e-5)


@settings(max_examples=200, deadline=None)
@given(st.integers(1, 3000), st.sampled_from([4000, 8000, 11025, 12345, 16000, 44100, 48000, 192000]))
def test_any_length_at_any_rate_ends_within_the_recording(detector: Detector, length: int, rate: int) -> None:
    samples = np.full(length, 0.5, np.float32)
    loud = Detector(detector.model, min_speech_duration_ms=0)
    segments = loud.detect(samples, rate)
    assert len(loud.probabilities(samples, rate)) >= 1
    assert all(0 <= segment.start < segment.end <= length / rate for segment in segments)


def test_the_bursts_are_found(detector: Detector) -> None:
    segments = detector.detect(bursts(), RATE)
    assert len(segments) == 2
    # The tiny network's average needs some frames to rise and to fall.
    assert segments[0].start == pytest.approx(0.3, abs=0.06)
    assert segments[0].end == pytest.approx(0.7, abs=0.3)
    assert segments[1].start == pytest.approx(1.5, abs=0.06)


def test_an_open_segment_ends_with_the_recording_not_with_its_last_frame(detector: Detector) -> None:
    samples = bursts()
    assert len(samples) % FRAME != 0
    assert detector.detect(samples, RATE)[-1].end == len(samples) / RATE


def test_twice_is_the_same_to_the_last_bit(model_path: Path) -> None:
    runs = [Detector(model_path).probabilities(bursts(), RATE) for _ in range(2)]
    assert np.array_equal(*runs)


def test_int16_is_float_over_32768(detector: Detector) -> None:
    quantised = np.round(bursts() * 32767).astype(np.int16)
    scaled = quantised.astype(np.float32) / 32768
    assert np.array_equal(detector.probabilities(quantised, RATE), detector.probabilities(scaled, RATE))
    assert detector.detect(quantised, RATE) == detector.detect(scaled, RATE)


def test_channels_are_mixed(detector: Detector) -> None:
    samples = bursts()
    stereo = np.stack([samples, np.zeros_like(samples)], axis=1)
    assert np.array_equal(detector.probabilities(stereo, RATE), detector.probabilities(samples / 2, RATE))


def test_nothing_has_no_speech(detector: Detector) -> None:
    nothing = np.zeros(0, np.float32)
    for rate in (RATE, 48000):
        assert detector.probabilities(nothing, rate).shape == (0,)
        assert detector.detect(nothing, rate) == []
        assert detector.stream(rate).finish() == []


@pytest.mark.parametrize("rate", [0, -16000, 100, 10**7])
def test_a_rate_at_which_nobody_records(detector: Detector, rate: int) -> None:
    for call in (detector.stream, lambda rate: detector.detect([0.0], rate)):
        with pytest.raises(AudioError, match=f"4000.*384000.*{rate}"):
            call(rate)


def test_operating_points_and_options(model: Model) -> None:
    assert Detector(model).options.threshold == 0.5
    assert Detector(model, "precise").options.threshold == 0.8
    eager = Detector(model, "eager", speech_pad_ms=0)
    assert (eager.options.threshold, eager.options.speech_pad_ms) == (0.2, 0)
    assert eager.options.min_speech_duration_ms == 60
    assert Detector(model, threshold=0.0).options.threshold == 0.0


@pytest.mark.parametrize(
    ("options", "reason"),
    [({"treshold": 0.5}, "threshold"), ({"threshold": 1.5}, r"threshold=1\.5")],
)
def test_a_bad_operating_point_of_a_card_names_the_model(
    tmp_path: Path, options: dict[str, float], reason: str
) -> None:
    path = tiny_model.write(tmp_path, segment_options={"balanced": options})
    with pytest.raises(ModelError, match="operating point 'balanced' of the model 'tiny'") as caught:
        Detector(path)
    assert re.search(reason, str(caught.value))


def test_unknown_operating_point_names_the_nearest(model: Model) -> None:
    with pytest.raises(ConfigError, match=r"operating_point='precice'.*precise"):
        Detector(model, "precice")


def test_unknown_option_names_the_nearest(model: Model) -> None:
    with pytest.raises(ConfigError, match=r"treshold=0\.4.*threshold"):
        Detector(model, treshold=0.4)
    with pytest.raises(ConfigError, match=r"threshold.*0.*1.*threshold=1\.5"):
        Detector(model, threshold=1.5)


def test_unknown_model() -> None:
    with pytest.raises(ModelError, match="model='nothing like it'"):
        Detector("nothing like it")


@pytest.mark.parametrize("rate", [RATE, 44100])
def test_a_file_is_its_samples(detector: Detector, tmp_path: Path, rate: int) -> None:
    samples = np.stack([bursts(rate), 0.8 * bursts(rate)], axis=1)
    path = tmp_path / "bursts.wav"
    soundfile.write(path, samples, rate, subtype="FLOAT")
    found = detector.detect_file(path)
    expected = detector.detect(samples, rate)
    assert len(found) == len(expected) == 2
    for one, other in zip(found, expected, strict=True):
        assert one.start == other.start
        assert one.end == pytest.approx(other.end, abs=1 / RATE)
    right = detector.detect_file(path, channel=1)
    assert right[0] == detector.detect(samples[:, 1], rate)[0]


def test_a_long_file_is_read_in_flat_memory(
    detector: Detector, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lengths = []

    class Watched(ProbabilityStream):
        def feed(self, samples: np.ndarray) -> np.ndarray:
            lengths.append(len(samples))
            return super().feed(samples)

    monkeypatch.setattr("vad.detection.stream.ProbabilityStream", Watched)
    path = tmp_path / "long.wav"
    soundfile.write(path, np.tile(bursts(), 40), RATE)
    assert len(detector.detect_file(path)) >= 40
    *whole, end = lengths
    chunk = tiny_model.CHUNK_FRAMES * FRAME
    assert len(whole) >= 2
    assert all(length % chunk == 0 and length <= 21 * RATE for length in whole), "chunks only, and few"
    assert end < 1.2 * RATE


def test_module_functions_load_thedefault_model_once(
    model: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loads = []

    def load(name: str = "default") -> Model:
        loads.append(name)
        return model

    monkeypatch.setattr(Model, "load", load)
    vad.detection.default.default_model.cache_clear()
    try:
        samples = bursts()
        path = tmp_path / "bursts.wav"
        soundfile.write(path, samples, RATE, subtype="FLOAT")
        found = vad.detection.default.detect(samples, RATE)
        assert found == Detector(model).detect(samples, RATE)
        assert vad.detection.default.detect_file(path) == found
        assert vad.detection.default.detect(
            samples, RATE, operating_point="precise", speech_pad_ms=0
        ) == Detector(model, "precise", speech_pad_ms=0).detect(samples, RATE)
    finally:
        vad.detection.default.default_model.cache_clear()
    assert loads == ["default"]
