"""Streams: one result, however the samples are cut and whoever else listens."""

import copy
import pickle
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import tiny_model
from support.bursts import DURATION, RATE, bursts, ends, streamed

from vad.detection.detector import Detector
from vad.detection.model import Model
from vad.detection.segments import Event, SpeechEnd, SpeechRejected, SpeechStart
from vad.detection.stream import Stream
from vad.errors import AudioError, ConfigError

FRAME = tiny_model.FRAME_LENGTH

cuts = st.lists(st.integers(0, round(DURATION * RATE)), max_size=12).map(sorted)


@settings(max_examples=60, deadline=None)
@given(cuts)
def test_any_cutting_gives_the_same_events_and_probabilities(
    detector: Detector, positions: list[int]
) -> None:
    samples = bursts()
    events, probabilities = streamed(detector.stream(), [samples])
    cut_events, cut_probabilities = streamed(detector.stream(), np.split(samples, positions))
    assert cut_events == events
    np.testing.assert_allclose(cut_probabilities, probabilities, atol=1e-5)
    assert ends(cut_events) == detector.detect(samples, RATE)


@settings(max_examples=20, deadline=None)
@given(cuts, st.sampled_from([8000, 11025, 22050, 44100, 48000]))
def test_any_cutting_at_another_rate_gives_the_same(
    detector: Detector, positions: list[int], rate: int
) -> None:
    samples = bursts(rate)
    events, probabilities = streamed(detector.stream(rate), [samples])
    cut_events, cut_probabilities = streamed(detector.stream(rate), np.split(samples, positions))
    assert cut_events == events
    np.testing.assert_allclose(cut_probabilities, probabilities, atol=1e-5)
    # A file is resampled by a sharper filter.
    for live, offline in zip(ends(events), detector.detect(samples, rate), strict=True):
        assert abs(live.start - offline.start) <= detector.frame_duration + 1e-9
        assert abs(live.end - offline.end) <= detector.frame_duration + 1e-9


def test_starts_come_before_ends_and_a_short_one_is_rejected(model: Model) -> None:
    detector = Detector(model, threshold=0.3, min_speech_duration_ms=200, min_silence_duration_ms=20)
    events, _ = streamed(detector.stream(), [bursts()])
    kinds = [type(event) for event in events]
    assert kinds == [SpeechStart, SpeechEnd, SpeechStart, SpeechRejected, SpeechStart, SpeechEnd]
    certain, _ = streamed(detector.stream(confirm_start=True), [bursts()])
    assert [type(event) for event in certain] == [SpeechStart, SpeechEnd] * 2
    assert ends(certain) == ends(events)


def test_decided_at_counts_the_models_delay(detector: Detector) -> None:
    """Fed one frame at a time, an event comes with the very frame that `decided_at` names."""
    stream = detector.stream()
    samples = bursts()
    events = []
    for position in range(0, len(samples), FRAME):
        events += [(event, stream.duration) for event in stream.feed(samples[position : position + FRAME])]
    assert len(events) >= 3
    for event, duration in events:
        assert event.decided_at == pytest.approx(duration)
    last = stream.finish()
    assert last
    assert all(event.decided_at <= stream.duration for event in last)


@pytest.mark.parametrize("rate", [8000, 44100, 48000, 192000])
def test_another_rate_costs_no_more_than_3_ms(detector: Detector, rate: int) -> None:
    stream = detector.stream(rate)
    events = []
    for piece in np.split(bursts(rate), np.arange(rate // 1000, round(DURATION * rate), rate // 1000)):
        events += [(event, stream.duration) for event in stream.feed(piece)]
    assert len(events) >= 3
    for event, duration in events:
        assert 0 <= duration - event.decided_at <= 0.003 + 0.001  # a piece is 1 ms


def test_the_clock_counts_samples_of_the_callers_rate(detector: Detector) -> None:
    stream = detector.stream(48000)
    stream.feed(np.zeros(480, np.float32))
    stream.feed(np.zeros((480, 2), np.float32))
    assert stream.duration == pytest.approx(0.02)


@settings(max_examples=20, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(1, 4000)), min_size=1, max_size=30))
def test_streams_of_one_detector_are_independent(detector: Detector, turns: list[tuple[int, int]]) -> None:
    recordings = [bursts(seed=seed) for seed in range(4)]
    streams = [detector.stream() for _ in recordings]
    positions = [0] * 4
    events: list[list[Event]] = [[], [], [], []]
    for index, length in turns:
        block = recordings[index][positions[index] : positions[index] + length]
        events[index] += streams[index].feed(block)
        positions[index] += len(block)
    for index, stream in enumerate(streams):
        alone = detector.stream()
        expected = alone.feed(recordings[index][: positions[index]]) + alone.finish()
        assert events[index] + stream.finish() == expected


