"""JPEG XL: the first bits of its codestream tell size and orientation (ISO/IEC 18181-1, D.1)."""

from __future__ import annotations

from fractions import Fraction
from typing import Final

from crawler.pixels.boxes import boxes
from crawler.pixels.head import Head, need
from storage.model import Size

BARE: Final = b"\xff\x0a"  # how a codestream begins
LEAST: Final = 16  # bytes of a codestream that hold the longest head
PARTS: Final = {b"jxlc": 0, b"jxlp": 4}  # boxes that hold it: bytes before it
LENGTHS: Final = (9, 13, 18, 30)  # bits of a side, by a selector of two bits
RATIOS: Final = tuple(Fraction(text) for text in ("1", "6/5", "4/3", "3/2", "16/9", "5/4", "2"))


class Bits:
    """Numbers out of bytes, the lowest bit first."""

    def __init__(self, data: bytes) -> None:
        self._left = int.from_bytes(data, "little")

    def take(self, count: int) -> int:
        """The next so many bits."""
        value = self._left & ((1 << count) - 1)
        self._left >>= count
        return value


def read(data: bytes) -> Head | None:
    """The size and orientation of a bare codestream or of the one in a container.

    Raises:
        Cut: it begins behind these bytes.
    """
    at = 0 if data.startswith(BARE) else _codestream(data)
    if at is None:
        return None
    need(data, at + LEAST)
    if data[at : at + 2] != BARE:
        return None
    return _head(Bits(data[at + 2 : at + LEAST]))


def _codestream(data: bytes) -> int | None:
    found = (box.start + PARTS[box.name] for box in boxes(data) if box.name in PARTS)
    return next(found, None)


def _head(bits: Bits) -> Head:
    small = bits.take(1) == 1
    height = _side(bits, small=small)
    ratio = bits.take(3)
    width = int(height * RATIOS[ratio - 1]) if ratio else _side(bits, small=small)
    plain = bits.take(1) == 1  # everything that follows is as usual
    turned = not plain and bits.take(1) == 1
    return Head(Size(width, height), bits.take(3) + 1 if turned else 1)


def _side(bits: Bits, *, small: bool) -> int:
    return 8 * (1 + bits.take(5)) if small else 1 + bits.take(LENGTHS[bits.take(2)])
