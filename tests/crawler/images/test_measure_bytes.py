"""Measuring bytes made by hand: what is no image, what is broken, and odd headers that are sound."""

from __future__ import annotations

import struct
import zlib
from typing import Any

import pytest

from crawler.images import BrokenHeader, Measure, NeedMoreBytes, NotImage, measure
from storage.model import Picture, Size

pytestmark = pytest.mark.libraries

STORED = Size(40, 30)


def png_head(
    width: int, height: int, depth: int = 8, colour: int = 2, methods: tuple[int, int, int] = (0, 0, 0)
) -> bytes:
    """The signature and the first chunk of a PNG, and the beginning of its pixels."""
    body = b"IHDR" + struct.pack(">IIBBBBB", width, height, depth, colour, *methods)
    chunk = struct.pack(">I", 13) + body + struct.pack(">I", zlib.crc32(body))
    return b"\x89PNG\r\n\x1a\n" + chunk + b"\0\0\0\x08IDAT" + bytes(32)


def stored(found: Measure) -> Size | None:
    """The stored size of a picture."""
    assert isinstance(found, Picture), found
    return found.stored


OTHERS = {
    b"<!doctype html><title>No</title>": "an HTML page",
    b"  \r\n<HTML><body>": "an HTML page",
    b"<!-- a page --><!DOCTYPE html>\n<html lang=de><head>": "an HTML page",
    b"<p>gone</p><script>": "an HTML page",
    b'<?xml version="1.0"?><rss><channel/></rss>': "XML",
    b'{"error": 404}': "JSON",
    b"[]": "JSON",
    b"not found": "text",
    "nicht gefunden, schön".encode(): "text",
    b"%PDF-1.7\n": "a PDF document",
    b"%!PS-Adobe-3.0 EPSF": "a PostScript document",
    b"PK\x03\x04" + bytes(20): "a ZIP archive",
    b"\x1f\x8b\x08" + bytes(20): "gzip data",
    b"\0\0\0\x18ftypisom" + bytes(20): "a video (MP4)",
    b"\x1aE\xdf\xa3" + bytes(20): "a Matroska or WebM video",
}


@pytest.mark.parametrize(("data", "what"), OTHERS.items(), ids=lambda one: str(one)[:20])
def test_what_is_no_image(data: bytes, what: str) -> None:
    """Bytes that are no image are called by what they are."""
    assert measure(data, complete=True) == NotImage(what)
    assert measure(data + b" " * 64, complete=False) in (
        NotImage(what),
        NeedMoreBytes(256),
        NeedMoreBytes(512),
    )


