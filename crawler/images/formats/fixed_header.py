"""Formats whose size stands at a fixed place: BMP, ICO, PSD, DDS."""

from __future__ import annotations

import struct
from typing import Final

from crawler.images.formats.header import ImageHeader, need
from storage.frozen import frozen
from storage.model import Size

CORE_HEADER_BYTES: Final = 12  # length of the header of OS/2 1, whose sides have 16 bits
BMP_HEADER_LENGTHS: Final = frozenset(
    {CORE_HEADER_BYTES, *range(16, 65, 4), 108, 124}
)  # of the headers that BMP has had
BMP_COMPRESSION_BYTES: Final = 20  # of a header that says how its pixels are compressed
BMP_MASKED: Final = frozenset({3, 6})  # compressions with bit fields,
BMP_MASKED_DEPTHS: Final = frozenset({16, 32})  # and the depths that have them
BMP_BIT_DEPTHS: Final = frozenset({0, 1, 2, 4, 8, 16, 24, 32})  # bits a pixel
ICON_ENTRY_BYTES: Final = 16  # bytes of an entry of an icon


@frozen
class IconEntry:
    """One picture of an icon: the size that is told, where it begins, and of how many bytes it is."""

    size: Size
    start: int
    length: int


def read_bmp(data: bytes) -> ImageHeader | None:
    """A bitmap; a negative height says that its rows go down."""
    need(data, 34)
    length = int.from_bytes(data[14:18], "little")
    sides = "<HHHH" if length == CORE_HEADER_BYTES else "<iiHH"
    width, height, _, depth = struct.unpack_from(sides, data, 18)
    if length not in BMP_HEADER_LENGTHS or depth not in BMP_BIT_DEPTHS or width < 0:
        return None
    if bmp_compression(data) in BMP_MASKED and depth not in BMP_MASKED_DEPTHS:
        return None
    return ImageHeader(Size(width, abs(height)), frames=1)


def bmp_compression(data: bytes) -> int:
    """How the pixels of a bitmap are compressed; 0 if they are not, or its header is too short to say so."""
    is_told = int.from_bytes(data[14:18], "little") >= BMP_COMPRESSION_BYTES
    return int.from_bytes(data[30:34], "little") if is_told else 0


def read_icon(data: bytes) -> ImageHeader | None:
    """The largest picture of an icon, which is the one that browsers show; 0 stands for 256."""
    entry = largest_icon(data)
    return ImageHeader(entry.size, frames=1) if entry else None


def largest_icon(data: bytes) -> IconEntry | None:
    """The entry of the largest picture.

    Raises:
        HeaderCut: the entries lie behind these bytes.
    """
    count = int.from_bytes(data[4:6], "little")
    need(data, 6 + ICON_ENTRY_BYTES * count)
    entries = (_icon_entry(data, 6 + ICON_ENTRY_BYTES * n) for n in range(count))
    return max(entries, key=lambda entry: entry.size.width * entry.size.height, default=None)


def _icon_entry(data: bytes, at: int) -> IconEntry:
    length, start = struct.unpack_from("<II", data, at + 8)
    return IconEntry(Size(data[at] or 256, data[at + 1] or 256), start, length)


def read_psd(data: bytes) -> ImageHeader | None:
    """A Photoshop document: height, then width."""
    return _high_wide(data, ">II", 14)


def read_dds(data: bytes) -> ImageHeader | None:
    """A DirectDraw surface: height, then width."""
    return _high_wide(data, "<II", 12)


def _high_wide(data: bytes, numbers: str, at: int) -> ImageHeader:
    need(data, at + 8)
    height, width = struct.unpack_from(numbers, data, at)
    return ImageHeader(Size(width, height))
