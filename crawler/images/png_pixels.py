"""Whether all pixels of a PNG are there, by the format's own rules: its stream is inflated, and counted."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from types import MappingProxyType
from typing import Final, Protocol

from crawler.images.formats.png import APPLE_CHUNK_BYTES, FIRST_CHUNK_OFFSET, is_sound

SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
END_CHUNK: Final = b"\0\0\0\0IEND\xaeB`\x82"
SAMPLES: Final = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}  # by colour type (PNG, third edition, 11.2.1)
INFLATE_BYTES: Final = 1024 * 1024  # that are held at once
ZLIB_HEADER_BYTES: Final = 2
DICTIONARY_FLAG: Final = 0x20
PIXEL_OFFSETS: Final = MappingProxyType({b"IDAT": 0, b"fdAT": 4})  # bytes before the stream
PICTURE_CHUNKS: Final = frozenset({b"IHDR", b"PLTE", b"tRNS", b"IDAT"})
# Left, top, step right, step down of each pass of an interlaced picture (8.1).
PASSES: Final = (
    (0, 0, 8, 8),
    (4, 0, 8, 8),
    (0, 4, 4, 8),
    (2, 0, 4, 4),
    (0, 2, 2, 4),
    (1, 0, 2, 2),
    (0, 1, 1, 2),
)


class Inflater(Protocol):
    """What `zlib.decompressobj` gives; the standard library has no public name for its type."""

    @property
    def eof(self) -> bool:
        """Whether the stream has ended."""

    @property
    def unconsumed_tail(self) -> bytes:
        """What was not inflated yet."""

    def decompress(self, data: bytes, max_length: int = ..., /) -> bytes:
        """At most so many bytes of what a part of the stream gives."""


def chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Each chunk: its name, and where its content begins and ends; the last one may end behind the file."""
    at = FIRST_CHUNK_OFFSET
    while at + 8 <= len(data):
        length = int.from_bytes(data[at : at + 4], "big")
        yield data[at + 4 : at + 8], at + 8, at + 8 + length
        at += length + 12


def has_all_pixels(data: bytes) -> bool:
    """Whether the stream of the picture inflates without a fault to as many bytes as its rows take.

    A wrong checksum at its end is passed over where those of its chunks are right: an encoder made it.
    """
    if _has_all_bytes(data, _stream(data), zlib.decompressobj()):
        return True
    return _is_sound(data) and _has_all_bytes(data, _deflated(data), zlib.decompressobj(-zlib.MAX_WBITS))


def _has_all_bytes(data: bytes, stream: Iterator[bytes], inflater: Inflater) -> bool:
    bytes_left = _stream_bytes(data)
    for chunk in stream:
        part = chunk
        while part and not inflater.eof and bytes_left > -INFLATE_BYTES:
            try:
                bytes_left -= len(inflater.decompress(part, INFLATE_BYTES))
            except zlib.error:
                return False
            part = inflater.unconsumed_tail
    return bytes_left <= 0


def _stream(data: bytes) -> Iterator[bytes]:
    return (data[start:end] for name, start, end in chunks(data) if name == b"IDAT")


def _is_sound(data: bytes) -> bool:
    """Whether no chunk of pixels has a wrong checksum."""
    return all(is_sound(data, start, end - start) for name, start, end in chunks(data) if name == b"IDAT")


def has_all_frames(data: bytes) -> bool:
    """Whether an animation without an end chunk has as many frames as it says, the last one to its end."""
    frames_left, inflater = 0, zlib.decompressobj()
    for name, start, end in chunks(data):
        if end > len(data):
            return False
        if name == b"acTL":
            frames_left += int.from_bytes(data[start : start + 4], "big")
        elif name == b"fcTL":
            frames_left, inflater = frames_left - 1, zlib.decompressobj()
        elif name in PIXEL_OFFSETS and not _inflates(inflater, data[start + PIXEL_OFFSETS[name] : end]):
            return False
    return frames_left <= 0 and inflater.eof


def _inflates(inflater: Inflater, part: bytes) -> bool:
    """Whether a part of a stream inflates; what it gives is dropped."""
    while part and not inflater.eof:
        try:
            inflater.decompress(part, INFLATE_BYTES)
        except zlib.error:
            return False
        part = inflater.unconsumed_tail
    return True


def _deflated(data: bytes) -> Iterator[bytes]:
    """The stream of the picture without the header of zlib; nothing if that is none (RFC 1950, 2.2)."""
    stream = b"".join(_stream(data))
    if len(stream) > ZLIB_HEADER_BYTES and _is_zlib(*stream[:ZLIB_HEADER_BYTES]):
        yield stream[ZLIB_HEADER_BYTES:]


def _is_zlib(method: int, flags: int) -> bool:
    """Whether two bytes begin a stream of zlib without a dictionary."""
    return method & 15 == zlib.DEFLATED and not flags & DICTIONARY_FLAG and not (method << 8 | flags) % 31


def still(data: bytes) -> bytes:
    """The same picture with nothing but its pixels: what browsers fall back to, and every reader takes."""
    parts = [SIGNATURE]
    for name, start, end in chunks(data):
        content = data[start:end]
        checksum = zlib.crc32(name + content)
        if name == b"tRNS" and checksum.to_bytes(4, "big") != data[end : end + 4]:
            continue
        if name in PICTURE_CHUNKS:
            parts.append(struct.pack(">I", len(content)) + name + content + struct.pack(">I", checksum))
    return b"".join((*parts, END_CHUNK))


def _stream_bytes(data: bytes) -> int:
    """Bytes of all rows, each with its filter (7.2, 9.2)."""
    start = FIRST_CHUNK_OFFSET + (APPLE_CHUNK_BYTES if data[12:16] == b"CgBI" else 0) + 8
    width, height, depth, colour, _, _, interlacing = struct.unpack_from(">IIBBBBB", data, start)
    bits = depth * SAMPLES.get(colour, 1)
    passes = PASSES if interlacing else ((0, 0, 1, 1),)
    sizes = (
        (_steps(width, x_offset, right), _steps(height, y_offset, down))
        for x_offset, y_offset, right, down in passes
    )
    return sum(rows * (1 + (columns * bits + 7) // 8) for columns, rows in sizes if columns)


def _steps(length: int, start: int, step: int) -> int:
    return max(0, -(-(length - start) // step))
