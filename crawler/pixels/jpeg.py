"""JPEG: size and orientation lie in its first segments, and each says where the next begins."""

from __future__ import annotations

from typing import Final

from PIL import Image

from storage.model import Size

FRAMES: Final = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC})  # ITU T.81, table B.1
BARE: Final = frozenset({0x01, *range(0xD0, 0xD9)})  # markers without a segment
APP1: Final = 0xE1  # where EXIF lies
ORIENTATION: Final = 0x0112
SIDEWAYS: Final = 5  # this orientation and those above it swap width and height
TURNED: Final = range(1, 9)


class Cut(Exception):
    """More bytes are needed: `least` in all."""

    def __init__(self, least: int) -> None:
        super().__init__(least)
        self.least = least


def read(data: bytes) -> tuple[Size, int] | None:
    """The stored size and the EXIF orientation; None if there is no frame header.

    Raises:
        Cut: the frame header lies behind these bytes.
    """
    position, orientation = 2, 1
    while True:
        position = _next_marker(data, position)
        marker = data[position]
        position += 1
        if marker in BARE:
            continue
        if marker in {0xD9, 0xDA}:
            return None
        _need(data, position + 2)
        length = int.from_bytes(data[position : position + 2], "big")
        if marker in FRAMES:
            _need(data, position + 7)
            height = int.from_bytes(data[position + 3 : position + 5], "big")
            width = int.from_bytes(data[position + 5 : position + 7], "big")
            return Size(width, height), orientation
        if marker == APP1 and data[position + 2 : position + 8] == b"Exif\0\0":
            _need(data, position + length)
            orientation = exif_orientation(data[position + 2 : position + length])
        position += max(length, 2)


def _next_marker(data: bytes, position: int) -> int:
    """The position of the next marker's code; fill bytes and garbage before it are passed over."""
    while True:
        found = data.find(b"\xff", position)
        if found < 0:
            raise Cut(max(position, len(data)) + 64)
        _need(data, found + 2)
        if data[found + 1] not in {0x00, 0xFF}:
            return found + 1
        position = found + 1


def _need(data: bytes, least: int) -> None:
    if len(data) < least:
        raise Cut(least)


def exif_orientation(block: bytes) -> int:
    """The orientation of an EXIF block, 1 where it says none that exists."""
    exif = Image.Exif()
    try:
        exif.load(block)
        value = exif.get(ORIENTATION, 1)
    except Exception:  # noqa: BLE001 - a broken EXIF block says nothing, in whatever way it breaks
        return 1
    return value if isinstance(value, int) and value in TURNED else 1
