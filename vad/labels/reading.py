"""What every label format's reader gives and its writer needs."""

import math
import reprlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, TypeVarTuple

from vad.detection.segments import Segment
from vad.errors import LabelError

__all__ = [
    "NON_SPEECH_LABELS",
    "Entry",
    "Malformed",
    "checked",
    "counted",
    "filled_lines",
    "named_word",
    "one_word",
    "parse_seconds",
    "parse_times",
    "past_end",
    "read_each",
    "require_within",
    "seconds",
    "shown",
]

_Part = TypeVarTuple("_Part")

# Labels of speech-free stretches, lower case: what Praat ("silent"), the forced aligners ("sil", "sp", "<p:>"), Kaldi
# ("<eps>"), Festival ("pau"), NeMo ("background"), AVA-Speech ("no_speech") and annotators write. An aligner's "spn" is
# speech that it could not spell.
NON_SPEECH_LABELS: Final = frozenset(
    {
        *(
            "sil",
            "<sil>",
            "[sil]",
            "silence",
            "<silence>",
            "[silence]",
            "silent",
            "sp",
            "<sp>",
            "<p:>",
            "<p>",
            "pause",
            "pau",
            "<eps>",
        ),
        *(
            "non-speech",
            "nonspeech",
            "non_speech",
            "no speech",
            "no_speech",
            "background",
            "noise",
            "<noise>",
            "[noise]",
            "music",
            "[music]",
        ),
    }
)

_SHORT = reprlib.Repr()
_SHORT.maxstring = _SHORT.maxother = 80


_FAR_S = 3600.0  # nearer the end it may be rounding, or a recording that was cut


@dataclass(frozen=True, slots=True)
class Entry:
    """One stretch as a label file says it, not yet checked.

    Attributes:
        line: where it stands, from 1.
        start: in seconds.
        end: in seconds.
        uri: the recording it is about; None where the file does not say.
        label: what was heard; None where the format has no label.
        speaker: who was heard; None where the file does not say.
    """

    line: int
    start: float
    end: float
    uri: str | None = None
    label: str | None = None
    speaker: str | None = None

    @property
    def is_speech(self) -> bool:
        """It has a length, and no label that means silence or noise."""
        silent = self.label is not None and self.label.strip().lower() in NON_SPEECH_LABELS
        return self.start < self.end and not silent


class Malformed(Exception):  # noqa: N818 (it never leaves the package: LabelError does)
    """A rule that a line breaks; the package's edge turns it into a LabelError with the file's name."""

    def __init__(self, line: int, rule: str) -> None:
        super().__init__(rule)
        self.line = line
        self.rule = rule


def checked(found: Entry | Malformed) -> Entry | Malformed:
    """What a reader found, or the rule that its times break."""
    if isinstance(found, Malformed) or 0 <= found.start <= found.end < math.inf:
        return found
    times = f"start={found.start}, end={found.end}"
    return Malformed(found.line, f"a segment must have 0 <= start <= end, in seconds. Received: {times}.")


def past_end(start: float, end: float, duration: float) -> str:
    """Say which rule a segment breaks that lies hours past the end of its recording; "" where it breaks none."""
    if not end > duration + _FAR_S:
        return ""
    rule = f"a segment must lie in its recording, which ends at {duration:g} s"
    return f"{rule}. Received: {start:g} to {end:g} s. Are these samples, or another recording's times?"


def require_within(segments: Iterable[Segment], duration: float, source: str) -> None:
    """Refuse labels that are of another recording, or in samples.

    Args:
        segments: the labels.
        duration: of their recording, in seconds.
        source: what the message calls it.

    Raises:
        LabelError: a segment lies hours past the recording's end.
    """
    if rule := next(filter(None, (past_end(one.start, one.end, duration) for one in segments)), ""):
        raise LabelError(f"{source}: {rule}")


def read_each(
    read: Callable[[*_Part], Entry | None], parts: Iterable[tuple[*_Part]]
) -> Iterator[Entry | Malformed]:
    """Read lines, rows or cues one by one, so that a broken one does not hide what is wrong with the next.

    Args:
        read: gives the entry of a part; None where it holds none.
        parts: the arguments of each reading; what breaks here breaks the whole file.

    Yields:
        Entries, and in its place the rule that a part breaks.
    """
    for part in parts:
        try:
            entry = read(*part)
        except Malformed as error:
            yield error
        else:
            if entry is not None:
                yield entry


def filled_lines(text: str) -> Iterator[tuple[int, str]]:
    """Number the lines from 1 and leave the blank ones out."""
    return ((number, line) for number, line in enumerate(text.split("\n"), 1) if line.strip())


def parse_seconds(text: str, name: str, line: int) -> float:
    """Read a time.

    Raises:
        Malformed: it is no number.
    """
    try:
        return float(text.replace("_", "?"))  # Python's own spelling of 1_000 is nobody's time
    except ValueError:
        raise Malformed(line, f"{name} must be a number of seconds. Received: {shown(text)}.") from None


def parse_times(fields: Sequence[str], line: int) -> tuple[float, float]:
    """Read a start and an end.

    Raises:
        Malformed: one is no number.
    """
    return parse_seconds(fields[0], "start", line), parse_seconds(fields[1], "end", line)


def counted(fields: Sequence[str]) -> str:
    """Say how many fields came, for a message."""
    return f"{len(fields)} field{'' if len(fields) == 1 else 's'}"


def one_word(uri: str) -> str:
    """Write a recording's name without white space, which would be several fields between blanks."""
    return "_".join(uri.split())


def named_word(uri: str, format: str) -> str:
    """The recording's name in one word, for a format that needs it.

    Raises:
        LabelError: there is no name, without which other programs read nothing.
    """
    if not uri.strip():
        raise LabelError(f"{format} needs the name of the recording. Received: uri={uri!r}.")
    return one_word(uri)


def seconds(time: float) -> str:
    """Write a time with three to six decimals: as short as milliseconds, as exact as microseconds."""
    text = f"{time:.6f}"
    return text[:-3] + text[-3:].rstrip("0")


def shown(value: object) -> str:
    """What came, for a message: a megabyte without a newline is shortened."""
    return _SHORT.repr(value)
