"""Streams in asynchronous programs, and streams that last."""

import asyncio
import gc
import threading
import tracemalloc
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.bursts import bursts, ends, streamed

import vad
from vad.detection.detector import Detector
from vad.detection.segments import Event, SpeechEnd
from vad.errors import AudioError


def test_an_asynchronous_program_gets_all_events(detector: Detector) -> None:
    blocks = np.array_split(bursts(), 30)

    async def pieces() -> AsyncIterator[np.ndarray]:
        for block in blocks:
            await asyncio.sleep(0)
            yield block

    async def listen(source: Any, **options: Any) -> list[Event]:
        return [event async for event in detector.listen(source, **options)]

    async def listen_to_several() -> list[list[Event]]:
        return await asyncio.gather(*(listen(source) for source in (pieces(), iter(blocks), blocks)))

    expected = streamed(detector.stream(), [bursts()])[0]
    assert asyncio.run(listen_to_several()) == [expected] * 3
    confirmed = asyncio.run(listen(iter(blocks), confirm_start=True))
    assert confirmed == streamed(detector.stream(confirm_start=True), [bursts()])[0]


def test_a_source_that_waits_does_not_hold_up_the_event_loop(detector: Detector) -> None:
    released = threading.Event()

    def waiting() -> Iterator[np.ndarray]:
        assert released.wait(10)
        yield bursts()

    async def program() -> list[Event]:
        events = asyncio.create_task(collect())
        await asyncio.sleep(0.01)
        released.set()  # reached only because the source waits elsewhere
        return await events

    async def collect() -> list[Event]:
        return [event async for event in detector.listen(waiting())]

    assert len(ends(asyncio.run(program()))) == 2


def test_an_error_of_the_source_reaches_the_program(detector: Detector) -> None:
    async def program() -> None:
        async for _ in detector.listen([np.full(400, np.nan)]):
            pass

    with pytest.raises(AudioError, match="finite"):
        asyncio.run(program())


def held_by_vad() -> int:
    """Bytes that the lines of the package hold; other tests may still run threads that allocate memory."""
    gc.collect()
    package = tracemalloc.Filter(inclusive=True, filename_pattern=str(Path(vad.__file__).parent / "*"))
    snapshot = tracemalloc.take_snapshot().filter_traces([package])
    return sum(line.size for line in snapshot.statistics("filename"))


@pytest.mark.parametrize("rate", [16000, 44100])
def test_a_long_stream_does_not_drift_and_does_not_grow(detector: Detector, rate: int) -> None:
    """The same 2 s again and again: the same probabilities, the same segments 2 s later, the same memory."""
    period = np.zeros(2 * rate, np.float32)
    period[: len(bursts(rate))] = bursts(rate)
    block = rate // 10  # whole frames, so that each round is cut like the one before
    stream = detector.stream(rate, keep_audio_s=1.0)
    first: np.ndarray | None = None
    expected: list[tuple[float, float]] = []
    memory = []
    tracemalloc.start()
    for number in range(140):
        events: list[Event] = []
        blocks = []
        for position in range(0, len(period), block):
            events += stream.feed(period[position : position + block])
            blocks.append(stream.probabilities)
        probabilities = np.concatenate(blocks)
        found = [
            (event.segment.start - 2 * number, event.segment.end - 2 * number)
            for event in events
            if isinstance(event, SpeechEnd)
        ]
        if number == 1:
            first, expected = probabilities, found
        if first is not None:
            np.testing.assert_allclose(probabilities, first, atol=1e-5)
            np.testing.assert_allclose(found, expected, atol=1e-9)
        if number in (49, 139):
            memory.append(held_by_vad())
    tracemalloc.stop()
    assert len(expected) == 2
    assert memory[1] - memory[0] < 20_000, "a float a frame would be 36,000"
