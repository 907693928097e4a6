"""Size, format and orientation of an image from its leading bytes, or why there are none.

A reader a format stands behind it. What only a whole file tells (frames, mode) is what Pillow reads.
Size and orientation are those that browsers show.
"""

from __future__ import annotations

from collections.abc import Callable
from types import MappingProxyType
from typing import Final, TypeAlias

from crawler.images.formats import fixed_header, gif, isobmff, jpeg, jxl, png, svg, tiff, webp
from crawler.images.formats.header import HeaderCut, ImageHeader
from crawler.images.formats.libraries import by_pillow
from crawler.images.formats.sniff import MIN_SNIFF_BYTES, foreign_kind, image_kind, other_kind, svg_inside
from storage.frozen import frozen
from storage.model import Picture, Size

MAX_STORED_SIDE_PIXELS: Final = 2**31 - 1  # the largest number that the database takes
MAX_FRAMES: Final = 2**31 - 1
FIRST_SIDEWAYS_ORIENTATION: Final = 5  # this orientation and those above it swap width and height
HEADER_READERS: Final = MappingProxyType[str, Callable[[bytes], ImageHeader | None]](
    {
        "JPEG": jpeg.read,
        "PNG": png.read,
        "WEBP": webp.read,
        "AVIF": isobmff.read_item,
        "HEIC": isobmff.read_item,
        "HEIF": isobmff.read_item,
        "GIF": gif.read,
        "BMP": fixed_header.read_bmp,
        "ICO": fixed_header.read_icon,
        "CUR": fixed_header.read_icon,
        "TIFF": tiff.read,
        "JPEG2000": isobmff.read_jpeg2000,
        "JXL": jxl.read,
        "PSD": fixed_header.read_psd,
        "DDS": fixed_header.read_dds,
    }
)


@frozen
class NeedMoreBytes:
    """The size lies behind these bytes: ask for `bytes_needed` bytes in all. `format` is known already."""

    bytes_needed: int
    format: str | None = None


@frozen
class NotImage:
    """The bytes are no image; `what` says what they are."""

    what: str


@frozen
class BrokenHeader:
    """The bytes begin as an image, or as nothing at all, and lead to no size, or browsers show none.

    `cut`: an image that ends before its end.
    """

    why: str
    cut: bool = False


Measure: TypeAlias = Picture | NeedMoreBytes | NotImage | BrokenHeader


def measure(data: bytes, *, complete: bool) -> Measure:
    """Say what the bytes are; `complete` if they are the whole file.

    Never raises, whatever the bytes; `NeedMoreBytes` only if they are not the whole file.
    """
    if len(data) < MIN_SNIFF_BYTES and not complete:
        return NeedMoreBytes(MIN_SNIFF_BYTES)
    if not data:
        return BrokenHeader("the body is empty")
    kind = image_kind(data)
    if kind is not None:
        return _raster(data, kind, complete=complete)
    return _text(data, complete=complete) if svg.begins(data) else _other(data)


def _raster(data: bytes, kind: str, *, complete: bool) -> Measure:
    try:
        head = HEADER_READERS[kind](data)
    except HeaderCut as exc:
        return (
            BrokenHeader(f"{kind} that ends before its size")
            if complete
            else NeedMoreBytes(exc.bytes_needed, kind)
        )
    if head is None:
        return BrokenHeader(f"{kind} whose header leads to no size")
    if max(head.size.width, head.size.height) > MAX_STORED_SIDE_PIXELS:
        return BrokenHeader(f"{kind} that says it is {head.size}")
    if not (head.size.width and head.size.height):
        return BrokenHeader(f"{kind} that says it is {head.size}")
    return _picture(kind, head, by_pillow(data, kind) if complete else None)


def _picture(kind: str, head: ImageHeader, pillow_header: ImageHeader | None) -> Picture:
    """Join what the header says with what Pillow knows of the whole file."""
    stored_size = head.size
    shown_size = (
        Size(stored_size.height, stored_size.width)
        if head.orientation >= FIRST_SIDEWAYS_ORIENTATION
        else stored_size
    )
    frames = head.frames or (pillow_header.frames if pillow_header else None)
    mode = head.mode or (pillow_header.mode if pillow_header else None)
    frames = min(frames, MAX_FRAMES) if frames else None
    return Picture(shown_size, stored_size, kind, head.orientation, frames, mode)


def _text(data: bytes, *, complete: bool) -> Measure:
    try:
        root = svg.read(data, complete=complete)
    except HeaderCut as exc:
        return NeedMoreBytes(exc.bytes_needed)
    if root is not None and root.name == "svg":
        return _svg(data, root, complete=complete)
    if root is None and svg_inside(data):
        return BrokenHeader("an SVG whose root cannot be read")
    return _other(data)


def _svg(data: bytes, root: svg.SvgRoot, *, complete: bool) -> Picture | BrokenHeader:
    """An SVG; of a whole one, only if it is well-formed to its end."""
    if root.namespace != svg.NAMESPACE:
        return BrokenHeader("an SVG without the namespace of SVG: browsers do not show it")
    fault = svg.fault(data) if complete else None
    if fault is not None:
        return BrokenHeader(fault.why, fault.cut)
    return Picture(root.size, root.size, "SVG")


def _other(data: bytes) -> NotImage | BrokenHeader:
    foreign = foreign_kind(data)
    if foreign is not None:
        return BrokenHeader(f"a picture in a format that no page shows: {foreign}")
    kind = other_kind(data)
    return NotImage(kind) if kind else BrokenHeader("no image format begins like this")
