"""One pass over a recording: whatever it comes as, the same detection; damage keeps what came before."""

import io
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st
from support.bursts import DURATION, RATE, bursts, ends, streamed

import vad
from vad.detection.detection import Detection
from vad.detection.detector import Detector
from vad.detection.model import Model
from vad.detection.options import SegmentOptions
from vad.detection.segmenter import Segmenter, segments_from_probabilities
from vad.detection.segments import Segment, SpeechEnd
from vad.errors import AudioError


def same(one: Detection, other: Detection) -> bool:
    return (one.duration, one.frame_duration, one.segments) == (
        other.duration,
        other.frame_duration,
        other.segments,
    ) and np.allclose(one.probabilities, other.probabilities, atol=1e-5)


def test_a_detection_is_all_that_the_other_calls_give(detector: Detector, tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", bursts(), RATE, subtype="FLOAT")
    detection = detector.process(tmp_path / "a.wav")
    assert detection.duration == pytest.approx(DURATION)
    assert detection.frame_duration == detector.frame_duration
    assert detection.probabilities.dtype == np.float32
    assert np.array_equal(detection.probabilities, detector.probabilities(bursts(), RATE))
    assert detection.segments == detector.detect(bursts(), RATE) == detector.detect_file(tmp_path / "a.wav")
    assert len(detection.segments) == 2


def test_segments_are_given_as_soon_as_they_are_complete(detector: Detector, tmp_path: Path) -> None:
    fed: list[int] = []
    given_at: list[tuple[int, Segment]] = []

    def blocks() -> Iterator[np.ndarray]:
        for block in np.array_split(bursts(), 40):
            fed.append(1)
            yield block

    detection = detector.process(blocks(), RATE, on_segment=lambda one: given_at.append((len(fed), one)))
    assert [one for _, one in given_at] == detection.segments
    assert given_at[0][0] < given_at[1][0] <= 40
    soundfile.write(tmp_path / "a.wav", bursts(), RATE, subtype="FLOAT")
    of_file: list[Segment] = []
    assert detector.process(tmp_path / "a.wav", on_segment=of_file.append).segments == of_file


KINDS: dict[str, Callable[[np.ndarray, Path], object]] = {
    "path as text": lambda samples, path: str(path),
    "binary stream": lambda samples, path: io.BytesIO(path.read_bytes()),
    "array": lambda samples, path: samples,
    "list": lambda samples, path: samples.tolist(),
    "list of blocks of one length": lambda samples, path: [*np.split(samples[:28_000], 7), samples[28_000:]],
    "generator of blocks": lambda samples, path: (block for block in np.array_split(samples, 11)),
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_recording_may_come_as(kind: str, detector: Detector, tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    soundfile.write(path, bursts(), RATE, subtype="FLOAT")
    recording = KINDS[kind](bursts(), path)
    rate = None if "path" in kind or "stream" in kind else RATE
    assert same(detector.process(recording, rate), detector.process(path))


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.integers(0, round(DURATION * 44100)), max_size=8).map(sorted), st.sampled_from([RATE, 44100])
)
def test_any_cutting_gives_the_same(detector: Detector, positions: list[int], rate: int) -> None:
    samples = bursts(rate)
    expected = detector.process(samples, rate)
    assert same(detector.process(np.split(samples, positions), rate), expected)
    events, probabilities = streamed(detector.stream(rate, lookahead=True), np.split(samples, positions))
    assert ends(events) == expected.segments
    np.testing.assert_allclose(probabilities, expected.probabilities, atol=1e-5)


def test_a_channel_of_samples_and_of_blocks_is_the_files(detector: Detector, tmp_path: Path) -> None:
    stereo = np.stack([0 * bursts(), bursts()], axis=1)
    soundfile.write(tmp_path / "a.wav", stereo, RATE, subtype="FLOAT")
    expected = detector.process(bursts(), RATE)
    for recording, rate in ((tmp_path / "a.wav", None), (stereo, RATE), (np.array_split(stereo, 3), RATE)):
        assert same(detector.process(recording, rate, channel=1), expected)
    assert detector.process(stereo, RATE, channel=0).segments == []


def cut_flac(path: Path, samples: np.ndarray) -> Path:
    soundfile.write(path, samples, RATE)
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])
    return path


