"""Whether a file is whole, by its structure alone: no pixel is decoded.

A format stands here if its structure tells where it ends: checksums of PNG chunks, the end marker
of JPEG, the sizes of RIFF chunks and of boxes, the blocks of GIF. Nobody says so of the others.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Iterator
from types import MappingProxyType
from typing import Final

from crawler.pixels import svg

ENTROPY_END: Final = re.compile(rb"\xff[\x01-\xcf\xd8-\xfe]")  # ITU T.81, B.1.1.5: a marker that ends a scan
JPEG_END: Final = 0xD9
JPEG_SCAN: Final = 0xDA
JPEG_BARE: Final = frozenset({0x01, *range(0xD0, 0xD9)})
CODESTREAM: Final = b"\xff\x4f\xff\x51"  # a bare codestream of JPEG 2000
GIF_TABLE: Final = 0x80  # flag: a table of colours follows, of 3 * 2 ** (n + 1) bytes
PIXELS: Final = frozenset({b"VP8 ", b"VP8L", b"ANMF"})
ISO_PIXELS: Final = frozenset({b"mdat", b"jp2c", b"jxlc", b"jxlp"})


def fault(data: bytes, kind: str) -> str | None:
    """Why a whole file of this format ends before its end; None if it does not, or nobody can tell."""
    look = READERS.get(kind)
    try:
        return look(data) if look else None
    except IndexError:
        return f"{kind} that breaks off after {len(data)} bytes"


def told(kind: str) -> bool:
    """Whether the structure of a format tells where it ends."""
    return kind in READERS


def _png(data: bytes) -> str | None:
    at, pixels = 8, False
    while at + 12 <= len(data):
        length, name = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8]
        end = at + 12 + length
        if end > len(data):
            break
        # PNG, third edition, 5.4: a capital says that nobody can do without the chunk.
        if name[:1].isupper() and zlib.crc32(memoryview(data)[at + 4 : end - 4]) != _long(data, end - 4):
            return f"PNG whose chunk {name.decode('latin-1')!r} has a wrong checksum"
        if name == b"IEND":
            return None if pixels else "PNG without pixels"
        pixels = pixels or name == b"IDAT"
        at = end
    return f"PNG that breaks off after {len(data)} bytes"


def _long(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + 4], "big")


def _jpeg(data: bytes) -> str | None:
    at, scans = 2, 0
    while True:
        found = ENTROPY_END.search(data, at)
        if found is None:
            return f"JPEG without its end marker: it breaks off after {len(data)} bytes"
        code, at = data[found.end() - 1], found.end()
        if code == JPEG_END:
            return None if scans else "JPEG without a scan"
        if code not in JPEG_BARE:
            scans += code == JPEG_SCAN
            at += max(2, int.from_bytes(data[at : at + 2], "big"))


def _webp(data: bytes) -> str | None:
    end = 8 + int.from_bytes(data[4:8], "little")
    if end > len(data):
        return f"WebP of {end} bytes that breaks off after {len(data)}"
    at, pixels = 12, False
    while at + 8 <= end:
        length = int.from_bytes(data[at + 4 : at + 8], "little")
        pixels = pixels or data[at : at + 4] in PIXELS
        at += 8 + length
        if at > end:
            return "WebP whose last chunk is longer than the file"
        at += length % 2
    return None if pixels else "WebP without pixels"


def _gif(data: bytes) -> str | None:
    at, images = 13 + _table(data[10]), 0
    while at < len(data):
        mark, at = data[at], at + 1
        if mark == ord(";"):
            return None if images else "GIF without pixels"
        if mark == ord("!"):
            at = _blocks(data, at + 1)
        elif mark == ord(","):
            at = _blocks(data, at + 9 + _table(data[at + 8]) + 1)
            images += 1
        else:
            return f"GIF with an unknown block at byte {at}"
    return f"GIF without its trailer: it breaks off after {len(data)} bytes"


def _table(flags: int) -> int:
    return 3 << ((flags & 7) + 1) if flags & GIF_TABLE else 0


def _blocks(data: bytes, at: int) -> int:
    """Where the blocks end that begin here, each with its length before it, the last one empty."""
    while data[at]:
        at += data[at] + 1
    return at + 1


def _boxed(data: bytes) -> str | None:
    pixels = False
    for name, end in _boxes(data):
        if end > len(data):
            return f"box {name.decode('latin-1')!r} ends at byte {end}, the file after {len(data)}"
        pixels = pixels or name in ISO_PIXELS or (name == b"meta" and b"idat" in data[:end])
    return None if pixels else f"boxes without pixels: they break off after {len(data)} bytes"


def _boxes(data: bytes) -> Iterator[tuple[bytes, int]]:
    """Each box of the file, and where it ends (ISO/IEC 14496-12, 4.2)."""
    at = 0
    while at + 8 <= len(data):
        length, least = _long(data, at), 8
        if length == 1:
            length, least = int.from_bytes(data[at + 8 : at + 16], "big"), 16
        end = len(data) if length == 0 else at + max(length, least)
        yield data[at + 4 : at + 8], end
        at = end


def _jpeg2000(data: bytes) -> str | None:
    if not data.startswith(CODESTREAM):
        return _boxed(data)
    return None if data.rstrip(b"\0").endswith(b"\xff\xd9") else "JPEG 2000 without its end marker"


def _jxl(data: bytes) -> str | None:
    return None if data.startswith(b"\xff\x0a") else _boxed(data)


READERS: Final = MappingProxyType[str, Callable[[bytes], str | None]](
    {
        "PNG": _png,
        "JPEG": _jpeg,
        "WEBP": _webp,
        "GIF": _gif,
        "AVIF": _boxed,
        "HEIC": _boxed,
        "HEIF": _boxed,
        "JPEG2000": _jpeg2000,
        "JXL": _jxl,
        "SVG": svg.fault,
    }
)
