"""The work of a job that can resume: large recordings in pieces, and the same results from any executor."""

from collections.abc import Generator, Sequence
from pathlib import Path, PurePath

import pytest
import soundfile
from support.sounds import RATE, long_speech, noise

from vad.commands.detecting.analysis import Analyser, Piece, Result
from vad.commands.detecting.job import Outcome, WorkItem, divided, finished
from vad.commands.detecting.recordings import AudioInput, Task
from vad.commands.detecting.work import sizes_of
from vad.commands.options.progress import Progress
from vad.detection import pieces
from vad.detection.detector import Detector


@pytest.fixture(autouse=True)
def short_overlap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pieces, "OVERLAP_S", 20.0)


@pytest.fixture(scope="module")
def tiny() -> Detector:
    return Detector("tiny")


def tasks_of(folder: Path, levels: Sequence[float]) -> list[Task]:
    """A short recording and a long one of two channels."""
    soundfile.write(folder / "short.wav", noise(3 * RATE), RATE)
    soundfile.write(folder / "long.wav", long_speech(122, RATE, levels), RATE)
    names = [str(folder / name) for name in ("short.wav", "long.wav")]
    return [Task(AudioInput(name, name, PurePath(name))) for name in names]


class Counter(Progress):
    """A progress bar that tells how many recordings it counted."""

    counted = 0

    def advance(self, duration: float = 0.0, n_bytes: int = 0, *, count: int = 1) -> None:
        self.counted += count
        super().advance(duration, n_bytes, count=count)


def results_of(
    tasks: list[Task], analyser: Analyser, *, failing: int = 0
) -> tuple[list[Result], list[WorkItem]]:
    """Do a job for three workers, backwards; so many pieces fail. Also give what was executed."""
    executed: list[WorkItem] = []

    def execute(items: Sequence[WorkItem]) -> Generator[tuple[WorkItem, Outcome], None, None]:
        for number, item in enumerate(reversed(items)):
            executed.append(item)
            yield item, None if isinstance(item, Piece) and number < failing else analyser.work(item)

    sizes = sizes_of(task.recording for task in tasks)
    with Counter(len(tasks)) as progress:
        results = [*finished(tasks, analyser, execute, sizes=sizes, workers=3, progress=progress)]
    assert progress.counted == len(tasks)
    return sorted(results, key=lambda result: result.recording.name, reverse=True), executed


@pytest.mark.parametrize("channel", ["mix", "each"])
def test_a_recording_larger_than_a_workers_share_is_done_in_pieces(
    tiny: Detector, tmp_path: Path, channel: str
) -> None:
    tasks = tasks_of(tmp_path, [0.02, 1.0, 0.002] * 5)
    analyser = Analyser(lambda: tiny, channel, None, chunk_duration_s=2)  # type: ignore[arg-type]
    results, executed = results_of(tasks, analyser)
    assert sum(isinstance(item, Piece) for item in executed) == (3 if channel == "mix" else 6)
    assert [item for item in executed if isinstance(item, Task)] == tasks[:1]
    assert results == [analyser(task) for task in tasks]
    assert any(results[1].channels.values())


@pytest.mark.parametrize(("levels", "failing"), [([2.0, 0.01, 0.01, 0.01], 0), ([0.1], 1)])
def test_pieces_that_do_not_fit_or_fail_are_done_in_one_pass(
    tiny: Detector, tmp_path: Path, levels: list[float], failing: int
) -> None:
    tasks = tasks_of(tmp_path, levels)[1:]
    analyser = Analyser(lambda: tiny, "mix", None)
    results, executed = results_of(tasks, analyser, failing=failing)
    assert executed[-1] is tasks[0]
    assert results == [analyser(tasks[0])]


def test_large_recordings_come_first(tiny: Detector, tmp_path: Path) -> None:
    tasks = tasks_of(tmp_path, [0.1])
    analyser = Analyser(lambda: tiny, "mix", None)
    sizes = sizes_of(task.recording for task in tasks)
    assert divided(tasks, analyser, sizes, 1) == tasks[::-1]