@pytest.mark.parametrize("gain", [1.0, 0.01], ids=["loud", "turned up"])
def test_damage_keeps_what_came_before(detector: Detector, tmp_path: Path, gain: float) -> None:
    samples = gain * np.tile(bursts(), 4)
    path = cut_flac(tmp_path / "cut.flac", samples)
    with pytest.raises(AudioError) as error:
        detector.process(path)
    partial = error.value.partial
    assert 1.0 < partial.duration < 4 * DURATION
    assert len(partial.probabilities) == -(
        -round(partial.duration * RATE) // round(detector.frame_duration * RATE)
    )
    before = samples[: round(partial.duration * RATE)]
    assert partial.segments[:1] == detector.detect(before, RATE)[:1]


def test_a_bad_block_keeps_what_came_before_and_a_bad_first_one_nothing(detector: Detector) -> None:
    bad = np.full(10, np.nan, np.float32)
    with pytest.raises(AudioError, match=r"nan at 1\.770 s") as error:
        detector.process([bursts(), bad], RATE)
    assert same(error.value.partial, detector.process(bursts(), RATE))
    with pytest.raises(AudioError) as error:
        detector.process([bad, bursts()], RATE)
    assert error.value.partial is None


def test_memory_does_not_grow_with_the_blocks(detector: Detector) -> None:
    def minutes(count: int) -> Iterator[np.ndarray]:
        for _ in range(2 * count):
            yield np.zeros(30 * RATE, np.float32)

    peaks = []
    for count in (2, 20):
        tracemalloc.start()
        detector.process(minutes(count), RATE)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    # 18 minutes are 69 MB of samples, and 0.2 MB of probabilities.
    assert peaks[1] - peaks[0] < 2e6


@settings(max_examples=50, deadline=None)
@given(st.lists(st.floats(0, 1), max_size=60), st.floats(0.01, 1))
def test_segments_from_probabilities_are_the_segmenters(values: list[float], part: float) -> None:
    options = SegmentOptions(min_speech_duration_ms=40, min_silence_duration_ms=60)
    duration = (len(values) - 1 + part) * 0.02
    segmenter = Segmenter(options, 0.02)
    events = segmenter.feed(values)
    events += segmenter.finish(duration) if values else []
    expected = [event.segment for event in events if isinstance(event, SpeechEnd)]
    assert segments_from_probabilities(np.array(values), 0.02, options, duration) == expected


def test_segments_from_probabilities_are_the_detectors(detector: Detector) -> None:
    found = detector.process(bursts(), RATE)
    again = segments_from_probabilities(
        found.probabilities, found.frame_duration, detector.options, found.duration
    )
    assert again == found.segments


def test_objects_print_what_they_are(model: Model) -> None:
    assert repr(Segment(3.7700000000000005, 5.95)) == "Segment(start=3.77, end=5.95)"
    assert repr(vad.SpeechStart(np.float64(0.1) + 0.2, 1.0)) == "SpeechStart(time=0.3, decided_at=1.0)"
    detector = Detector(model, threshold=0.25)
    assert repr(detector).startswith("Detector(model='tiny', threshold=0.25, neg_threshold=")
    assert len(repr(detector.process(bursts(), RATE)).splitlines()) == 1


def test_old_names_work_and_give_the_new_ones(lookahead_model_path: Path, tmp_path: Path) -> None:
    new = Detector(lookahead_model_path, lookahead=False)
    with pytest.warns(DeprecationWarning, match="lookahead=False") as caught:
        old = Detector(lookahead_model_path, live=True)
    assert caught[0].filename == __file__
    assert old.detect(bursts(), RATE) == new.detect(bursts(), RATE)
    with pytest.warns(DeprecationWarning, match="lookahead"):
        assert old.live
    with pytest.warns(DeprecationWarning, match=r"stream\(lookahead=True\)"):
        stream = Detector(lookahead_model_path).file_stream()
    assert stream.delay == Detector(lookahead_model_path).stream(lookahead=True).delay > new.stream().delay
    with pytest.warns(DeprecationWarning, match="lookahead_frames"):
        assert new.model.late_frames == new.model.lookahead_frames == 5
    with pytest.warns(DeprecationWarning, match="lookahead=False") as caught:
        vad.detect(bursts(), RATE, live=True)
    assert caught[0].filename == __file__
