"""Results as two Parquet tables, one of segments and one of recordings: two files, or two folders of parts.

A part of the segments has those of the recordings in the part with the same name.
"""

import contextlib
import itertools
import math
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from vad.commands.detecting.analysis import Result
from vad.commands.detecting.milliseconds import in_milliseconds, milliseconds
from vad.commands.detecting.outputs import parquet_parts, parquet_tables
from vad.commands.detecting.recordings import AudioInput
from vad.detection.segments import Segment
from vad.files import writing

__all__ = ["ParquetResults", "open_parquet"]

_ROWS_PER_GROUP = 100_000
_ROWS_PER_PART = 1_000_000  # 10 to 20 MB


@contextlib.contextmanager
def open_parquet(path: Path) -> Iterator["ParquetResults"]:
    """Open both tables. They are complete at the end of the `with` statement, or not written.

    Args:
        path: The table of segments, or a folder for parts of both. `parquet_tables` has the names.

    Raises:
        ConfigError: One cannot be written.
    """
    tables = parquet_tables(path)
    if not path.is_dir():
        with ExitStack() as files:
            yield ParquetResults(iter([tables]), files, math.inf)
        return
    before = parquet_parts(path)
    numbers = itertools.count()
    with ExitStack() as files:
        names = (f"part-{number:05d}.parquet" for number in numbers)
        yield ParquetResults(((tables[0] / name, tables[1] / name) for name in names), files, _ROWS_PER_PART)
    end = f"part-{next(numbers):05d}"
    for part in before:
        if part.name >= end:  # there were more results before
            part.unlink()


class _Table:
    """A table that is written in groups of rows.

    Args:
        path: The file.
        columns: The types of its columns, as Arrow has them, by their names.

    Attributes:
        n_rows: Number of rows so far.
    """

    def __init__(self, path: Path, columns: dict[str, Any]):
        import pyarrow as pa
        import pyarrow.parquet as pq

        self.n_rows = 0
        self._schema = pa.schema(columns)
        self._rows: list[dict[str, object]] = []
        self._writer = pq.ParquetWriter(path, self._schema)

    def __enter__(self) -> "_Table":
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is None:
            self._write()
        self._writer.close()

    def add(self, **row: object) -> None:
        """Add a row."""
        self.n_rows += 1
        self._rows.append(row)
        if len(self._rows) == _ROWS_PER_GROUP:
            self._write()

    def _write(self) -> None:
        import pyarrow as pa

        self._writer.write_table(pa.Table.from_pylist(self._rows, self._schema))
        self._rows.clear()


class ParquetResults:
    """Results in the two tables; see `vad.commands.detecting.results.Results`.

    Args:
        paths: The files of each part: segments and recordings.
        files: Renames all files at its end.
        rows_per_part: A part ends with the recording that fills it.
    """

    def __init__(self, paths: Iterator[tuple[Path, Path]], files: ExitStack, rows_per_part: float):
        self._paths = paths
        self._files = files
        self._rows_per_part = rows_per_part
        self._part = ExitStack()
        self._begin_part()

    def _begin_part(self) -> None:
        import pyarrow as pa

        self._part.close()
        text, seconds = pa.string(), pa.float64()
        segments = {"recording": text, "channel": pa.int16(), "start": seconds, "end": seconds}
        recordings = {
            "recording": text,
            "duration": seconds,
            "segments": pa.int32(),
            "speech": seconds,
            "problem": text,
        }
        one, other = (self._files.enter_context(writing(path)) for path in next(self._paths))
        self._part = self._files.enter_context(ExitStack())
        self._segments = self._part.enter_context(_Table(one, segments))
        self._recordings = self._part.enter_context(_Table(other, recordings))

    def write_segment(self, recording: AudioInput, suffix: str, segment: Segment) -> None:
        """Do nothing: the rows of a recording are written together."""

    def write(self, result: Result) -> None:
        """Add a row for the recording, and one for each segment."""
        if max(self._segments.n_rows, self._recordings.n_rows) >= self._rows_per_part:
            self._begin_part()
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
