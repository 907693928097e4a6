"""JPEG XL: the first bits of its codestream tell size and orientation (ISO/IEC 18181-1, D.1)."""

from __future__ import annotations

from fractions import Fraction
from typing import Final

from crawler.images.formats.header import ImageHeader, need
from crawler.images.formats.isobmff import boxes
from storage.model import Size

CODESTREAM_MAGIC: Final = b"\xff\x0a"  # how a codestream begins
MIN_HEADER_BYTES: Final = 16  # bytes of a codestream that hold the longest head
CODESTREAM_BOXES: Final = {b"jxlc": 0, b"jxlp": 4}  # boxes that hold it: bytes before it
SIDE_BITS: Final = (9, 13, 18, 30)  # bits of a side, by a selector of two bits
ASPECT_RATIOS: Final = tuple(Fraction(text) for text in ("1", "6/5", "4/3", "3/2", "16/9", "5/4", "2"))


class BitReader:
    """Numbers out of bytes, the lowest bit first."""

    def __init__(self, data: bytes) -> None:
        self._left = int.from_bytes(data, "little")

    def take(self, count: int) -> int:
        """The next so many bits."""
        value = self._left & ((1 << count) - 1)
        self._left >>= count
        return value


def read(data: bytes) -> ImageHeader | None:
    """The size and orientation of a bare codestream or of the one in a container.

    Raises:
        HeaderCut: it begins behind these bytes.
    """
    at = 0 if data.startswith(CODESTREAM_MAGIC) else _codestream(data)
    if at is None:
        return None
    need(data, at + MIN_HEADER_BYTES)
    if data[at : at + 2] != CODESTREAM_MAGIC:
        return None
    return _head(BitReader(data[at + 2 : at + MIN_HEADER_BYTES]))


def _codestream(data: bytes) -> int | None:
    offsets = (box.start + CODESTREAM_BOXES[box.name] for box in boxes(data) if box.name in CODESTREAM_BOXES)
    return next(offsets, None)


def _head(bits: BitReader) -> ImageHeader:
    small = bits.take(1) == 1
    height = _side(bits, small=small)
    ratio = bits.take(3)
    width = int(height * ASPECT_RATIOS[ratio - 1]) if ratio else _side(bits, small=small)
    plain = bits.take(1) == 1  # everything that follows is as usual
    has_orientation = not plain and bits.take(1) == 1
    return ImageHeader(Size(width, height), bits.take(3) + 1 if has_orientation else 1)


def _side(bits: BitReader, *, small: bool) -> int:
    return 8 * (1 + bits.take(5)) if small else 1 + bits.take(SIDE_BITS[bits.take(2)])
