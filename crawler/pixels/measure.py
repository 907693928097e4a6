"""Size, format and orientation of an image from its leading bytes, or why there are none.

A reader a format stands behind it. What only a whole file tells (frames, mode) is Pillow's word.
The orientation is what the leading bytes tell: a WebP keeps its EXIF at the end, a PNG may.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, TypeAlias

from crawler.pixels import boxes, jpeg, jxl, plain, png, svg, tiff, webp
from crawler.pixels.borrowed import by_pillow
from crawler.pixels.head import Cut, Head
from crawler.pixels.kinds import SHORTEST, foreign_kind, image_kind, other_kind, svg_inside
from storage.model import Picture, Size

SIDEWAYS: Final = 5  # this orientation and those above it swap width and height
READERS: Final = MappingProxyType[str, Callable[[bytes], Head | None]](
    {
        "JPEG": jpeg.read,
        "PNG": png.read,
        "WEBP": webp.read,
        "AVIF": boxes.read_item,
        "HEIC": boxes.read_item,
        "HEIF": boxes.read_item,
        "GIF": plain.read_gif,
        "BMP": plain.read_bmp,
        "ICO": plain.read_icon,
        "CUR": plain.read_icon,
        "TIFF": tiff.read,
        "JPEG2000": boxes.read_jpeg2000,
        "JXL": jxl.read,
        "PSD": plain.read_psd,
        "DDS": plain.read_dds,
    }
)


@dataclass(frozen=True, slots=True)
class More:
    """The size lies behind these bytes: ask for `least` bytes in all. `format` is known already."""

    least: int
    format: str | None = None


@dataclass(frozen=True, slots=True)
class NotImage:
    """The bytes are no image; `what` says what they are."""

    what: str


@dataclass(frozen=True, slots=True)
class Broken:
    """The bytes begin as an image, or as nothing at all, and lead to no size."""

    why: str


Measure: TypeAlias = Picture | More | NotImage | Broken


def measure(data: bytes, *, complete: bool) -> Measure:
    """Say what the bytes are; `complete` if they are the whole file.

    Never raises, whatever the bytes; `More` only if they are not the whole file.
    """
    if len(data) < SHORTEST and not complete:
        return More(SHORTEST)
    if not data:
        return Broken("the body is empty")
    kind = image_kind(data)
    if kind is not None:
        return _raster(data, kind, complete=complete)
    return _text(data, complete=complete) if svg.begins(data) else _other(data)


def _raster(data: bytes, kind: str, *, complete: bool) -> Measure:
    try:
        head = READERS[kind](data)
    except Cut as exc:
        return Broken(f"{kind} that ends before its size") if complete else More(exc.least, kind)
    if head is None:
        return Broken(f"{kind} whose header leads to no size")
    if not (head.size.width and head.size.height):
        return Broken(f"{kind} that says it is {head.size}")
    return _picture(kind, head, by_pillow(data, kind) if complete else None)


def _picture(kind: str, head: Head, whole: Head | None) -> Picture:
    """Join what the header says with what Pillow knows of the whole file."""
    stored = head.size
    shown = Size(stored.height, stored.width) if head.orientation >= SIDEWAYS else stored
    frames = head.frames or (whole.frames if whole else None)
    mode = head.mode or (whole.mode if whole else None)
    return Picture(shown, stored, kind, head.orientation, frames, mode)


def _text(data: bytes, *, complete: bool) -> Measure:
    try:
        root = svg.read(data, complete=complete)
    except Cut as exc:
        return More(exc.least)
    if root is not None and root.name == "svg":
        return Picture(root.size, root.size, "SVG")
    if root is None and svg_inside(data):
        return Broken("an SVG whose root cannot be read")
    return _other(data)


def _other(data: bytes) -> NotImage | Broken:
    foreign = foreign_kind(data)
    if foreign is not None:
        return Broken(f"a picture in a format that no page shows: {foreign}")
    what = other_kind(data)
    return NotImage(what) if what else Broken("no image format begins like this")