BROKEN = {
    "nothing": (b"", "empty"),
    "unknown bytes": (bytes(range(128, 160)) * 4, "no image format"),
    "a signature alone": (b"\x89PNG\r\n\x1a\n", "ends before its size"),
    "a PNG without its first chunk": (b"\x89PNG\r\n\x1a\n" + bytes(64), "leads to no size"),
    "a PNG of no width": (png_head(0, 9), "0x9"),
    "a PNG of no height": (png_head(9, 0), "9x0"),
    "a PNG of a colour that does not exist": (png_head(9, 9, colour=5), "leads to no size"),
    "a PNG of a depth that does not exist": (png_head(9, 9, depth=3), "leads to no size"),
    "a PNG of another compression": (png_head(9, 9, methods=(1, 0, 0)), "leads to no size"),
    "a PNG of another filter": (png_head(9, 9, methods=(0, 1, 0)), "leads to no size"),
    "a PNG of another interlacing": (png_head(9, 9, methods=(0, 0, 2)), "leads to no size"),
    "a bitmap of 24 bits with masks": (
        b"BM" + bytes(12) + struct.pack("<IiiHHI", 40, 9, 9, 1, 24, 3) + bytes(64),
        "leads to no size",
    ),
    "a PNG wider than a PNG can be": (png_head(2**31, 9), "leads to no size"),
    "a JPEG that ends at once": (b"\xff\xd8\xff\xd9" + bytes(64), "leads to no size"),
    "a JPEG of nothing": (b"\xff\xd8\xff" + bytes(70_000), "leads to no size"),
    "a JPEG of empty segments": (b"\xff\xd8" + b"\xff\xe0\0\x02" * 9000, "leads to no size"),
    "a WebP of no kind": (b"RIFF\x40\0\0\0WEBPVP9 " + bytes(64), "leads to no size"),
    "an icon of no pictures": (b"\0\0\1\0\0\0" + bytes(64), "leads to no size"),
    "a bitmap of a header that never was": (b"BM" + bytes(12) + b"\x42" + bytes(64), "leads to no size"),
    "an AVIF without properties": (
        b"\0\0\0\x10ftypavif\0\0\0\0\0\0\0\x10meta" + bytes(8),
        "leads to no size",
    ),
    "a TIFF whose directory never comes": (b"II*\0\xff\xff\xff\x7f" + bytes(64), "ends before its size"),
    "a TIFF without a size": (b"II*\0\x08\0\0\0\0\0" + bytes(64), "leads to no size"),
    "a format that pages do not show": (b"P6 40 30 255\n" + bytes(64), "Netpbm"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_header(name: str) -> None:
    """Bytes that begin as an image and lead to no size are broken, and say why."""
    data, why = BROKEN[name]
    found = measure(data, complete=True)
    assert isinstance(found, BrokenHeader)
    assert why in found.why


def test_a_size_that_no_memory_holds() -> None:
    """A header that claims a billion pixels a side is a fact, and costs nothing."""
    found = measure(png_head(10**9, 10**9), complete=False)
    assert stored(found) == Size(10**9, 10**9)


def test_a_bitmap_of_the_first_days() -> None:
    """A bitmap of OS/2 1 has sides of sixteen bits."""
    data = b"BM" + bytes(12) + struct.pack("<IHHHH", 12, 40, 30, 1, 24) + bytes(64)
    assert stored(measure(data, complete=False)) == STORED


def test_a_bitmap_from_the_top() -> None:
    """A negative height says that the rows go down, and no more."""
    data = b"BM" + bytes(12) + struct.pack("<IiiHH", 40, 40, -30, 1, 24) + bytes(64)
    assert stored(measure(data, complete=False)) == STORED


def test_an_icon_of_256_pixels() -> None:
    """A side of 0 in an icon says 256."""
    assert stored(measure(b"\0\0\1\0\1\0" + bytes(64), complete=False)) == Size(256, 256)


def test_a_clean_aperture_cuts_the_picture() -> None:
    """The size of an AVIF is the part of it that is shown."""
    assert stored(measure(avif((b"ispe", 4, 40, 31), (b"clap", 0, 40, 1, 30, 1)), complete=True)) == STORED


def test_a_senseless_clean_aperture() -> None:
    """An aperture larger than the picture, or divided by nothing, cuts nothing."""
    for aperture in ((b"clap", 0, 50, 1, 30, 1), (b"clap", 0, 40, 0, 30, 1)):
        assert stored(measure(avif((b"ispe", 4, 40, 30), aperture), complete=True)) == STORED


def avif(*properties: tuple[Any, ...]) -> bytes:
    """An AVIF header with these properties: name, bytes of version and flags, numbers."""
    inner = b"".join(
        box(name, bytes(skip) + struct.pack(f">{len(numbers)}I", *numbers))
        for name, skip, *numbers in properties
    )
    meta = box(b"meta", bytes(4) + box(b"iprp", box(b"ipco", inner)))
    return box(b"ftyp", b"avif\0\0\0\0avif") + meta


def box(name: bytes, content: bytes) -> bytes:
    """One box of ISO 14496-12."""
    return struct.pack(">I", len(content) + 8) + name + content


JXL = (  # the head of a codestream: (value, bits) from the lowest bit on
    ("eight by eight", [(1, 1), (0, 5), (1, 3)], Size(8, 8), 1),
    ("sides of nine bits", [(0, 1), (0, 2), (29, 9), (0, 3), (0, 2), (39, 9), (1, 1)], STORED, 1),
    ("four to three", [(0, 1), (0, 2), (29, 9), (3, 3), (1, 1)], STORED, 1),
    ("turned", [(0, 1), (0, 2), (29, 9), (3, 3), (0, 1), (1, 1), (5, 3)], STORED, 6),
)


@pytest.mark.parametrize("contained", [False, True])
@pytest.mark.parametrize(("name", "fields", "size", "orientation"), JXL, ids=lambda one: str(one)[:20])
def test_jpeg_xl(
    name: str, fields: list[tuple[int, int]], size: Size, orientation: int, *, contained: bool
) -> None:
    """The first bits of a JPEG XL, bare or in a container, tell its size and orientation."""
    number = shift = 0
    for value, width in fields:
        number, shift = number | value << shift, shift + width
    data = b"\xff\x0a" + number.to_bytes(70, "little")
    if contained:
        data = b"\0\0\0\x0cJXL \r\n\x87\n" + box(b"ftyp", b"jxl ") + box(b"jxlc", data)
    found = measure(data, complete=False)
    assert isinstance(found, Picture), name
    assert (found.stored, found.orientation) == (size, orientation)
