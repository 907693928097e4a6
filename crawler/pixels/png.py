"""PNG: the size in its first chunk; frames, orientation and transparency before its pixels."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import replace
from types import MappingProxyType
from typing import Final

from crawler.pixels import tiff
from crawler.pixels.head import Head, need
from storage.model import Size

FIRST: Final = 8  # where the first chunk begins
APPLE: Final = 16  # bytes of the chunk that Xcode puts before the first one
MOST: Final = 2**31 - 1  # PNG, third edition, 7.1: no number is larger
CHUNKS: Final = 4096  # before the pixels; twenty are defined
MODES: Final = MappingProxyType({0: "L", 2: "RGB", 3: "P", 4: "LA", 6: "RGBA"})  # by colour type
DEEP: Final = MappingProxyType({(1, 0): "1", (16, 0): "I;16", (16, 4): "RGBA"})  # by depth and type
DEPTHS: Final = MappingProxyType(  # PNG, third edition, 11.2.1: bits a sample, by colour type
    {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}
)


def read(data: bytes) -> Head | None:
    """The size, and what stands between it and the pixels as far as these bytes go.

    Raises:
        Cut: the size lies behind these bytes.
    """
    start = FIRST + (APPLE if data[12:16] == b"CgBI" else 0)
    end = start + 25
    need(data, end)
    name, width, height, depth, colour = struct.unpack_from(">4sIIBB", data, start + 4)
    (checksum,) = struct.unpack_from(">I", data, end - 4)
    # Browsers refuse a first chunk whose checksum is wrong.
    if name != b"IHDR" or checksum != zlib.crc32(data[start + 4 : end - 4]):
        return None
    if max(width, height) > MOST or depth not in DEPTHS.get(colour, ()):
        return None
    mode = DEEP.get((depth, colour), MODES.get(colour))
    return _with_rest(data, end, Head(Size(width, height), mode=mode))


def _with_rest(data: bytes, start: int, head: Head) -> Head:
    """Add the frames (1 unless animated, unknown before the pixels begin) and the orientation."""
    for name, at, length in _chunks(data, start):
        if name == b"IDAT":
            return head if head.frames else replace(head, frames=1)
        if name == b"acTL" and at + 4 <= len(data):
            head = replace(head, frames=int.from_bytes(data[at : at + 4], "big"))
        elif name == b"eXIf" and at + length <= len(data):
            head = replace(head, orientation=tiff.orientation(data[at : at + length]))
    return head


def _chunks(data: bytes, start: int) -> Iterator[tuple[bytes, int, int]]:
    """The chunks that begin in these bytes: name, where its content begins, and its length."""
    for _ in range(CHUNKS):
        if start + 8 > len(data):
            return
        length = int.from_bytes(data[start : start + 4], "big")
        yield data[start + 4 : start + 8], start + 8, length
        start += length + 12
