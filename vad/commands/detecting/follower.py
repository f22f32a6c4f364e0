"""What a user sees while `vad detect` works on a recording in its own process: segments, and the position."""

from collections.abc import Callable

from vad.commands.detecting.analysis import OutputError
from vad.commands.detecting.recordings import AudioInput
from vad.commands.options.progress import Progress
from vad.detection.segments import Segment

__all__ = ["Follower"]


class Follower:
    """Writes segments as they come, and moves the progress bar; see `vad.commands.detecting.analysis.Watcher`.

    Args:
        take_segment: Takes each segment, as `Results.write_segment` does; None if they are not written as they come.
        progress: The bar.
    """

    def __init__(self, take_segment: Callable[[AudioInput, str, Segment], None] | None, progress: Progress):
        self._take_segment = take_segment
        self._progress = progress

    def on_segment(self, recording: AudioInput, suffix: str, segment: Segment) -> None:
        """Write a segment, and perhaps play it.

        Raises:
            OutputError: It cannot be written or played.
        """
        if self._take_segment is None:
            return
        self._progress.clear()
        try:
            self._take_segment(recording, suffix, segment)
        except OSError as error:
            raise OutputError(error) from error

    def on_position(self, seconds: float, duration: float | None, stage: str) -> None:
        """Show the position."""
        self._progress.show_position(seconds, duration, stage)
