"""JPEG: size and orientation lie in its first segments, and each says where the next begins."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from types import MappingProxyType
from typing import Final

from crawler.images.formats import tiff
from crawler.images.formats.header import HeaderCut, ImageHeader, need
from storage.model import Size

FRAME_MARKERS: Final = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC})  # ITU T.81, table B.1
STANDALONE_MARKERS: Final = frozenset({0x01, *range(0xD0, 0xD9)})  # markers without a segment
END_MARKER: Final = 0xD9
NO_FRAME_MARKERS: Final = frozenset({END_MARKER, 0xDA})  # end of image, start of scan: no frame header came
APP1_MARKER: Final = 0xE1  # where EXIF lies
EXIF: Final = b"Exif\0"  # and one byte more, which browsers do not look at
MODE_BY_COMPONENTS: Final = MappingProxyType({1: "L", 3: "RGB", 4: "CMYK"})  # by the number of components
MAX_SEGMENTS: Final = 4096  # before the frame; a profile of 16 MB takes 255
MAX_GARBAGE_BYTES: Final = 65_536  # bytes between two segments that decoders would pass over


def read(data: bytes) -> ImageHeader | None:
    """The first frame header, and the orientation of the first EXIF block; None if no frame can come.

    Browsers take the first EXIF block before the scan, even if it says nothing. One that stands behind
    the frame header counts if these bytes reach it.

    Raises:
        HeaderCut: the frame header lies behind these bytes.
    """
    frame: ImageHeader | None = None
    orientation: int | None = None
    try:
        for marker, at, length in segments(data):
            if marker in NO_FRAME_MARKERS:
                break
            if marker in FRAME_MARKERS and frame is None:
                frame = _frame(data, at)
            elif marker == APP1_MARKER and orientation is None:
                orientation = _orientation(data, at, length)
            if frame is not None and orientation is not None:
                break
    except HeaderCut:
        if frame is None:
            raise
    return replace(frame, orientation=orientation or 1) if frame else None


def segments(data: bytes, position: int = 2) -> Iterator[tuple[int, int, int]]:
    """The segments from a position: marker, where the length stands, and that length.

    Raises:
        HeaderCut: one of them begins behind these bytes.
    """
    for _ in range(MAX_SEGMENTS):
        at = _marker(data, position)
        if at is None:
            return
        position = at + 1
        if data[at] in STANDALONE_MARKERS:
            continue
        if data[at] == END_MARKER:
            yield END_MARKER, position, 0
            return
        length = _number(data, position)
        yield data[at], position, length
        position += max(length, 2)


def _marker(data: bytes, position: int) -> int | None:
    """The position of the next marker's code; fill bytes and some garbage are passed over."""
    at = position
    while at - position < MAX_GARBAGE_BYTES:
        at = data.find(b"\xff", at)
        if at < 0:
            break
        need(data, at + 2)
        at += 1
        if data[at] not in {0x00, 0xFF}:
            return at
    if len(data) - position < MAX_GARBAGE_BYTES:
        raise HeaderCut(max(position, len(data)) + 64)
    return None


def _number(data: bytes, at: int) -> int:
    need(data, at + 2)
    return int.from_bytes(data[at : at + 2], "big")


def _frame(data: bytes, at: int) -> ImageHeader:
    need(data, at + 8)
    size = Size(_number(data, at + 5), _number(data, at + 3))
    return ImageHeader(size, frames=1, mode=MODE_BY_COMPONENTS.get(data[at + 7]))


def _orientation(data: bytes, at: int, length: int) -> int | None:
    """The orientation of an EXIF block; None if the segment holds something else."""
    need(data, at + 8)
    if data[at + 2 : at + 7] != EXIF:
        return None
    need(data, at + length)
    return tiff.orientation(data[at + 8 : at + length])
