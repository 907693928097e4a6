"""SVG: the size that its root element says, by a parser that follows no entity and no network."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final
from xml.parsers import expat

from crawler.pixels.head import Cut
from storage.model import Size

LENGTH: Final = re.compile(r"\s*\+?(\d*\.?\d+(?:[eE][-+]?\d+)?)\s*([a-z%]*)\s*")
PIXELS: Final = {  # CSS Values 4, 6: lengths in px; a font of 16 px
    "": 1.0,
    "px": 1.0,
    "pt": 4 / 3,
    "pc": 16.0,
    "in": 96.0,
    "cm": 96 / 2.54,
    "mm": 96 / 25.4,
    "q": 96 / 101.6,
    "em": 16.0,
    "ex": 8.0,
}
LONGEST: Final = 65_536  # bytes in which the root has to begin
GROWTH: Final = 4  # times more bytes to ask for while there is no root
HUGE: Final = 10**7
MARKS: Final = (b"<", b"\xef\xbb\xbf<", b"\xff\xfe<\0", b"\xfe\xff\0<")  # how XML begins
# Illustrator declares entities for its name spaces: they are cut out, with all that refers to them.
SUBSET: Final = re.compile(rb"<!DOCTYPE\s+(?:\w+:)?svg\b[^\[>]{0,1024}\[.*?\]\s*>", re.DOTALL)
REFERENCE: Final = re.compile(rb"&(?!(?:amp|lt|gt|quot|apos);)[A-Za-z_][\w.-]{0,99};")


@dataclass(frozen=True, slots=True)
class Root:
    """The name of an XML document's root, without prefix, and the size it says, if any."""

    name: str
    size: Size | None = None


class _Reached(Exception):
    """The root element was reached."""

    def __init__(self, name: str, attributes: dict[str, str]) -> None:
        super().__init__(name)
        self.name, self.attributes = name.rpartition(":")[2], attributes


class _Entity(Exception):
    """An entity is declared."""


def begins(data: bytes) -> bool:
    """Whether the bytes may be XML."""
    return data.lstrip(b" \t\r\n").startswith(MARKS)


def read(data: bytes, *, complete: bool) -> Root | None:
    """The root of an XML document; None if that cannot be read.

    Raises:
        Cut: the root lies behind these bytes.
    """
    text = data[:LONGEST]
    try:
        _parse(text)
    except _Reached as root:
        return Root(root.name, _size(root.attributes))
    except _Entity:
        return _without_entities(text)
    except (expat.ExpatError, ValueError, LookupError):
        return None
    if complete or len(data) >= LONGEST:
        return None
    raise Cut(min(len(data) * GROWTH, LONGEST))


def _parse(text: bytes) -> None:
    parser = expat.ParserCreate()
    parser.StartElementHandler = _reach
    parser.EntityDeclHandler = _refuse
    parser.Parse(text, False)


def _reach(name: str, attributes: dict[str, str]) -> None:
    raise _Reached(name, attributes)


def _refuse(*_: object) -> None:
    raise _Entity


def _without_entities(text: bytes) -> Root | None:
    """The root of an SVG that declares entities; without a size if there is more to it."""
    plain, cut = SUBSET.subn(b"", text, count=1)
    if not cut:
        return None
    try:
        _parse(REFERENCE.sub(b"", plain))
    except _Reached as root:
        return Root(root.name, _size(root.attributes))
    except (_Entity, expat.ExpatError, ValueError, LookupError):
        return Root("svg")
    return Root("svg")


def _size(attributes: dict[str, str]) -> Size | None:
    width, height = _pixels(attributes.get("width")), _pixels(attributes.get("height"))
    box = _box(attributes.get("viewBox"))
    if box and not width and not height:
        width, height = box
    elif box and width and not height:
        height = width * box[1] / box[0]
    elif box and height and not width:
        width = height * box[0] / box[1]
    if not width or not height or max(width, height) > HUGE:
        return None
    return Size(max(1, round(width)), max(1, round(height)))


def _pixels(text: str | None) -> float | None:
    match = LENGTH.fullmatch(text.lower()[:99]) if text else None
    factor = PIXELS.get(match[2]) if match else None
    return float(match[1]) * factor if match and factor else None


def _box(text: str | None) -> tuple[float, float] | None:
    try:
        _, _, width, height = (float(part) for part in re.split(r"[\s,]+", (text or "").strip()))
    except ValueError:
        return None
    return (width, height) if 0 < width < HUGE and 0 < height < HUGE else None


def fault(data: bytes) -> str | None:
    """Why a whole SVG cannot be read to its end; None if it can. Entities are cut out, not followed."""
    text = REFERENCE.sub(b"", SUBSET.sub(b"", data, count=1)) if SUBSET.search(data) else data
    parser = expat.ParserCreate()
    parser.EntityDeclHandler = _refuse
    try:
        parser.Parse(text, True)
    except _Entity:
        return "an SVG that declares entities in a way that is not understood"
    except (expat.ExpatError, ValueError, LookupError) as exc:
        return f"an SVG that is no XML to its end: {exc}"
    return None
