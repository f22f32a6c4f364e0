"""Labels as an ELAN annotation document (.eaf), read only."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from xml.parsers import expat

from vad.labels.reading import Entry, Malformed, read_each, shown

__all__ = ["read_elan"]

_DEFAULT_TIER = "speech"


def read_elan(text: str, tier: str | None = None) -> Iterator[Entry | Malformed]:
    """Read the annotations of a tier that have times of their own, whatever they say.

    Args:
        text: the file (EAF 2.x and 3.x: https://www.mpi.nl/tools/elan/EAF_Annotation_Format_3.0_and_ELAN.pdf).
        tier: the tier's name; None is ``speech`` (in any case), or else all tiers without a parent: ELAN has one a
            speaker, and under it what belongs to its annotations.

    Raises:
        Malformed: it is no XML, or has no such tier.
    """
    document = _Document()
    document.parse(text)
    tiers = document.tiers
    if tier is not None:
        chosen = [one for one in tiers if one.name == tier]
    else:
        chosen = [one for one in tiers if one.name.lower() == _DEFAULT_TIER]
        chosen = chosen or [one for one in tiers if not one.has_parent]
    if not chosen:
        wanted = "a tier" if tier is None else f"a tier named {tier!r}"
        names = ", ".join(repr(one.name) for one in tiers) or "none"
        raise Malformed(1, f"an ELAN document needs {wanted}. Received: {names}.")
    return read_each(document.entry, ((one, annotation) for one in chosen for annotation in one.annotations))


@dataclass(slots=True)
class _Annotation:
    line: int
    slots: tuple[str, str]
    text: list[str] = field(default_factory=list)


@dataclass(slots=True)
class _Tier:
    name: str
    participant: str
    has_parent: bool
    annotations: list[_Annotation] = field(default_factory=list)


class _Document:
    """What the XML holds: expat, unlike the trees built on it, tells the line of each element."""

    def __init__(self) -> None:
        self.tiers: list[_Tier] = []
        self._milliseconds: dict[str, str] = {}
        self._parser = expat.ParserCreate()
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._characters
        self._open: _Annotation | None = None

    def parse(self, text: str) -> None:
        try:
            self._parser.Parse(text, True)
        except expat.ExpatError as error:
            reason = expat.ErrorString(error.code)
            raise Malformed(
                error.lineno, f"an ELAN document must be well-formed XML. Received: {reason}."
            ) from None

    def entry(self, tier: _Tier, annotation: _Annotation) -> Entry:
        start, end = (self._seconds(slot, annotation.line) for slot in annotation.slots)
        speaker = tier.participant or tier.name
        return Entry(annotation.line, start, end, label="".join(annotation.text), speaker=speaker)

    def _seconds(self, slot: str, line: int) -> float:
        """The time of a slot, which is whole milliseconds."""
        value = self._milliseconds.get(slot, "")
        if not value.isdecimal():
            raise Malformed(
                line,
                f"an annotation needs a time slot with a time in milliseconds. Received: {slot!r} with {shown(value)}.",
            )
        return int(value) / 1000

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        if name == "TIME_SLOT":
            self._milliseconds[attributes.get("TIME_SLOT_ID", "")] = attributes.get("TIME_VALUE", "")
        elif name == "TIER":
            self.tiers.append(
                _Tier(
                    attributes.get("TIER_ID", ""),
                    attributes.get("PARTICIPANT", ""),
                    bool(attributes.get("PARENT_REF")),
                )
            )
        elif name == "ALIGNABLE_ANNOTATION" and self.tiers:
            slots = attributes.get("TIME_SLOT_REF1", ""), attributes.get("TIME_SLOT_REF2", "")
            self._open = _Annotation(self._parser.CurrentLineNumber, slots)
            self.tiers[-1].annotations.append(self._open)

    def _end(self, name: str) -> None:
        if name == "ALIGNABLE_ANNOTATION":
            self._open = None

    def _characters(self, text: str) -> None:
        if self._open is not None:
            self._open.text.append(text)
