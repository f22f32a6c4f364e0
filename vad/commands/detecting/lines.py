"""Segments as lines of the user's own: `--printf`, and `--time-format` for text."""

from collections.abc import Sequence
from dataclasses import dataclass

from vad.commands.detecting.recordings import AudioInput
from vad.commands.options.templates import Template, format_time
from vad.detection.segments import Segment
from vad.errors import ConfigError

__all__ = ["Lines", "chosen_lines"]

_NAMES = {"name": "", "file": "", "channel": ""}


@dataclass(frozen=True)
class Lines:
    """Writes segments.

    Attributes:
        template: Of a line.
        channel: "mix" or an index: the {channel} where a recording is not analysed channel by channel.
        is_text: The recording's name comes first, as in the format text.
    """

    template: Template
    channel: str
    is_text: bool

    def text(
        self, recording: AudioInput, suffix: str, uri: str, segments: Sequence[Segment], n_before: int
    ) -> str:
        """Write a line for each segment.

        Args:
            recording: The recording.
            suffix: Of the channel, as in `Result.channels`.
            uri: The recording's name in text.
            segments: The segments.
            n_before: Number of segments of this channel that are written.
        """
        names = {"name": recording.place.stem, "file": recording.name}
        channel = suffix.removeprefix(".ch") or self.channel
        start = f"{uri} " if self.is_text and uri else ""
        return "".join(
            f"{start}{self.template.format(number, segment, channel=channel, **names)}\n"
            for number, segment in enumerate(segments, n_before + 1)
        )


def chosen_lines(
    printf: str | None, time_format: str | None, label_format: str, channel: str | int
) -> Lines | None:
    """Choose the lines. None if segments are written as the format says.

    Args:
        printf: The template of --printf.
        time_format: That of --time-format.
        label_format: The format of the results.
        channel: "mix", "each" or an index.

    Raises:
        ConfigError: A field does not exist, or the format has lines of its own.
    """
    if printf is None and time_format is None:
        return None
    if label_format != "text":
        option = "--printf" if printf is not None else "--time-format"
        raise ConfigError(
            f"{option} is for text. Received: the format {label_format}. Leave one of the two out."
        )
    format_time(0.0, time_format or "%S")
    template = Template(
        "{start} {end}" if printf is None else printf, "--printf", _NAMES, time_format=time_format or "%S"
    )
    return Lines(template, str(channel), is_text=printf is None)
