"""Templates of a text about a segment: the lines of `vad detect --printf`, and the names of cut files.

A field is written as in Python: `{start}`, `{start:.2f}`, `{id:04d}`. A time takes a time format too:
`{start:%h:%m:%s.%i}`.
"""

import re
from collections.abc import Iterator, Mapping
from string import Formatter

from vad.detection.segments import Segment
from vad.errors import ConfigError, did_you_mean

__all__ = ["TIME_FORMAT_HELP", "Template", "format_time"]

TIME_FORMAT_HELP = (
    "format of times: %%S seconds, %%I milliseconds, or parts: %%h, %%m, %%s, %%i (%%-h has no leading zero)"
)
"""For --help."""

_DIRECTIVE = re.compile(r"%(-?[hmsi]|[SI%]|.?)", re.DOTALL)
_PARTS = {"h": (3_600_000, 2), "m": (60_000, 2), "s": (1_000, 2), "i": (1, 3)}  # milliseconds, digits
_ESCAPES = {r"\n": "\n", r"\t": "\t", r"\r": "\r", r"\\": "\\"}
_SEGMENT_NAMES = ("id", "start", "end", "duration")
_DIGITS = r"[\d ]+"
_UNSAFE = re.compile(r'[<>:"/\\|?*\x00-\x1f]')
_SAMPLE = Segment(3661.001, 3723.25)


def format_time(seconds: float, time_format: str) -> str:
    """Write a time as auditok does.

    Args:
        seconds: The time.
        time_format: Text with directives: `%S` seconds with three decimals, `%I` milliseconds. In parts, with leading
            zeros: `%h` hours, `%m` minutes, `%s` seconds, `%i` milliseconds; `%-h` and so on without. `%%` is a percent
            sign. The largest part has what is more: `%m:%s` writes 62:03.

    Raises:
        ConfigError: There is another directive.
    """
    total = round(seconds * 1000)
    values = {"S": f"{seconds:.3f}", "I": str(total), "%": "%"}
    used = {directive[-1] for directive in _DIRECTIVE.findall(time_format) if directive}
    for name, (size, digits) in _PARTS.items():
        if name in used:
            value, total = divmod(total, size)
            values |= {name: f"{value:0{digits}d}", f"-{name}": str(value)}

    def replaced(match: re.Match[str]) -> str:
        if match[1] not in values:
            known = ", ".join(f"%{name}" for name in ("S", "I", *_PARTS, "%"))
            raise ConfigError(f"a time format must use {known}. Received: {match[0]} in {time_format!r}.")
        return values[match[1]]

    return _DIRECTIVE.sub(replaced, time_format)


class Template:
    r"""A text with fields.

    Args:
        text: The template. `\n`, `\t`, `\r` and `\\` are escapes.
        option: The option that gives it, for messages.
        names: The fields that it may have besides id, start, end and duration, each with an example.
        time_format: How a time is written whose field has no format: see `format_time`.
        is_file_name: Characters that file names cannot have on every system are written as `_`, but those of names.

    Attributes:
        fields: The names of its fields.
        ending: What follows the last field.

    Raises:
        ConfigError: A field or a format does not exist.
    """

    def __init__(
        self,
        text: str,
        option: str,
        names: Mapping[str, object],
        *,
        time_format: str = "%S",
        is_file_name: bool = False,
    ):
        self._time_format = time_format
        self._is_file_name = is_file_name
        known = (*_SEGMENT_NAMES, *names)
        try:
            unescaped = re.sub(r"\\[ntr\\]", lambda match: _ESCAPES[match[0]], text)
            self._pieces = list(Formatter().parse(unescaped))
            self.fields = {field for _, field, _, _ in self._pieces if field is not None}
            for wrong in sorted(self.fields - {*known}):
                listed = ", ".join(f"{{{name}}}" for name in known)
                raise ConfigError(
                    f"{option} must use the names {listed}. Received: {{{wrong}}}.{did_you_mean(wrong, known)}"
                )
            self.format(1, _SAMPLE, **names)
        except ConfigError:
            raise
        except ValueError as error:
            raise ConfigError(
                f"{option} cannot be used: {str(error).rstrip('.')}. Received: {text!r}."
            ) from error
        self.ending = self._pieces[-1][0] if self._pieces and self._pieces[-1][1] is None else ""

    def format(self, number: int, segment: Segment, **names: object) -> str:
        """Write a segment.

        Args:
            number: Its {id}, from 1.
            segment: The segment.
            **names: The other fields.
        """
        parts = self._parts(number, segment, names)
        return "".join(text for _, text in parts)

    def pattern(self, **names: str) -> str:
        """Give a regular expression for what any segment may give.

        Args:
            **names: Regular expressions of the other fields.
        """
        found = []
        for field, text in self._parts(1, _SAMPLE, names):
            if field in names:
                found.append(text)
            elif field is None:
                found.append(re.escape(text))
            else:
                found.append(_DIGITS.join(map(re.escape, re.split(_DIGITS, text))))
        return "".join(found)

    def _parts(
        self, number: int, segment: Segment, names: Mapping[str, object]
    ) -> Iterator[tuple[str | None, str]]:
        """Give the texts in order, each with its field, or None."""
        times = {"start": segment.start, "end": segment.end, "duration": segment.duration}
        values: dict[str, object] = {name: _Seconds(time, self._time_format) for name, time in times.items()}
        values |= {"id": number, **names}
        for literal, field, spec, conversion in self._pieces:
            yield None, self._clean(literal)
            if conversion is not None:
                raise ValueError(f"a field has no conversion !{conversion}")
            if field is not None:
                text = format(values[field], spec or "")
                yield field, text if field in names else self._clean(text)

    def _clean(self, text: str) -> str:
        return _UNSAFE.sub("_", text) if self._is_file_name else text


class _Seconds(float):
    """Seconds that a field formats: by its time format, or as a float."""

    def __new__(cls, seconds: float, time_format: str) -> "_Seconds":
        time = super().__new__(cls, seconds)
        time._format = time_format
        return time

    _format: str

    def __format__(self, spec: str) -> str:
        return format_time(self, spec or self._format) if "%" in (spec or "%") else super().__format__(spec)