def test_threads_give_the_results_of_one_thread(detector: Detector) -> None:
    recordings = [bursts(seed=seed) for seed in range(6)]
    alone = [detector.probabilities(samples, RATE) for samples in recordings]
    together = [np.zeros(0)] * 6

    def process(index: int) -> None:
        blocks = np.array_split(recordings[index], 40)
        together[index] = streamed(detector.stream(), blocks)[1]

    threads = [threading.Thread(target=process, args=(index,)) for index in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for one, other in zip(together, alone, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)


@pytest.mark.parametrize("finished", [False, True])
@pytest.mark.parametrize("rate", [RATE, 48000])
def test_reset_is_a_fresh_stream(detector: Detector, finished: bool, rate: int) -> None:
    samples = bursts(rate)
    stream = detector.stream(rate)
    stream.feed(samples[:12345])
    if finished:
        stream.finish()
    stream.reset()
    assert stream.duration == 0
    events, probabilities = streamed(stream, [samples])
    fresh_events, fresh_probabilities = streamed(detector.stream(rate), [samples])
    assert events == fresh_events
    assert np.array_equal(probabilities, fresh_probabilities)


def test_the_caller_may_use_its_buffer_again(detector: Detector) -> None:
    samples = np.random.default_rng(0).uniform(-0.2, 0.2, 30 * FRAME).astype(np.float32)
    buffer = np.empty(
        FRAME // 2 * 3, np.float32
    )  # every other block ends with a frame, and the next has a rest
    stream = detector.stream()
    probabilities = []
    for position in range(0, len(samples), len(buffer)):
        block = samples[position : position + len(buffer)]
        buffer[: len(block)] = block
        stream.feed(buffer[: len(block)])
        probabilities.append(stream.probabilities)
    stream.finish()
    together = np.concatenate([*probabilities, stream.probabilities])
    np.testing.assert_allclose(together, detector.probabilities(samples, RATE), atol=1e-5)


def pickled(stream: Stream) -> Stream:
    copied = pickle.loads(pickle.dumps(stream))
    assert isinstance(copied, Stream)
    return copied


@settings(max_examples=20, deadline=None)
@given(
    st.integers(0, 28000),
    st.sampled_from([16000, 8000, 44100]),
    st.sampled_from([Stream.copy, copy.deepcopy, pickled]),
)
def test_a_copy_resumes_where_it_was_made(
    detector: Detector, cut: int, rate: int, copy_of: Callable[[Stream], Stream]
) -> None:
    samples = bursts(rate)
    stream = detector.stream(rate, keep_audio_s=0.5)
    before = stream.feed(samples[:cut])
    copied = copy_of(stream)
    stream.feed(np.full(5000, 0.5, np.float32))  # must not change the copy
    stream.finish()
    rest = copied.feed(samples[cut:])
    tail = copied.audio(DURATION - 0.4)
    assert before + rest + copied.finish() == streamed(detector.stream(rate), [samples])[0]
    np.testing.assert_array_equal(tail, samples[round((DURATION - 0.4) * rate) :])


@settings(max_examples=30, deadline=None)
@given(cuts)
def test_audio_gives_back_what_led_up_to_a_start(detector: Detector, positions: list[int]) -> None:
    samples = bursts()
    stream = detector.stream(keep_audio_s=1.0)
    for block in np.split(samples, positions):
        for event in stream.feed(block):
            if isinstance(event, SpeechEnd) and event.segment.start >= stream.duration - 1.0:
                first, stop = (round(time * RATE) for time in (event.segment.start, event.segment.end))
                np.testing.assert_array_equal(
                    stream.audio(event.segment.start, event.segment.end), samples[first:stop]
                )
        kept_from = max(0.0, stream.duration - 1.0)
        np.testing.assert_array_equal(
            stream.audio(kept_from), samples[round(kept_from * RATE) : round(stream.duration * RATE)]
        )


def test_audio_is_bounded_and_says_what_is_gone(detector: Detector) -> None:
    stream = detector.stream(keep_audio_s=0.5)
    stream.feed(bursts())
    assert len(stream.audio(-1.0, 0.0)) == 0, "there is nothing before the beginning"
    assert len(stream.audio(1.5, 99.0)) == round(0.27 * RATE)
    with pytest.raises(AudioError, match=r"0\.5 s.*start=1\.000.*1\.770"):
        stream.audio(1.0)
    unkept = detector.stream()
    unkept.feed(bursts())
    with pytest.raises(AudioError, match="Give the stream more keep_audio_s"):
        unkept.audio(0.0)
    with pytest.raises(ConfigError, match=r"keep_audio_s.*0.*keep_audio_s=-1"):
        detector.stream(keep_audio_s=-1)


def test_bad_samples_are_not_used(detector: Detector) -> None:
    samples = bursts()
    stream = detector.stream()
    events = stream.feed(samples[:5000])
    with pytest.raises(AudioError, match=r"samples.*0\.313"):
        stream.feed(np.array([0.1, np.nan], np.float32))
    assert stream.duration == 5000 / RATE
    assert events + stream.feed(samples[5000:]) + stream.finish() == streamed(detector.stream(), [samples])[0]


def test_a_finished_stream_says_so(detector: Detector) -> None:
    stream = detector.stream()
    stream.feed(bursts())
    assert stream.finish()
    assert stream.finish() == []
    with pytest.raises(AudioError, match=r"Call reset\(\)"):
        stream.feed(bursts())


def test_a_thousand_streams_in_threads_keep_apart(detector: Detector) -> None:
    """Each stream moves between threads, and none changes another."""
    recordings = [bursts(seed=seed)[: round(0.45 * RATE)] for seed in range(4)]
    streams = [detector.stream() for _ in range(1000)]
    events: list[list[Event]] = [[] for _ in streams]

    def feed(index: int, part: int) -> None:
        events[index] += streams[index].feed(np.array_split(recordings[index % 4], 3)[part])

    with ThreadPoolExecutor(4) as pool:
        for part in range(3):
            list(pool.map(feed, range(1000), [part] * 1000))
    for seed, samples in enumerate(recordings):
        expected = detector.stream().feed(samples)
        assert len(expected) == 1
        assert all(events[index] == expected for index in range(seed, 1000, 4))
