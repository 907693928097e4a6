"""WebP: imagesize reads its size; flags tell of transparency and frames, EXIF stands at the end."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from crawler.pixels import tiff
from crawler.pixels.borrowed import by_imagesize
from crawler.pixels.head import Head, need

LEAST: Final = 30  # bytes that tell the size in each of its three forms
ALPHA: Final = 0x10  # RFC 9649, 2.7: flags of VP8X
ANIMATED: Final = 0x02
LOSSLESS_ALPHA: Final = 0x10  # RFC 9649, 3.4: bit 28 of the head
CHUNKS: Final = 4096


def read(data: bytes) -> Head | None:
    """The size and what the flags tell; the orientation only if its EXIF is among these bytes."""
    need(data, LEAST)
    size = by_imagesize(data[:LEAST])
    if size is None:
        return None
    return Head(size, _orientation(data), _frames(data), _mode(data))


def _frames(data: bytes) -> int | None:
    return None if data[12:16] == b"VP8X" and data[20] & ANIMATED else 1


def _mode(data: bytes) -> str:
    if data[12:16] == b"VP8X":
        return "RGBA" if data[20] & ALPHA else "RGB"
    if data[12:16] == b"VP8L":
        return "RGBA" if data[24] & LOSSLESS_ALPHA else "RGB"
    return "RGB"


def _orientation(data: bytes) -> int:
    block = next((content for name, content in _chunks(data) if name == b"EXIF"), b"")
    return tiff.orientation(block.removeprefix(b"Exif\0\0"))


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    start = 12
    for _ in range(CHUNKS):
        if start + 8 > len(data):
            return
        length = int.from_bytes(data[start + 4 : start + 8], "little")
        yield data[start : start + 4], data[start + 8 : start + 8 + length]
        start += 8 + length + length % 2
