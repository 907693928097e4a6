"""Pictures that browsers show, and that Pillow refuses: a second opinion comes before blame."""

from __future__ import annotations

import io
import struct
import zlib

import pytest
from PIL import Image

from crawler.images.decode import PIXEL_PROOF, Decoded, DecodeFailure, prove
from storage.model import Size
from tests.crawler.pictures import animation, noise, picture

pytestmark = pytest.mark.libraries

MOST = 10**6


def chunk(name: bytes, content: bytes, checksum: int | None = None) -> bytes:
    """A chunk of a PNG, with a checksum that may be wrong."""
    if checksum is None:
        checksum = zlib.crc32(name + content)
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", checksum)


def png_with(*chunks: bytes) -> bytes:
    """A PNG with chunks before its pixels."""
    data = picture(1, "PNG")
    return data[:33] + b"".join(chunks) + data[33:]


def webp_saying(more: int) -> bytes:
    """A WebP whose length says more bytes than there are."""
    data = picture(1, "WEBP")
    return data[:4] + struct.pack("<I", len(data) - 8 + more) + data[8:]


def bmp(compression: int, *, cut: int = 0) -> bytes:
    """A bitmap of 16 bits a pixel with masks, which Pillow does not know in each form."""
    rows = noise(3, 24, 16, "L").tobytes() * 2
    masks = struct.pack("<III", 0x0F00, 0x00F0, 0x000F)
    head = struct.pack("<IiiHHIIiiII", 40, 24, 16, 1, 16, compression, len(rows), 0, 0, 0, 0)
    size = 14 + len(head) + len(masks)
    data = struct.pack("<2sIHHI", b"BM", size + len(rows), 0, 0, size) + head + masks + rows
    return data[: len(data) - cut]


def gif_frame_outside() -> bytes:
    """An animation whose second frame lies beyond its screen."""
    data = bytearray(animation(2))
    second = data.index(b",", data.index(b",") + 200)
    while struct.unpack_from("<HHHH", data, second + 1) != (0, 0, 24, 16):
        second = data.index(b",", second + 1)
    struct.pack_into("<HH", data, second + 1, 9000, 9000)
    return bytes(data)


def without_adler(data: bytes) -> bytes:
    """The same PNG with a wrong checksum at the end of its stream."""
    end = data.index(b"IEND") - 8
    start = data.index(b"IDAT")
    content = data[start + 4 : end - 4] + b"\0\0\0\1"
    return data[: start - 4] + chunk(b"IDAT", content) + data[end + 4 :]


def animated_png(*, end: int) -> bytes:
    """An animation without its end chunk, and without so many bytes of its last frame."""
    data = animation(2, "PNG")
    return data[: len(data) - 12 - end]


def run_length_bmp(*codes: int) -> bytes:
    """A bitmap of 8 bits a pixel in runs."""
    palette, rows = bytes(1024), bytes(codes)
    head = struct.pack("<IiiHHIIiiII", 40, 24, 16, 1, 8, 1, len(rows), 0, 0, 0, 0)
    size = 14 + len(head) + len(palette)
    return struct.pack("<2sIHHI", b"BM", size + len(rows), 0, 0, size) + head + palette + rows


def short_header_bmp(rows: int = 16) -> bytes:
    """A bitmap whose header has 16 bytes, as OS/2 2 allows."""
    head = struct.pack("<IiiHH", 16, 24, 16, 1, 24)
    return struct.pack("<2sIHHI", b"BM", 0, 0, 0, 30) + head + noise(3, 24, rows).tobytes()


def icon(data: bytes, kind: int = 1, bits: int = 32, length: int | None = None) -> bytes:
    """An icon (1) or a cursor (2) with one picture."""
    size = len(data) if length is None else length
    return struct.pack("<HHHBBBBHHII", 0, kind, 1, 24, 16, 0, 0, 1, bits, size, 22) + data


def bitmap_of_icon() -> bytes:
    """A picture of 24 bits a pixel, as icons have them: with a mask, and twice as high."""
    head = struct.pack("<IiiHHIIiiII", 40, 24, 32, 1, 24, 0, 0, 0, 0, 0, 0)
    return head + noise(3, 24, 16).tobytes() + bytes(4 * 16)


def foreign_brand() -> bytes:
    """An AVIF that names another brand first."""
    return picture(1, "AVIF").replace(b"ftypavif", b"ftypheic", 1)


