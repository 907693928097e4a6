"""AVIF, HEIC and JPEG 2000: boxes in boxes, each with its length and name (ISO/IEC 14496-12).

The size of an AVIF or HEIC is a property (`ispe`) of its primary item; `clap` cuts it, and `irot`
and `imir` turn it, whatever its EXIF says (ISO/IEC 23008-12, 6.5).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Final

from crawler.images.formats.header import ImageHeader, need
from storage.frozen import frozen
from storage.model import Size

MAX_SIBLING_BOXES: Final = 4096  # next to each other; a dozen is usual
UNKNOWN_END_BYTE: Final = 2**62  # the end of a file of unknown length
# Quarters to the left and the axis of a mirror, as the EXIF orientation that looks the same.
TURNS: Final[Mapping[tuple[int, int | None], int]] = MappingProxyType(
    {
        (0, None): 1,
        (1, None): 8,
        (2, None): 3,
        (3, None): 6,
        (0, 0): 4,
        (0, 1): 2,
        (1, 0): 5,
        (1, 1): 7,
        (2, 0): 2,
        (2, 1): 4,
        (3, 0): 7,
        (3, 1): 5,
    }
)


@frozen
class Box:
    """One box: its name, and where its content begins and ends."""

    name: bytes
    start: int
    end: int


def boxes(data: bytes, start: int = 0, end: int = UNKNOWN_END_BYTE) -> Iterator[Box]:
    """The boxes that lie next to each other from `start` to `end`.

    Raises:
        HeaderCut: one of them begins behind these bytes.
    """
    for _ in range(MAX_SIBLING_BOXES):
        if start + 8 > end:
            return
        need(data, start + 8)
        length, head = int.from_bytes(data[start : start + 4], "big"), 8
        if length == 1:
            need(data, start + 16)
            length, head = int.from_bytes(data[start + 8 : start + 16], "big"), 16
        elif length == 0:
            length = end - start
        if length < head:
            return
        yield Box(data[start + 4 : start + 8], start + head, min(start + length, end))
        start += length


def find(data: bytes, name: bytes, within: Box | None = None, skip: int = 0) -> Box | None:
    """The first box of this name in another one (or in the file), behind `skip` bytes of it."""
    start, end = (within.start + skip, within.end) if within else (0, UNKNOWN_END_BYTE)
    return next((box for box in boxes(data, start, end) if box.name == name), None)


def read_item(data: bytes) -> ImageHeader | None:
    """The primary item of an AVIF or HEIC file."""
    meta = find(data, b"meta")
    if meta is None:
        return None
    need(data, meta.end)
    properties = find(data, b"iprp", meta, 4)
    container = properties and find(data, b"ipco", properties)
    if properties is None or container is None:
        return None
    property_boxes = list(boxes(data, container.start, container.end))
    numbers = _of_primary(data, meta, properties, len(property_boxes))
    return _head(data, [property_boxes[n - 1] for n in numbers if 0 < n <= len(property_boxes)])


def _of_primary(data: bytes, meta: Box, properties: Box, count: int) -> list[int]:
    """The numbers of the primary item's properties; all of them where the file does not say."""
    primary = find(data, b"pitm", meta, 4)
    links = find(data, b"ipma", properties)
    all_numbers = list(range(1, count + 1))
    if primary is None or links is None or not data[links.start : links.end]:
        return all_numbers
    wide = data[primary.start : primary.start + 1] != b"\0"
    item = int.from_bytes(data[primary.start + 4 : primary.start + (8 if wide else 6)], "big")
    return dict(_links(data[links.start : links.end])).get(item, all_numbers)


def _links(table: bytes) -> Iterator[tuple[int, list[int]]]:
    """Each item with the numbers of its properties (`ipma`); ends where the table does."""
    id_bytes = 2 if table[0] == 0 else 4
    number_bytes = 2 if table[3:4] and table[3] & 1 else 1
    at = 8
    while at + id_bytes < len(table):
        item, count = int.from_bytes(table[at : at + id_bytes], "big"), table[at + id_bytes]
        at += id_bytes + 1
        ends = range(at, at + count * number_bytes, number_bytes)
        # The highest bit says that a reader must know the property.
        mask = (1 << (8 * number_bytes - 1)) - 1
        yield item, [int.from_bytes(table[n : n + number_bytes], "big") & mask for n in ends]
        at += count * number_bytes


def _head(data: bytes, properties: list[Box]) -> ImageHeader | None:
    contents = {box.name: data[box.start : box.end] for box in properties}
    size = contents.get(b"ispe", b"")
    if len(size) < 12:  # noqa: PLR2004 - version, flags, width, height
        return None
    stored_size = Size(*struct.unpack_from(">II", size, 4))
    quarters = contents.get(b"irot", b"\0")[:1] or b"\0"
    mirror = contents.get(b"imir", b"")[:1]
    turn = TURNS[quarters[0] & 3, mirror[0] & 1 if mirror else None]
    return ImageHeader(_cut(stored_size, contents.get(b"clap", b"")), turn)


def _cut(size: Size, aperture: bytes) -> Size:
    """The part of a picture that is shown, if its clean aperture makes sense."""
    if len(aperture) < 16:  # noqa: PLR2004 - two fractions
        return size
    wide, by, high, by_too = struct.unpack_from(">IIII", aperture)
    if not by or not by_too or not 0 < wide // by <= size.width or not 0 < high // by_too <= size.height:
        return size
    return Size(wide // by, high // by_too)


def read_jpeg2000(data: bytes) -> ImageHeader | None:
    """The image header of a JP2 file, or the size marker of a bare codestream."""
    if data.startswith(b"\xff\x4f"):
        need(data, 24)
        wide, high, x_offset, y_offset = struct.unpack_from(">IIII", data, 8)
        size = Size(wide - x_offset, high - y_offset)
        return ImageHeader(size) if size.width > 0 and size.height > 0 else None
    outer = find(data, b"jp2h")
    inner = outer and find(data, b"ihdr", outer)
    if inner is None:
        return None
    need(data, inner.start + 8)
    height, width = struct.unpack_from(">II", data, inner.start)
    return ImageHeader(Size(width, height))
