"""What the readers and writers of all label formats share: entries, broken lines, times, names and tiers."""

import functools
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Protocol, TypeVar, TypeVarTuple

from vad.detection.segments import Segment
from vad.errors import LabelError, shown
from vad.labels.turns import is_speech_tier

__all__ = [
    "NON_SPEECH_LABELS",
    "Entry",
    "Malformed",
    "Reader",
    "cell_to_path",
    "choose_tiers",
    "filled_lines",
    "is_number",
    "line_reader",
    "one_word",
    "parse_seconds",
    "parse_times",
    "past_end",
    "path_to_cell",
    "read_each",
    "require_name",
    "require_within",
    "seconds",
    "split_columns",
    "start_and_duration",
]

# In lower case: what Praat ("silent"), the forced aligners ("sil", "sp", "<p:>"), Kaldi ("<eps>"), Festival ("pau"),
# NeMo ("background"), AVA-Speech ("no_speech") and annotators write. "spn" is speech that an aligner could not spell.
NON_SPEECH_LABELS: Final = frozenset({
    "sil", "<sil>", "[sil]", "silence", "<silence>", "[silence]", "silent", "sp", "<sp>", "<p:>", "<p>", "pause", "pau",
    "<eps>", "non-speech", "nonspeech", "non_speech", "no speech", "no_speech", "background", "noise", "<noise>",
    "[noise]", "music", "[music]",
})  # fmt: skip
"""Labels that mean no speech."""

_NUMBER = re.compile(r"\s*[-+]?(\d++\.?\d*+|\.\d++)([eE][-+]?\d++)?+\s*")
_FORMULA = re.compile(r"(\./)*[=+@-]")
_FAR_S = 3600.0  # less than this past the end may be rounding, or a recording that was cut


@dataclass(frozen=True, slots=True)
class Entry:
    """One labelled segment.

    Attributes:
        line: Its line in the file, from 1.
        start: Seconds.
        end: Seconds.
        uri: The recording's name; None where the file does not say.
        label: The text of the label; None where the format has none.
        speaker: The speaker's name; None where the file does not say.
    """

    line: int
    start: float
    end: float
    uri: str | None = None
    label: str | None = None
    speaker: str | None = None

    @property
    def is_speech(self) -> bool:
        """It has a length, and its label is not one of ``NON_SPEECH_LABELS``."""
        silent = self.label is not None and self.label.strip().lower() in NON_SPEECH_LABELS
        return self.start < self.end and not silent


class Malformed(Exception):  # noqa: N818 (it never leaves the package: LabelError does)
    """A line that breaks a rule of its format. `vad.labels` turns it into a LabelError with the file's name."""

    def __init__(self, line: int, rule: str) -> None:
        super().__init__(rule)
        self.line = line
        self.rule = rule


Reader = Callable[[str], Iterator[Entry | Malformed]]
"""Gives the entries of a text, and the lines that are broken. It raises Malformed where all of the text is unusable."""

_Arguments = TypeVarTuple("_Arguments")


def past_end(start: float, end: float, duration: float) -> str:
    """The message for a segment that lies hours past the end of its recording; "" for any other."""
    if not end > duration + _FAR_S:
        return ""
    rule = f"a segment must lie in its recording, which ends at {duration:g} s"
    return f"{rule}. Received: {start:g} to {end:g} s. Are these samples, or another recording's times?"


def require_within(segments: Iterable[Segment], duration: float, source: str) -> None:
    """Refuse labels that belong to another recording, or count samples.

    Args:
        segments: The labels.
        duration: Length of their recording in seconds.
        source: The name of the labels in messages.

    Raises:
        LabelError: A segment lies hours past the recording's end.
    """
    for segment in segments:
        if rule := past_end(segment.start, segment.end, duration):
            raise LabelError(f"{source}: {rule}")


def read_each(
    read: Callable[[*_Arguments], Entry | None], items: Iterable[tuple[*_Arguments]]
) -> Iterator[Entry | Malformed]:
    """Read lines, rows or cues one by one, and go on after a broken one.

    Args:
        read: Reads one item; None where it holds no entry.
        items: The arguments of each call.
    """
    for item in items:
        try:
            entry = read(*item)
        except Malformed as error:
            yield error
        else:
            if entry is not None:
                yield entry