SHOWN = {
    "a text with a wrong checksum": ("PNG", png_with(chunk(b"tEXt", b"a\0b", 5))),
    "sizes with a wrong checksum": ("PNG", png_with(chunk(b"pHYs", bytes(9), 5))),
    "a text that inflates to much": (
        "PNG",
        png_with(chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(2_000_000)))),
    ),
    "a profile that inflates to much": (
        "PNG",
        png_with(chunk(b"iCCP", b"a\0\0" + zlib.compress(bytes(2_000_000)))),
    ),
    "an animation of too few frames": ("PNG", png_with(chunk(b"acTL", struct.pack(">II", 7, 0)))),
    "an animation of too many frames": ("PNG", png_with(chunk(b"acTL", struct.pack(">II", 2**32 - 1, 0)))),
    "an animation of no frames": ("PNG", png_with(chunk(b"acTL", bytes(8)))),
    "no end chunk": ("PNG", picture(1, "PNG")[:-12]),
    "pixels with a wrong checksum": ("PNG", picture(1, "PNG")[:-16] + bytes(4) + picture(1, "PNG")[-12:]),
    "a length that is one too large": ("WEBP", webp_saying(1)),
    "a length that is eight too large": ("WEBP", webp_saying(8)),
    "no trailer": ("GIF", picture(1, "GIF")[:-1]),
    "zeros before the trailer": ("GIF", picture(1, "GIF")[:-1] + bytes(9) + b";"),
    "bytes behind the trailer": ("GIF", picture(1, "GIF") + b"and more"),
    "a frame outside of the screen": ("GIF", gif_frame_outside()),
    "masks of four bits": ("BMP", bmp(3)),
    "a stream with a wrong checksum": ("PNG", without_adler(picture(1, "PNG"))),
    "an animation without its end chunk": ("PNG", animated_png(end=0)),
    "no end of the blocks of a frame": ("GIF", picture(1, "GIF")[:-2]),
    "runs that skip rows": ("BMP", run_length_bmp(0, 2, 3, 3, 5, 7, 0, 0, 0, 4, 1, 2, 3, 4, 0, 1)),
    "a header of 16 bytes": ("BMP", short_header_bmp()),
    "a cursor with a PNG": ("CUR", icon(picture(1, "PNG"), 2)),
    "an icon that tells a wrong depth": ("ICO", icon(bitmap_of_icon())),
    "an icon that tells no length": ("ICO", icon(picture(1, "PNG"), length=0)),
    "another brand first": ("AVIF", foreign_brand()),
}


@pytest.mark.parametrize("name", SHOWN)
def test_shown(name: str) -> None:
    """All pixels are there by the format's own rules."""
    kind, data = SHOWN[name]
    assert isinstance(prove(data, kind, PIXEL_PROOF, MOST), Decoded)


def with_chunks_again(*names: bytes) -> bytes:
    """A PNG of a palette with some of its chunks twice."""
    data = picture(1, "PNG", mode="P")
    starts = [data.index(name) - 4 for name in names]
    again = b"".join(data[at : at + 12 + int.from_bytes(data[at : at + 4], "big")] for at in starts)
    at = data.index(b"IDAT") - 4
    return data[:at] + again + data[at:]


def rows_left_out(count: int) -> bytes:
    """A PNG whose stream ends as it should, before its last rows."""
    rows = b"".join(b"\0" + bytes([9, 99, 199]) * 24 for _ in range(16 - count))
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 24, 16, 8, 2, 0, 0, 0))
    return b"".join((b"\x89PNG\r\n\x1a\n", header, chunk(b"IDAT", zlib.compress(rows)), chunk(b"IEND", b"")))


def zeroed(kind: str) -> bytes:
    """A picture in whose second half nothing came."""
    data = picture(1, kind, size=Size(240, 160))
    return data[: len(data) // 2] + bytes(len(data) - len(data) // 2)


BROKEN = {
    "an animation that is cut": ("PNG", animated_png(end=9)),
    "an animation whose second frame has no pixels": ("PNG", animated_png(end=500)),
    "no last row": ("PNG", rows_left_out(1)),
    "no last rows": ("PNG", rows_left_out(5)),
    "a header twice": ("PNG", with_chunks_again(b"IHDR")),
    "a palette twice": ("PNG", with_chunks_again(b"PLTE")),
    "half of a WebP is zeros": ("WEBP", zeroed("WEBP")),
    "half of an AVIF is zeros": ("AVIF", zeroed("AVIF")),
    "runs that do not end": ("BMP", run_length_bmp(5, 7, 0, 0)),
    "a header of 16 bytes, and too few rows": ("BMP", short_header_bmp(15)),
    "an icon that is cut": ("ICO", icon(bitmap_of_icon())[:-900]),
    "a cut frame by more than its end": ("GIF", picture(1, "GIF")[:-9]),
    "a length that no file has": ("WEBP", webp_saying(2**32 - 1 + 8 - len(picture(1, "WEBP")))),
    "a chunk that all readers have to know": ("PNG", png_with(chunk(b"ABCD", b""))),
    "a wrong checksum, and pixels that are cut": (
        "PNG",
        png_with(chunk(b"tEXt", b"a\0b", 5))[:-100],
    ),
    "a cut chunk": ("WEBP", picture(1, "WEBP")[:-9]),
    "a length that is too short": ("WEBP", webp_saying(-2)),
    "a cut frame": ("GIF", picture(1, "GIF")[:-4]),
    "rows that are missing": ("BMP", bmp(3, cut=40)),
}


@pytest.mark.parametrize("name", BROKEN)
def test_broken(name: str) -> None:
    """Pixels are missing, or no browser shows them."""
    kind, data = BROKEN[name]
    assert isinstance(prove(data, kind, PIXEL_PROOF, MOST), DecodeFailure)


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP"])
def test_blank_in_the_first_frame(kind: str) -> None:
    """An animation that fades in shows something; one that never does shows nothing."""
    nothing = Image.new("RGBA", (24, 16), (0, 0, 0, 0))
    for last, blank in ((noise(1, mode="RGBA"), False), (Image.new("RGBA", (24, 16), (9, 9, 9, 0)), True)):
        out = io.BytesIO()
        nothing.save(out, kind, save_all=True, append_images=[last], disposal=2 if kind == "GIF" else 0)
        proof = prove(out.getvalue(), kind, PIXEL_PROOF, MOST)
        assert isinstance(proof, Decoded)
        assert proof.blank is blank
