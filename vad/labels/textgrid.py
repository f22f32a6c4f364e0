"""Labels as a Praat TextGrid, in its long and short text forms."""

import itertools
import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from vad.detection.segments import Segment
from vad.errors import LabelError, shown
from vad.labels.merge import merge
from vad.labels.reading import Entry, Malformed, choose_tiers, parse_seconds, seconds
from vad.labels.turns import Turn, is_speech_tier, tiers_of

__all__ = ["other_tiers", "read_textgrid", "write_textgrid"]

# Praat reads only strings, free-standing numbers and flags; all else is for people (Praat manual, "TextGrid file
# formats"). So one reader serves the long and the short form. Runs of digits are not tried again when they are shorter
# (`++`): the time would grow with the square of their length.
_TOKEN = re.compile(
    r"""
    "(?P<string>(?:[^"]|"")*)"
    | (?P<number>[-+]?(?:[0-9]++\.?[0-9]*+|\.[0-9]++)(?:[eE][-+]?[0-9]++)?+(?!\S))
    | (?P<flag><exists>|<absent>)
    | (?P<unfinished>")
    | (?P<comment>![^\n]*)
    | [^\s"]+
    """,
    flags=re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class _Tier:
    name: str
    intervals: list[Entry]


def write_textgrid(segments: Sequence[Turn], uri: str, duration: float | None) -> str:
    """Write an interval tier, ``speech``, or one for each channel, in the long form; segments that overlap are joined.

    Raises:
        LabelError: nothing says how long the recording is.
    """
    xmax = max(0.0 if duration is None else duration, *(segment.end for segment in segments), 0.0)
    if xmax <= 0:
        raise LabelError(f"a TextGrid without speech needs the duration. Received: duration={duration}.")
    tiers = tiers_of(segments)
    lines = [
        'File type = "ooTextFile"\nObject class = "TextGrid"\n\n',
        f"xmin = 0 \nxmax = {seconds(xmax)} \ntiers? <exists> \nsize = {len(tiers)} \nitem []: \n",
    ]
    for number, (name, turns) in enumerate(tiers.items(), 1):
        intervals = _intervals(merge(turns, join_touching=False), seconds(xmax))
        lines += [
            f'    item [{number}]:\n        class = "IntervalTier" \n        name = "{name}" \n',
            f"        xmin = 0 \n        xmax = {seconds(xmax)} \n",
            f"        intervals: size = {len(intervals)} \n",
            *(
                f"        intervals [{index}]:\n            xmin = {xmin} \n            xmax = {xmax} \n"
                f'            text = "{text}" \n'
                for index, (xmin, xmax, text) in enumerate(intervals, 1)
            ),
        ]
    return "".join(lines)


def _intervals(turns: Sequence[Segment], xmax: str) -> list[tuple[str, str, str]]:
    """Speech and the pauses between, without a gap or an empty interval from 0 to the end, as Praat needs them."""
    reached = seconds(0.0)
    intervals = []
    for turn in turns:
        start, end = seconds(turn.start), seconds(turn.end)
        intervals += [(reached, start, ""), (start, end, "speech")]
        reached = end
    intervals.append((reached, xmax, ""))
    return [interval for interval in intervals if interval[0] != interval[1]]


def read_textgrid(text: str, tier: str | None = None) -> Iterator[Entry | Malformed]:
    """Read the intervals of a tier that have a text.

    Args:
        text: the file.
        tier: the tier's name; None is ``speech`` (in any case) or its channels, or else the first interval tier.

    Raises:
        Malformed: it is not a TextGrid, or has no such tier.
    """
    tokens = _Tokens(text)
    try:
        tiers = _read_tiers(tokens)
    except Malformed:
        yield from tokens.broken
        raise
    chosen = choose_tiers(tiers, tier, tiers[:1], "TextGrid needs an interval tier")
    found: list[Entry | Malformed] = [*tokens.broken]
    found += [
        one
        for one in itertools.chain(*(each.intervals for each in chosen))
        if _has_text(one) and not math.isnan(one.start + one.end)
    ]
    yield from sorted(found, key=lambda one: one.line)


def other_tiers(text: str) -> list[str]:
    """Name the interval tiers with texts that `read_textgrid` skips where no tier is asked for.

    Raises:
        Malformed: it is not a TextGrid.
    """
    tiers = _read_tiers(_Tokens(text))
    if any(is_speech_tier(tier.name) for tier in tiers):
        return []
    return [tier.name for tier in tiers[1:] if any(map(_has_text, tier.intervals))]


def _has_text(interval: Entry) -> bool:
    return bool((interval.label or "").strip())


class _Tokens:
    """The strings, numbers and flags of a Praat text file, one after the other.

    Attributes:
        broken: Words that stood in the place of a value, and were skipped.
    """

    def __init__(self, text: str) -> None:
        self.broken: list[Malformed] = []
        self._tokens: list[tuple[int, str, str]] = []
        line, counted = 1, 0
        equals = 0  # the line of the "=" before, 0 where there is none
        for match in _TOKEN.finditer(text):
            line += text.count("\n", counted, match.start())
            counted = match.start()
            if match.lastgroup == "comment":
                continue
            if match.lastgroup is not None:
                self._tokens.append((line, match.lastgroup, match[match.lastgroup]))
            elif equals:
                self._tokens.append((equals, "word", match[0] if line == equals else ""))
            elif match[0].startswith("=") and match[0] != "=":
                self._tokens.append((line, "word", match[0]))
            equals = line if match[0] == "=" else 0
        self._next = 0

    def take(self, kind: str, what: str) -> tuple[int, str]:
        """Return the line and the content of the next token, which must be of this kind.

        Raises:
            Malformed: it is of another kind, or there is none.
        """
        if self._next == len(self._tokens):
            last_line = self._tokens[-1][0] if self._tokens else 1
            raise Malformed(last_line, f"TextGrid needs {what}. Received: the end of the file.")
        line, actual, content = self._tokens[self._next]
        if actual != kind:
            raise Malformed(line, f"TextGrid needs {what}. Received: {shown(content)}.")
        self._next += 1
        return line, content

    def string(self, what: str) -> str:
        """Return the next string; "" where a word stands in its place."""
        return "" if self._skip_word(what) else self.take("string", what)[1].replace('""', '"')

    def seconds(self, what: str) -> tuple[int, float]:
        """Return the line and the value of the next number; nan where a word stands in its place."""
        if self._skip_word(what):
            return self.broken[-1].line, math.nan
        line, content = self.take("number", what)
        return line, parse_seconds(content, what, line)

    def _skip_word(self, what: str) -> bool:
        """Skip a word in the place of a value, and keep it as broken: the next token is where it belongs."""
        line, kind, content = self._tokens[self._next] if self._next < len(self._tokens) else (0, "", "")
        if kind != "word":
            return False
        self.broken.append(Malformed(line, f"TextGrid needs {what}. Received: {shown(content)}."))
        self._next += 1
        return True

    def count(self, what: str) -> int:
        line, content = self.take("number", what)
        if not content.isdecimal() or len(content) > 9:
            raise Malformed(line, f"TextGrid needs {what}. Received: {shown(content)}.")
        return int(content)


def _read_tiers(tokens: _Tokens) -> list[_Tier]:
    """Read the whole file and skip the tiers of points."""
    for word in ("ooTextFile", "TextGrid"):
        line, content = tokens.take("string", f'"{word}"')
        if not content.startswith(word):
            raise Malformed(line, f'TextGrid needs "{word}". Received: {shown(content)}.')
    tokens.seconds("xmin")
    tokens.seconds("xmax")
    if tokens.take("flag", "<exists>")[1] == "<absent>":
        return []
    tiers = []
    for _ in range(tokens.count("a number of tiers")):
        line, kind = tokens.take("string", 'a class, "IntervalTier" or "TextTier"')
        name = tokens.string("a tier's name")
        tokens.seconds("a tier's xmin")
        tokens.seconds("a tier's xmax")
        size = tokens.count("a tier's size")
        if kind == "IntervalTier":
            tiers.append(_Tier(name, [_read_interval(tokens) for _ in range(size)]))
        elif kind == "TextTier":
            for _ in range(size):
                tokens.seconds("a point's time")
                tokens.string("a point's mark")
        else:
            raise Malformed(
                line, f'TextGrid needs a class, "IntervalTier" or "TextTier". Received: {shown(kind)}.'
            )
    return tiers


def _read_interval(tokens: _Tokens) -> Entry:
    line, start = tokens.seconds("an interval's xmin")
    _, end = tokens.seconds("an interval's xmax")
    return Entry(line, start, end, label=tokens.string("an interval's text"))
