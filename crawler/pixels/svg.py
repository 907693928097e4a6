"""SVG: the size that its root element says, by a parser that follows no entity and no network."""

from __future__ import annotations

import contextlib
import re
from typing import Final
from xml.parsers import expat

from storage.model import Size

LENGTH: Final = re.compile(r"\s*(\d*\.?\d+(?:[eE][-+]?\d+)?)\s*([a-z%]*)\s*")
PIXELS: Final = {  # CSS Values 4, 5.2: absolute lengths in px
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
HUGE: Final = 10**7


class _Root(Exception):
    """The root element was reached."""


def read(data: bytes) -> tuple[bool, Size | None]:
    """Whether the root was reached and is svg, and the size it says, if any."""
    found: list[dict[str, str]] = []

    def start(name: str, attributes: dict[str, str]) -> None:
        if name.rpartition(":")[2].lower() == "svg":
            found.append(attributes)
        raise _Root

    parser = expat.ParserCreate()
    parser.StartElementHandler = start
    parser.EntityDeclHandler = _refuse
    with contextlib.suppress(_Root, expat.ExpatError, ValueError, LookupError):
        parser.Parse(data[:LONGEST], False)
    return bool(found), _size(found[0]) if found else None


def _refuse(*_: object) -> None:
    raise ValueError("an image declares no entities")


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
    match = LENGTH.fullmatch(text.lower()) if text else None
    factor = PIXELS.get(match[2]) if match else None
    return float(match[1]) * factor if match and factor else None


def _box(text: str | None) -> tuple[float, float] | None:
    try:
        _, _, width, height = (float(part) for part in re.split(r"[\s,]+", (text or "").strip()))
    except ValueError:
        return None
    return (width, height) if 0 < width < HUGE and 0 < height < HUGE else None
