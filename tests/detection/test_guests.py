"""Guests in other programs: pickles and copies, forks, and event loops that have other work."""

import asyncio
import copy
import os
import pickle
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support import tiny_model
from support.bursts import RATE, bursts, ends, streamed

from vad.detection.detector import Detector
from vad.detection.model import Model
from vad.detection.segments import Event
from vad.errors import AudioError


@pytest.fixture(scope="module", params=["LiteRT", "onnxruntime"])
def model_path(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny model for each of the runtimes."""
    folder = tmp_path_factory.mktemp("guests")
    if request.param == "LiteRT":
        return tiny_model.write(folder)
    pytest.importorskip("onnxruntime")
    tiny_onnx = pytest.importorskip("support.tiny_onnx")
    return tiny_onnx.write(folder)


@pytest.fixture(scope="module")
def model(model_path: Path) -> Model:
    return Model.load(model_path)


@pytest.fixture(scope="module")
def detector(model: Model) -> Detector:
    return Detector(model)


def pickled(value: Any) -> Any:
    return pickle.loads(pickle.dumps(value))


def test_equal_detectors_pickle_equal_and_others_do_not(model_path: Path) -> None:
    """Caches take the bytes of a pickle for a key."""
    pickles = [pickle.dumps(Detector(path)) for path in (model_path, os.path.relpath(model_path))]
    pickles.append(pickle.dumps(pickle.loads(pickles[0])))
    assert len(set(pickles)) == 1
    assert pickle.dumps(Detector(model_path, threshold=0.4)) != pickles[0]
    assert pickle.dumps(Detector(model_path, lookahead=False)) != pickles[0]


@pytest.mark.parametrize("copy_of", [pickled, copy.copy, copy.deepcopy])
def test_a_copied_detector_is_the_same_detector(
    detector: Detector, copy_of: Callable[[Detector], Detector]
) -> None:
    copied = copy_of(detector)
    assert copied.options == detector.options
    np.testing.assert_array_equal(
        copied.probabilities(bursts(), RATE), detector.probabilities(bursts(), RATE)
    )
    assert pickle.dumps(copied) == pickle.dumps(detector)


def test_copies_share_the_network(detector: Detector) -> None:
    """A network takes megabytes, and 0.1 s to load."""
    assert copy.deepcopy([detector, detector.stream()])[0].model is detector.model
    content = pickle.dumps(detector)
    assert pickle.loads(content).model is pickle.loads(content).model


@pytest.mark.parametrize("copy_of", [pickled, copy.deepcopy])
def test_a_stream_whose_resampler_cannot_be_copied_says_so(
    detector: Detector, copy_of: Callable[[Any], Any]
) -> None:
    stream = detector.stream(44100, lookahead=True)
    with pytest.raises(AudioError, match="lookahead=False"):
        copy_of(stream)
    copy_of(detector.stream(RATE, lookahead=True))


def succeeds_in_a_fork(work: Callable[[], object]) -> bool:
    child = os.fork()
    if child == 0:
        signal.alarm(10)  # a child that hangs dies of it
        try:
            work()
        except BaseException:
            os._exit(1)
        os._exit(0)
    return os.waitpid(child, 0)[1] == 0


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_a_child_works_though_another_thread_ran_the_network_at_the_fork(
    model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    detector = Detector(model)
    listened = asyncio.run(listen(detector, [bursts()]))  # its threads do not survive the fork
    began = threading.Event()
    runner = model._runners["step"]

    def slow(**inputs: Any) -> Any:
        began.set()
        time.sleep(0.2)
        return runner(**inputs)

    monkeypatch.setitem(model._runners, "step", slow)
    thread = threading.Thread(target=model.step, args=(np.zeros(320, np.float32), model.initial_state()))
    thread.start()
    assert began.wait(10)
    monkeypatch.undo()

    def work() -> None:
        assert asyncio.run(listen(Detector(model), [bursts()])) == listened

    assert succeeds_in_a_fork(work)
    thread.join()
    work()


async def listen(detector: Detector, source: Any) -> list[Event]:
    return [event async for event in detector.listen(source)]


def test_waiting_sources_leave_the_default_executor_to_the_program(detector: Detector) -> None:
    released = threading.Event()

    def waiting() -> Iterator[np.ndarray]:
        assert released.wait(10)
        yield bursts()

    async def program() -> list[list[Event]]:
        with ThreadPoolExecutor(1) as pool:
            asyncio.get_running_loop().set_default_executor(pool)
            waiters = [asyncio.create_task(listen(detector, waiting())) for _ in range(40)]
            await asyncio.sleep(0.01)
            assert len(ends(await listen(detector, iter([bursts()])))) == 2
            await asyncio.wait_for(asyncio.to_thread(released.set), 10)
            return await asyncio.gather(*waiters)

    expected = streamed(detector.stream(), [bursts()])[0]
    assert asyncio.run(program()) == [expected] * 40


def test_a_cancelled_task_ends_though_its_source_waits_for_ever(detector: Detector) -> None:
    never = threading.Event()

    def waiting() -> Iterator[np.ndarray]:
        yield bursts()
        never.wait(60)

    async def program() -> None:
        await asyncio.wait_for(listen(detector, waiting()), 0.1)

    began = time.monotonic()
    with pytest.raises(TimeoutError):
        asyncio.run(program())
    assert time.monotonic() - began < 10
    never.set()
