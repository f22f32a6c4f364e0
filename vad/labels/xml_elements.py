"""XML read element by element. Only expat gives the line of each; the trees built on it do not."""

from collections.abc import Callable
from xml.parsers import expat

from vad.labels.reading import Malformed

__all__ = ["parse_xml"]


def parse_xml(
    text: str,
    what: str,
    start: Callable[[int, str, dict[str, str]], None],
    end: Callable[[str], None] | None = None,
    characters: Callable[[str], None] | None = None,
) -> None:
    """Parse a document.

    Args:
        text: the document.
        what: Its name in messages.
        start: gets the line, the name and the attributes of an element where it begins.
        end: gets its name where it ends.
        characters: gets the text in between, in pieces.

    Raises:
        Malformed: It is not XML.
    """
    parser = expat.ParserCreate()
    parser.StartElementHandler = lambda name, attributes: start(parser.CurrentLineNumber, name, attributes)
    parser.EndElementHandler = end
    parser.CharacterDataHandler = characters
    try:
        parser.Parse(text, True)
    except expat.ExpatError as error:
        reason = expat.ErrorString(error.code)
        raise Malformed(error.lineno, f"{what} must be well-formed XML. Received: {reason}.") from None
