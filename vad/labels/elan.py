"""Labels as an ELAN annotation document (.eaf)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from urllib.parse import quote

from vad.audio.remote import is_url
from vad.errors import shown
from vad.labels.merge import merge
from vad.labels.reading import Entry, Malformed, choose_tiers, read_each
from vad.labels.turns import Turn, tiers_of
from vad.labels.xml_elements import parse_xml

__all__ = ["read_elan", "write_elan"]

_SCHEMA = "http://www.mpi.nl/tools/elan/EAFv3.0.xsd"
_UNKNOWN_DATE = "1970-01-01T00:00:00+00:00"  # the same segments make the same file


def write_elan(segments: Sequence[Turn], uri: str, duration: float | None) -> str:
    """Write a tier, ``speech``, or one for each channel, in milliseconds; segments that overlap are joined."""
    slots: list[str] = []
    tiers: list[str] = []
    for name, turns in tiers_of(segments).items():
        tiers.append(f'  <TIER LINGUISTIC_TYPE_REF="default-lt" TIER_ID="{name}">\n')
        for turn in merge(turns, join_touching=False):
            slots += [
                f'    <TIME_SLOT TIME_SLOT_ID="ts{slot}" TIME_VALUE="{round(time * 1000)}"/>\n'
                for slot, time in enumerate((turn.start, turn.end), len(slots) + 1)
            ]
            tiers.append(
                "    <ANNOTATION>\n"
                f'      <ALIGNABLE_ANNOTATION ANNOTATION_ID="a{len(slots) // 2}" '
                f'TIME_SLOT_REF1="ts{len(slots) - 1}" TIME_SLOT_REF2="ts{len(slots)}">\n'
                "        <ANNOTATION_VALUE>speech</ANNOTATION_VALUE>\n"
                "      </ALIGNABLE_ANNOTATION>\n    </ANNOTATION>\n"
            )
        tiers.append("  </TIER>\n")
    return "".join(
        [
            '<?xml version="1.0" encoding="UTF-8"?>\n',
            f'<ANNOTATION_DOCUMENT AUTHOR="" DATE="{_UNKNOWN_DATE}" FORMAT="3.0" VERSION="3.0" '
            'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
            f'xsi:noNamespaceSchemaLocation="{_SCHEMA}">\n',
            f'  <HEADER MEDIA_FILE="" TIME_UNITS="milliseconds">\n{_media(uri)}  </HEADER>\n',
            f"  <TIME_ORDER>\n{''.join(slots)}  </TIME_ORDER>\n",
            *tiers,
            '  <LINGUISTIC_TYPE GRAPHIC_REFERENCES="false" LINGUISTIC_TYPE_ID="default-lt" '
            'TIME_ALIGNABLE="true"/>\n</ANNOTATION_DOCUMENT>\n',
        ]
    )


def _media(uri: str) -> str:
    """The link to the recording; none where its name has no extension and so is not a file's."""
    if "." not in uri:
        return ""
    path = quote(uri, errors="surrogateescape")
    kind = "audio/x-wav" if uri.lower().endswith(".wav") else "unknown"
    if is_url(uri):
        import html  # its tables take milliseconds to load

        url = f'MEDIA_URL="{html.escape(uri)}"'
    elif uri.startswith("/"):
        url = f'MEDIA_URL="file://{path}"'
    else:
        url = f'MEDIA_URL="{path}" RELATIVE_MEDIA_URL="./{path}"'
    return f'    <MEDIA_DESCRIPTOR {url} MIME_TYPE="{kind}"/>\n'


def read_elan(text: str, tier: str | None = None) -> Iterator[Entry | Malformed]:
    """Read the annotations of a tier that have times, with any text.

    Args:
        text: the file (EAF 2.x and 3.x: https://www.mpi.nl/tools/elan/EAF_Annotation_Format_3.0_and_ELAN.pdf).
        tier: the tier's name; None is ``speech`` (in any case), or else all tiers without a parent, one a speaker.

    Raises:
        Malformed: it is not XML, or has no such tier.
    """
    document = _Document()
    parse_xml(text, "an ELAN document", document.start, document.end, document.characters)
    top = [one for one in document.tiers if not one.has_parent]
    chosen = choose_tiers(document.tiers, tier, top, "an ELAN document needs a tier")
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
    """The tiers and their annotations, collected while the XML is parsed."""

    def __init__(self) -> None:
        self.tiers: list[_Tier] = []
        self._milliseconds: dict[str, str] = {}
        self._open: _Annotation | None = None

    def entry(self, tier: _Tier, annotation: _Annotation) -> Entry:
        start, end = (self._seconds(slot, annotation.line) for slot in annotation.slots)
        speaker = tier.participant or tier.name
        return Entry(annotation.line, start, end, label="".join(annotation.text), speaker=speaker)

    def _seconds(self, slot: str, line: int) -> float:
        """The time of a slot, which is whole milliseconds."""
        value = self._milliseconds.get(slot, "")
        if not value.isdecimal():
            rule = "an annotation needs a time slot with a time in milliseconds"
            raise Malformed(line, f"{rule}. Received: {slot!r} with {shown(value)}.")
        return float(value) / 1000

    def start(self, line: int, name: str, attributes: dict[str, str]) -> None:
        if name == "TIME_SLOT":
            self._milliseconds[attributes.get("TIME_SLOT_ID", "")] = attributes.get("TIME_VALUE", "")
        elif name == "TIER":
            name, participant = attributes.get("TIER_ID", ""), attributes.get("PARTICIPANT", "")
            self.tiers.append(_Tier(name, participant, bool(attributes.get("PARENT_REF"))))
        elif name == "ALIGNABLE_ANNOTATION" and self.tiers:
            slots = attributes.get("TIME_SLOT_REF1", ""), attributes.get("TIME_SLOT_REF2", "")
            self._open = _Annotation(line, slots)
            self.tiers[-1].annotations.append(self._open)

    def end(self, name: str) -> None:
        if name == "ALIGNABLE_ANNOTATION":
            self._open = None

    def characters(self, text: str) -> None:
        if self._open is not None:
            self._open.text.append(text)
