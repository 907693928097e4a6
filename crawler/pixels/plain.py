"""Formats whose size stands at a fixed place: BMP, GIF, ICO, PSD, DDS."""

from __future__ import annotations

import struct
from typing import Final

from crawler.pixels.borrowed import by_imagesize
from crawler.pixels.head import Head, need
from storage.model import Size

CORE: Final = 12  # length of the header of OS/2 1, whose sides have 16 bits
LENGTHS: Final = frozenset({CORE, *range(16, 65, 4), 108, 124})  # of the headers that BMP has had
DEPTHS: Final = frozenset({0, 1, 2, 4, 8, 16, 24, 32})  # bits a pixel
ENTRY: Final = 16  # bytes of an entry of an icon


def read_bmp(data: bytes) -> Head | None:
    """A bitmap; a negative height says that its rows go down."""
    need(data, 30)
    length = int.from_bytes(data[14:18], "little")
    sides = "<HHHH" if length == CORE else "<iiHH"
    width, height, _, depth = struct.unpack_from(sides, data, 18)
    if length not in LENGTHS or depth not in DEPTHS or width < 0:
        return None
    return Head(Size(width, abs(height)), frames=1)


def read_gif(data: bytes) -> Head | None:
    """The logical screen, which is what browsers show; only the whole file tells more."""
    need(data, 10)
    size = by_imagesize(data[:10])
    return Head(size) if size else None


def read_icon(data: bytes) -> Head | None:
    """The largest picture of an icon, which is the one that browsers show; 0 stands for 256."""
    count = int.from_bytes(data[4:6], "little")
    need(data, 6 + ENTRY * count)
    entries = (data[6 + ENTRY * n : 8 + ENTRY * n] for n in range(count))
    sizes = [Size(entry[0] or 256, entry[1] or 256) for entry in entries]
    largest = max(sizes, key=lambda size: size.width * size.height, default=None)
    return Head(largest, frames=1) if largest else None


def read_psd(data: bytes) -> Head | None:
    """A Photoshop document: height, then width."""
    return _high_wide(data, ">II", 14)


def read_dds(data: bytes) -> Head | None:
    """A DirectDraw surface: height, then width."""
    return _high_wide(data, "<II", 12)


def _high_wide(data: bytes, numbers: str, at: int) -> Head:
    need(data, at + 8)
    height, width = struct.unpack_from(numbers, data, at)
    return Head(Size(width, height))
