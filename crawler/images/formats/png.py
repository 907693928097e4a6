"""PNG: the size in its first chunk; frames, orientation and transparency before its pixels."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import replace
from types import MappingProxyType
from typing import Final

from crawler.images.formats import tiff
from crawler.images.formats.header import ImageHeader, need
from storage.model import Size

FIRST_CHUNK_OFFSET: Final = 8  # where the first chunk begins
APPLE_CHUNK_BYTES: Final = 16  # bytes of the chunk that Xcode puts before the first one
MAX_PNG_INTEGER: Final = 2**31 - 1  # PNG, third edition, 7.1: no number is larger
MAX_PNG_CHUNKS: Final = 4096  # before the pixels; twenty are defined
MODE_BY_COLOUR_TYPE: Final = MappingProxyType({0: "L", 2: "RGB", 3: "P", 4: "LA", 6: "RGBA"})
MODE_BY_DEPTH_AND_TYPE: Final = MappingProxyType({(1, 0): "1", (16, 0): "I;16", (16, 4): "RGBA"})
KNOWN_METHODS: Final = ((0, 0, 0), (0, 0, 1))  # of compression, filter and interlacing
DEPTHS_BY_COLOUR_TYPE: Final = MappingProxyType(  # PNG, third edition, 11.2.1: bits a sample, by colour type
    {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}
)


def read(data: bytes) -> ImageHeader | None:
    """The size, and what stands between it and the pixels as far as these bytes go.

    Raises:
        HeaderCut: the size lies behind these bytes.
    """
    start = FIRST_CHUNK_OFFSET + (APPLE_CHUNK_BYTES if data[12:16] == b"CgBI" else 0)
    end = start + 25
    need(data, end)
    name, width, height, depth, colour, *methods = struct.unpack_from(">4sIIBBBBB", data, start + 4)
    (checksum,) = struct.unpack_from(">I", data, end - 4)
    # Browsers refuse a first chunk whose checksum is wrong.
    if name != b"IHDR" or checksum != zlib.crc32(data[start + 4 : end - 4]):
        return None
    if max(width, height) > MAX_PNG_INTEGER or depth not in DEPTHS_BY_COLOUR_TYPE.get(colour, ()):
        return None
    if tuple(methods) not in KNOWN_METHODS:
        return None
    mode = MODE_BY_DEPTH_AND_TYPE.get((depth, colour), MODE_BY_COLOUR_TYPE.get(colour))
    return _with_rest(data, end, ImageHeader(Size(width, height), mode=mode))


def _with_rest(data: bytes, start: int, head: ImageHeader) -> ImageHeader:
    """Add the frames (1 unless animated, unknown before the pixels begin) and the orientation."""
    has_exif = False  # the first one counts, and only before the pixels
    for name, at, length in chunks(data, start):
        if name == b"IDAT":
            return head if head.frames else replace(head, frames=1)
        if name == b"acTL" and at + 4 <= len(data):
            head = replace(head, frames=_frames(int.from_bytes(data[at : at + 4], "big")))
        elif name == b"eXIf" and not has_exif and is_sound(data, at, length):
            has_exif = True
            head = replace(head, orientation=tiff.orientation(data[at : at + length]))
    return head


def _frames(count: int) -> int:
    """The frames that an animation announces; with a number that the format does not allow, it is none."""
    return count if 0 < count <= MAX_PNG_INTEGER else 1


def is_sound(data: bytes, at: int, length: int) -> bool:
    """Whether all of a chunk's content is there, and its checksum right; `at` is where it begins."""
    end = at + length
    return zlib.crc32(memoryview(data)[at - 4 : end]).to_bytes(4, "big") == data[end : end + 4]


def chunks(data: bytes, start: int) -> Iterator[tuple[bytes, int, int]]:
    """The chunks that begin in these bytes: name, where its content begins, and its length."""
    for _ in range(MAX_PNG_CHUNKS):
        if start + 8 > len(data):
            return
        length = int.from_bytes(data[start : start + 4], "big")
        yield data[start + 4 : start + 8], start + 8, length
        start += length + 12
