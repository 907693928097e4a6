"""WebP: imagesize reads its size, flags tell of transparency and frames. Browsers ignore its EXIF."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from crawler.images.formats.header import ImageHeader, need
from crawler.images.formats.libraries import by_imagesize
from storage.frozen import frozen

WEBP_HEADER_BYTES: Final = 30  # bytes that tell the size in each of its three forms
ALPHA_FLAG: Final = 0x10  # RFC 9649, 2.7: flags of VP8X
ANIMATION_FLAG: Final = 0x02
LOSSLESS_ALPHA_FLAG: Final = 0x10  # RFC 9649, 3.4: bit 28 of the head

FIRST_CHUNK_BYTE: Final = 12
CHUNK_HEADER_BYTES: Final = 8
ZERO_NAME: Final = bytes(4)
MAX_RIFF_BYTES: Final = 2**32 - 10  # what libwebp takes, and so browsers


@frozen
class WebpChunk:
    """One chunk: its name, and where its content begins and ends; a length that is odd is padded."""

    name: bytes
    start: int
    end: int

    @property
    def padded_end(self) -> int:
        """Where the next chunk begins."""
        return self.end + (self.end - self.start) % 2


def chunks(data: bytes, end: int) -> Iterator[WebpChunk]:
    """The chunks that begin before `end` and in these bytes; the last one may end behind them."""
    at = FIRST_CHUNK_BYTE
    while at + CHUNK_HEADER_BYTES <= min(end, len(data)):
        start = at + CHUNK_HEADER_BYTES
        chunk = WebpChunk(data[at : at + 4], start, start + int.from_bytes(data[at + 4 : start], "little"))
        yield chunk
        at = chunk.padded_end


def read(data: bytes) -> ImageHeader | None:
    """The size, and what the flags tell."""
    need(data, WEBP_HEADER_BYTES)
    size = by_imagesize(data[:WEBP_HEADER_BYTES])
    if size is None:
        return None
    return ImageHeader(size, frames=_frames(data), mode=_mode(data))


def _frames(data: bytes) -> int | None:
    return None if is_animated(data) else 1


def is_animated(data: bytes) -> bool:
    """Whether the flags say that there are several frames."""
    return data[12:16] == b"VP8X" and bool(data[20] & ANIMATION_FLAG)


def _mode(data: bytes) -> str:
    if data[12:16] == b"VP8X":
        return "RGBA" if data[20] & ALPHA_FLAG else "RGB"
    if data[12:16] == b"VP8L":
        return "RGBA" if data[24] & LOSSLESS_ALPHA_FLAG else "RGB"
    return "RGB"
