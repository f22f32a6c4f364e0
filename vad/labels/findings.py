"""Problems of data, and notes on it, each with its place, so that all can be reported together."""

from dataclasses import dataclass

from vad.errors import LabelError

__all__ = ["Finding", "note", "problem", "problems_of"]


@dataclass(frozen=True, slots=True)
class Finding:
    """A problem or a note.

    Attributes:
        where: The file, with its line where there is one; "" where the text begins with it.
        text: What is wrong, and what to do.
        is_problem: The data cannot be used as it is; else this is a note.
        is_ambiguous: The labels fit several recordings.
    """

    where: str
    text: str
    is_problem: bool
    is_ambiguous: bool = False

    def __str__(self) -> str:
        return f"{self.where}: {self.text}" if self.where else self.text


def problem(where: object, text: str) -> Finding:
    """Data that cannot be used."""
    return Finding(str(where), text, is_problem=True)


def problems_of(error: LabelError) -> list[Finding]:
    """All problems of a label file; their texts have their places."""
    return [problem("", text) for text in error.problems]


def note(where: object, text: str) -> Finding:
    """Data that is used, but deserves a look."""
    return Finding(str(where), text, is_problem=False)
