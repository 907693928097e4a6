"""SVG: the size that its root element says, by a parser that follows no network.

Browsers show an SVG in an `img` element only if it is well-formed XML to its end, all of its prefixes
are bound, and its root is `svg` of the SVG namespace.
"""

from __future__ import annotations

import re
from typing import Final
from xml.parsers import expat

from crawler.images.formats.header import HeaderCut
from crawler.images.formats.xml_text import utf8
from storage.errors import original
from storage.frozen import frozen
from storage.model import Size

NAMESPACE: Final = "http://www.w3.org/2000/svg"
CSS_LENGTH: Final = re.compile(r"\s*\+?([0-9]*\.?[0-9]+(?:[eE][-+]?[0-9]+)?)([a-z%]*)\s*")
PIXELS_BY_UNIT: Final = {  # CSS Values 4, 6: lengths in px; a font of 16 px
    "": 1.0,
    "px": 1.0,
    "pt": 4 / 3,
    "pc": 16.0,
    "in": 96.0,
    "cm": 96 / 2.54,
    "mm": 96 / 25.4,
    "q": 96 / 101.6,
    "em": 16.0,
    "rem": 16.0,
    "ex": 8.0,
}
MAX_PROLOG_BYTES: Final = 1024 * 1024  # in which the root has to begin
READ_GROWTH: Final = 4  # times more bytes to ask for while there is no root
MAX_SVG_SIDE_PIXELS: Final = 10**7
XML_STARTS: Final = (b"<", b"\xff\xfe<\0", b"\xfe\xff\0<")
XML_1: Final = "1."  # how the versions of XML begin that browsers read
# Illustrator declares entities for its namespaces. Expat bounds by itself how far they multiply.
MAX_ENTITY_CHARACTERS: Final = 1024
MAX_ENTITIES: Final = 256
XHTML: Final = "XHTML"  # in the public name of a document type whose entities browsers know
CUT_CODES: Final = frozenset(
    expat.errors.codes[message]
    for message in (
        expat.errors.XML_ERROR_NO_ELEMENTS,
        expat.errors.XML_ERROR_UNCLOSED_TOKEN,
        expat.errors.XML_ERROR_PARTIAL_CHAR,
        expat.errors.XML_ERROR_UNCLOSED_CDATA_SECTION,
    )
)


@frozen
class SvgRoot:
    """The name of an XML document's root without prefix, its namespace, and the size it says, if any."""

    name: str
    namespace: str = ""
    size: Size | None = None


@frozen
class SvgFault:
    """Why browsers do not show an SVG; `cut`: it ends before its end."""

    why: str
    cut: bool = False


class _RootReached(Exception):
    """The root element was reached."""

    def __init__(self, root: SvgRoot) -> None:
        super().__init__(root)
        self.root = root


class _DeclarationRefused(Exception):
    """An entity stands for something that is not followed, or for nothing; or the version is not known."""


def begins(data: bytes) -> bool:
    """Whether the bytes may be XML."""
    return data.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(XML_STARTS)


def read(data: bytes, *, complete: bool) -> SvgRoot | None:
    """The root of an XML document; None if that cannot be read.

    Raises:
        HeaderCut: the root lies behind these bytes.
    """
    text = data[:MAX_PROLOG_BYTES]
    try:
        _parser(until_root=True).Parse(utf8(text, complete=complete and len(text) == len(data)), False)
    except _RootReached as exc:
        return exc.root
    except (_DeclarationRefused, expat.ExpatError, ValueError, LookupError):
        return None
    if complete or len(data) >= MAX_PROLOG_BYTES:
        return None
    raise HeaderCut(min(len(data) * READ_GROWTH, MAX_PROLOG_BYTES))


def fault(data: bytes) -> SvgFault | None:
    """Why browsers do not show a whole SVG; None if they do."""
    try:
        _parser().Parse(utf8(data, complete=True), True)
    except _DeclarationRefused as exc:
        return SvgFault(f"an SVG that browsers do not show: {exc}")
    except expat.ExpatError as exc:
        cut = exc.code in CUT_CODES
        why = "that ends before its end" if cut else "that browsers do not show: it is no well-formed XML"
        return SvgFault(f"an SVG {why}{original(exc)}", cut)
    except (ValueError, LookupError) as exc:
        return SvgFault(f"an SVG in an encoding that it does not name{original(exc)}")
    return None


class _Declarations:
    """What a document declares, and how it may use it."""

    def __init__(self) -> None:
        self._count = 0
        self._xhtml = False

    def version(self, version: str, *_: object) -> None:
        """Refuse a version of XML that browsers do not read."""
        if not version.startswith(XML_1):
            raise _DeclarationRefused(f"it is XML {version[:40]!r}")

    def doctype(self, _name: str, _system: str | None, public: str | None, _subset: int) -> None:
        """Note the document type: browsers know the entities of XHTML by its public name."""
        self._xhtml = XHTML in (public or "")

    def declare(self, name: str, parameter: int, value: str | None, *_: object) -> None:
        """Refuse an entity that could grow, or lies elsewhere; expat replaces the others."""
        self._count += 1
        if parameter or value is None:
            return  # nothing refers to it, or what does is refused when it is skipped
        if self._count > MAX_ENTITIES or len(value) > MAX_ENTITY_CHARACTERS:
            raise _DeclarationRefused(f"its entity {name[:40]!r} is not followed")

    def skip(self, name: str, parameter: int) -> None:
        """Refuse a reference to an entity that no declaration gives."""
        if not parameter and not self._xhtml:
            raise _DeclarationRefused(f"its entity {name[:40]!r} is not declared")


def _parser(*, until_root: bool = False) -> expat.XMLParserType:
    parser = expat.ParserCreate("utf-8", " ")
    declarations = _Declarations()
    parser.StartDoctypeDeclHandler = declarations.doctype
    parser.XmlDeclHandler = declarations.version
    parser.EntityDeclHandler = declarations.declare
    parser.SkippedEntityHandler = declarations.skip
    if until_root:
        parser.StartElementHandler = _reach
    return parser


def _reach(name: str, attributes: dict[str, str]) -> None:
    namespace, _, local_name = name.rpartition(" ")
    raise _RootReached(SvgRoot(local_name, namespace, _size(attributes)))


def _size(attributes: dict[str, str]) -> Size | None:
    width, height = _pixels(attributes.get("width")), _pixels(attributes.get("height"))
    box = _box(attributes.get("viewBox"))
    if box and not width and not height:
        width, height = box
    elif box and width and not height:
        height = width * box[1] / box[0]
    elif box and height and not width:
        width = height * box[0] / box[1]
    if not width or not height or max(width, height) > MAX_SVG_SIDE_PIXELS:
        return None
    return Size(max(1, _rounded(width)), max(1, _rounded(height)))


def _rounded(length: float) -> int:
    """The nearest whole number, halves upwards, as browsers round; Python's own goes to even ones."""
    return int(length + 0.5)


def _pixels(text: str | None) -> float | None:
    match = CSS_LENGTH.fullmatch(text.lower()[:99]) if text else None
    factor = PIXELS_BY_UNIT.get(match[2]) if match else None
    return float(match[1]) * factor if match and factor else None


def _box(text: str | None) -> tuple[float, float] | None:
    try:
        _, _, width, height = (float(part) for part in re.split(r"[\s,]+", (text or "").strip()))
    except ValueError:
        return None
    if not 0 < width < MAX_SVG_SIDE_PIXELS or not 0 < height < MAX_SVG_SIDE_PIXELS:
        return None
    return width, height
