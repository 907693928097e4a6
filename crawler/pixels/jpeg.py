"""JPEG: size and orientation lie in its first segments, and each says where the next begins."""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

from crawler.pixels import tiff
from crawler.pixels.head import Cut, Head, need
from storage.model import Size

FRAMES: Final = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC})  # ITU T.81, table B.1
BARE: Final = frozenset({0x01, *range(0xD0, 0xD9)})  # markers without a segment
ENDS: Final = frozenset({0xD9, 0xDA})  # end of image, start of scan: no frame header came
APP1: Final = 0xE1  # where EXIF lies
EXIF: Final = b"Exif\0\0"
MODES: Final = MappingProxyType({1: "L", 3: "RGB", 4: "CMYK"})  # by the number of components
SEGMENTS: Final = 4096  # before the frame; a profile of 16 MB takes 255
GARBAGE: Final = 65_536  # bytes between two segments that decoders would pass over


def read(data: bytes) -> Head | None:
    """What stands before the first frame header and in it; None if none can come.

    Raises:
        Cut: the frame header lies behind these bytes.
    """
    position, orientation = 2, 1
    for _ in range(SEGMENTS):
        at = _marker(data, position)
        if at is None or data[at] in ENDS:
            return None
        position = at + 1
        if data[at] in BARE:
            continue
        length = _number(data, position)
        if data[at] in FRAMES:
            return _frame(data, position, orientation)
        if data[at] == APP1 and orientation == 1:
            orientation = _orientation(data, position, length)
        position += max(length, 2)
    return None


def _marker(data: bytes, position: int) -> int | None:
    """The position of the next marker's code; fill bytes and some garbage are passed over."""
    at = position
    while at - position < GARBAGE:
        at = data.find(b"\xff", at)
        if at < 0:
            break
        need(data, at + 2)
        at += 1
        if data[at] not in {0x00, 0xFF}:
            return at
    if len(data) - position < GARBAGE:
        raise Cut(max(position, len(data)) + 64)
    return None


def _number(data: bytes, at: int) -> int:
    need(data, at + 2)
    return int.from_bytes(data[at : at + 2], "big")


def _frame(data: bytes, at: int, orientation: int) -> Head:
    need(data, at + 8)
    size = Size(_number(data, at + 5), _number(data, at + 3))
    return Head(size, orientation, frames=1, mode=MODES.get(data[at + 7]))


def _orientation(data: bytes, at: int, length: int) -> int:
    need(data, at + 8)
    if data[at + 2 : at + 8] != EXIF:
        return 1
    need(data, at + length)
    return tiff.orientation(data[at + 8 : at + length])