def line_reader(comment: str | None = None) -> Callable[[Callable[[int, str], Entry | None]], Reader]:
    """Make the reader of a text from a function that reads one line, given its number and its text.

    Args:
        comment: Lines that begin with this are skipped.
    """

    def decorate(read_line: Callable[[int, str], Entry | None]) -> Reader:
        @functools.wraps(read_line)
        def read(text: str) -> Iterator[Entry | Malformed]:
            lines = filled_lines(text)
            return read_each(
                read_line, (one for one in lines if not (comment and one[1].lstrip().startswith(comment)))
            )

        return read

    return decorate


def filled_lines(text: str) -> Iterator[tuple[int, str]]:
    """Number the lines from 1 and skip the blank ones."""
    return ((number, line) for number, line in enumerate(text.split("\n"), 1) if line.strip())


def split_columns(number: int, line: str, counts: Collection[int], rule: str, *, most: int = -1) -> list[str]:
    """Split a line at its blanks.

    Args:
        number: The line's number.
        line: Its text.
        counts: The numbers of columns that are allowed.
        rule: The message where there are fewer or more.
        most: Blanks to split at; the last column keeps the others. -1 splits at all.

    Raises:
        Malformed: The number of columns is wrong.
    """
    fields = line.split(maxsplit=most)
    if len(fields) not in counts:
        raise Malformed(number, f"{rule}. Received: {len(fields)} field{'' if len(fields) == 1 else 's'}.")
    return fields


def is_number(text: str) -> bool:
    """Whether a text is a decimal number, blanks around it allowed."""
    return _NUMBER.fullmatch(text) is not None


def parse_seconds(text: str, name: str, line: int) -> float:
    """Read a time.

    Raises:
        Malformed: It is not a number.
    """
    try:
        return float(text.replace("_", "?"))  # Python would read 1_000
    except ValueError:
        raise Malformed(line, f"{name} must be a number of seconds. Received: {shown(text)}.") from None


def parse_times(fields: Sequence[str], line: int, *, with_duration: bool = False) -> tuple[float, float]:
    """Read the start and the end from the first two fields.

    Args:
        fields: The fields.
        line: Their line.
        with_duration: The second field is the duration.

    Raises:
        Malformed: One is not a number.
    """
    start = parse_seconds(fields[0], "start", line)
    if not with_duration:
        return start, parse_seconds(fields[1], "end", line)
    # Rounded to a nanosecond, so that 0.1 + 0.2 is 0.3 again.
    return start, round(start + parse_seconds(fields[1], "duration", line), 9)


class _Named(Protocol):
    @property
    def name(self) -> str: ...


_Tier = TypeVar("_Tier", bound=_Named)


def choose_tiers(
    tiers: Sequence[_Tier], name: str | None, default: Sequence[_Tier], rule: str
) -> Sequence[_Tier]:
    """Choose the tiers to read.

    Args:
        tiers: All tiers of the file.
        name: The tier that was asked for; None takes ``speech`` (in any case) or its channels, or else the default.
        default: Read where nobody asked and no tier is called so.
        rule: The message where there is none.

    Raises:
        Malformed: There is no such tier.
    """
    if name is None:
        chosen = [tier for tier in tiers if is_speech_tier(tier.name)] or default
    else:
        chosen = [tier for tier in tiers if tier.name == name]
    if not chosen:
        wanted = "" if name is None else f" named {name!r}"
        names = ", ".join(repr(tier.name) for tier in tiers) or "none"
        raise Malformed(1, f"{rule}{wanted}. Received: {names}.")
    return chosen


def one_word(uri: str) -> str:
    """Write a recording's name with underscores for blanks."""
    return "_".join(uri.split())


def require_name(uri: str, format: str) -> str:
    """The recording's name in one word, for a format that other programs cannot read without it.

    Raises:
        LabelError: There is no name.
    """
    if not uri.strip():
        raise LabelError(f"{format} needs the name of the recording. Received: uri={uri!r}.")
    return one_word(uri)


def seconds(time: float) -> str:
    """Write a time with three to six decimals."""
    text = f"{time:.6f}"
    return text[:-3] + text[-3:].rstrip("0")


def path_to_cell(path: str) -> str:
    """Write a path so that a spreadsheet takes it for no formula: ``=1+2.wav`` as ``./=1+2.wav``, the same file."""
    return f"./{path}" if _FORMULA.match(path) else path


def cell_to_path(cell: str) -> str:
    """Read what `path_to_cell` writes."""
    return cell[2:] if cell.startswith("./") and _FORMULA.match(cell) else cell


def start_and_duration(segment: Segment) -> tuple[float, float]:
    """Seconds, so that in microseconds start and duration add up to the end."""
    start, end = round(segment.start * 1e6), round(segment.end * 1e6)
    return start / 1e6, (end - start) / 1e6
