"""What is wrong with data, or worth a look: said all at once, each with its place."""

from dataclasses import dataclass

from vad.errors import LabelError

__all__ = ["Finding", "note", "problem", "problems_of"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was found.

    Attributes:
        where: A file, with its line where there is one.
        text: The rule, what came, the remedy.
        is_problem: The recording cannot be used as it is; else it is a note.
    """

    where: str
    text: str
    is_problem: bool

    def __str__(self) -> str:
        return f"{self.where}: {self.text}" if self.where else self.text


def problem(where: object, text: str) -> Finding:
    """What keeps data from being used."""
    return Finding(str(where), text, is_problem=True)


def problems_of(error: LabelError) -> list[Finding]:
    """All that is wrong with a label file; each has its place in its text."""
    return [problem("", text) for text in error.problems]


def note(where: object, text: str) -> Finding:
    """What is used as it is, and should be looked at."""
    return Finding(str(where), text, is_problem=False)
