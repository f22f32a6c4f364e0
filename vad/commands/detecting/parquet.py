"""Results as two Parquet tables: one of segments, and one of recordings beside it."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from vad.commands.detecting.analysis import Result
from vad.commands.detecting.milliseconds import in_milliseconds, milliseconds
from vad.commands.detecting.outputs import recordings_table
from vad.commands.detecting.recordings import AudioInput
from vad.detection.segments import Segment
from vad.files import writing

__all__ = ["ParquetResults", "open_parquet"]

_ROWS_PER_GROUP = 100_000


@contextlib.contextmanager
def open_parquet(path: Path) -> Iterator["ParquetResults"]:
    """Open both tables. They are complete at the end of the `with` statement, or not written.

    Args:
        path: The table of segments. `recordings_table` is the other one.

    Raises:
        ConfigError: One cannot be written.
    """
    import pyarrow as pa

    text, seconds = pa.string(), pa.float64()
    segments = {"recording": text, "channel": pa.int16(), "start": seconds, "end": seconds}
    recordings = {
        "recording": text,
        "duration": seconds,
        "segments": pa.int32(),
        "speech": seconds,
        "problem": text,
    }
    with (
        writing(path) as one,
        writing(recordings_table(path)) as other,
        _Table(one, pa.schema(segments)) as table,
        _Table(other, pa.schema(recordings)) as of_recordings,
    ):
        yield ParquetResults(table, of_recordings)


class _Table:
    """A table that is written in groups of rows.

    Args:
        path: The file.
        schema: Its columns, as an Arrow schema.
    """

    def __init__(self, path: Path, schema: Any):
        import pyarrow.parquet as pq

        self._schema = schema
        self._rows: list[dict[str, object]] = []
        self._writer = pq.ParquetWriter(path, schema)

    def __enter__(self) -> "_Table":
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is None:
            self._write()
        self._writer.close()

    def add(self, **row: object) -> None:
        """Add a row."""
        self._rows.append(row)
        if len(self._rows) == _ROWS_PER_GROUP:
            self._write()

    def _write(self) -> None:
        import pyarrow as pa

        self._writer.write_table(pa.Table.from_pylist(self._rows, self._schema))
        self._rows.clear()


class ParquetResults:
    """Results in the two tables; see `vad.commands.detecting.results.Results`."""

    def __init__(self, segments: _Table, recordings: _Table):
        self._segments = segments
        self._recordings = recordings

    def write_segment(self, recording: AudioInput, suffix: str, segment: Segment) -> None:
        """Do nothing: the rows of a recording are written together."""

    def write(self, result: Result) -> None:
        """Add a row for the recording, and one for each segment."""
        name = _valid(result.recording.name)
        count, speech = 0, 0.0
        for suffix, found in result.channels.items():
            channel = int(suffix.removeprefix(".ch")) if suffix else None
            for segment in map(in_milliseconds, found):
                count, speech = count + 1, speech + segment.end - segment.start
                self._segments.add(recording=name, channel=channel, start=segment.start, end=segment.end)
        self._recordings.add(
            recording=name,
            duration=milliseconds(result.duration),
            segments=count,
            speech=round(speech, 3),
            problem=result.problem and _valid(result.problem),
        )


def _valid(text: str) -> str:
    """Write bytes of a file name that are not UTF-8 as JSON escapes them."""
    return text.encode(errors="backslashreplace").decode()
