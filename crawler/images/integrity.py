"""Whether a file is whole, by its structure alone: no pixel is decoded.

A format stands here if its structure tells where it ends: chunks of PNG, markers of JPEG, the sizes of
RIFF chunks and of boxes, the blocks of GIF. The other formats do not tell.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from types import MappingProxyType
from typing import Final

from crawler.images import jpeg_scans, png_pixels
from crawler.images.flaw import Flaw
from crawler.images.formats import gif, svg, webp
from crawler.images.formats.header import HeaderCut
from crawler.images.formats.png import is_sound
from storage.model import Verdict

CODESTREAM: Final = b"\xff\x4f\xff\x51"  # a bare codestream of JPEG 2000
CRITICAL_CHUNKS: Final = frozenset({b"IHDR", b"PLTE", b"IDAT", b"IEND"})
SINGLE_CHUNKS: Final = frozenset({b"IHDR", b"PLTE"})
COLOUR_TYPE_BYTE: Final = 25
PALETTE_TYPE: Final = 3
MAX_PALETTE_BYTES: Final = 768
WEBP_PIXEL_CHUNKS: Final = frozenset({b"VP8 ", b"VP8L", b"ANMF"})
WEBP_CHUNK_HEADER_BYTES: Final = 8
MIN_HOLE_BYTES: Final = 512  # of zeros; large pictures of one colour end in fewer
MAX_ZERO_SHARE: Final = 8  # one in so many bytes
ISO_PIXEL_BOXES: Final = frozenset({b"mdat", b"jp2c", b"jxlc", b"jxlp"})
ISO_BOXES: Final = ISO_PIXEL_BOXES | {b"meta", b"moov", b"moof"}  # that a picture may need


def flaw(data: bytes, kind: str) -> Flaw | None:
    """What is wrong with the structure of a whole file; None if nothing is, or the format does not tell."""
    find = FLAW_FINDERS.get(kind)
    try:
        return find(data) if find else None
    except (IndexError, struct.error, HeaderCut):
        return Flaw(f"{kind} that breaks off after {len(data)} bytes")


def has_structure(kind: str) -> bool:
    """Whether the structure of a format tells where it ends."""
    return kind in FLAW_FINDERS


def _png(data: bytes) -> Flaw | None:
    names: set[bytes] = set()
    remark = None
    for name, start, end in png_pixels.chunks(data):
        if end + 4 > len(data):
            break
        if name == b"IEND":
            return _png_remark(data, remark) if b"IDAT" in names else Flaw("PNG without pixels")
        # PNG, third edition, 5.4: a capital letter marks a critical chunk.
        if name[:1].isupper() and not is_sound(data, start, end - start):
            remark = f"PNG whose chunk {name.decode('latin-1')!r} has a wrong checksum"
            if name != b"IDAT":
                return Flaw(remark)
        refusal = _png_refusal(name, end - start, names, is_palette=data[COLOUR_TYPE_BYTE] == PALETTE_TYPE)
        if refusal is not None:
            return Flaw(refusal, Verdict.UNDECODABLE)
        names.add(name)
    why = f"PNG that breaks off after {len(data)} bytes"
    if b"fcTL" in names and not png_pixels.has_all_frames(data):
        return Flaw(why)
    return _png_remark(data, remark or why)


def _png_refusal(name: bytes, length: int, names: set[bytes], *, is_palette: bool) -> str | None:
    """Why browsers refuse a file for a critical chunk, if they do."""
    if name[:1].isupper() and name not in CRITICAL_CHUNKS:
        return f"PNG with a chunk {name.decode('latin-1')!r} that no reader knows"
    if name in names & SINGLE_CHUNKS:
        return f"PNG with two chunks {name.decode('latin-1')!r}"
    if name == b"PLTE" and is_palette and not 0 < length <= MAX_PALETTE_BYTES:
        return f"PNG with a palette of {length} bytes"
    return None


def _png_remark(data: bytes, remark: str | None) -> Flaw | None:
    """What a fault comes to: nothing but a remark where all pixels are there."""
    if remark is None:
        return None
    return Flaw(remark, None) if png_pixels.has_all_pixels(data) else Flaw(remark)


def _jpeg(data: bytes) -> Flaw | None:
    return jpeg_scans.flaw(data, jpeg_scans.read_scans(data))


def _webp(data: bytes) -> Flaw | None:
    """RIFF chunks; browsers pass over a length that is too large, and over what is cut behind the pixels."""
    length = int.from_bytes(data[4:8], "little")
    end, has_pixels = 8 + length, False
    why = f"WebP of {end} bytes that breaks off after {len(data)}"
    for chunk in webp.chunks(data, end):
        is_pixels = chunk.name in WEBP_PIXEL_CHUNKS
        if chunk.padded_end > end:
            return Flaw("WebP whose last chunk is longer than the file", Verdict.UNDECODABLE)
        if chunk.end > len(data) and (is_pixels or not has_pixels):
            return Flaw(why)
        if (is_pixels and has_zero_tail(data[chunk.start : chunk.end])) or _is_frame_hole(data, chunk):
            return Flaw("WebP with a hole: zeros stand where its pixels were")
        has_pixels = has_pixels or is_pixels
    if not has_pixels:
        return Flaw(why if end > len(data) else "WebP without pixels")
    return _webp_length_flaw(data, length, why) if end > len(data) else None


def _webp_length_flaw(data: bytes, length: int, why: str) -> Flaw:
    """What a length comes to that is larger than the file."""
    if length > webp.MAX_RIFF_BYTES:
        return Flaw("WebP of more bytes than its format allows", Verdict.UNDECODABLE)
    lacks_frames = webp.is_animated(data) and 8 + length - len(data) > WEBP_CHUNK_HEADER_BYTES
    return Flaw(why) if lacks_frames else Flaw(why, None)


def _is_frame_hole(data: bytes, chunk: webp.WebpChunk) -> bool:
    return chunk.name == webp.ZERO_NAME and webp.is_animated(data)


def has_zero_tail(pixels: bytes) -> bool:
    """Whether compressed pixels end in more zeros than they do of themselves.

    A download that never came to its end leaves them in a file of the right length.
    """
    zeros = len(pixels) - len(pixels.rstrip(b"\0"))
    return zeros >= max(MIN_HOLE_BYTES, len(pixels) // MAX_ZERO_SHARE)


def _gif(data: bytes) -> Flaw | None:
    """Blocks; browsers need no trailer, and pass over what stands behind a whole frame."""
    frames, frame_follows = 0, False
    try:
        for mark, at in gif.blocks(data):
            frame_follows = mark == gif.EXTENSION and gif.announces_frame(data, at)
            if mark == gif.TRAILER:
                return None if frames else Flaw("GIF without pixels")
            if mark == gif.FRAME:
                if not _is_whole_frame(data, at):
                    break
                frames += 1
            elif mark != gif.EXTENSION:
                why = f"GIF with an unknown block at byte {at}"
                return Flaw(why, None) if frames else Flaw(why)
        else:
            return None
    except HeaderCut:
        if frames and not frame_follows:
            return Flaw(f"GIF without its trailer, after {len(data)} bytes", None)
        return Flaw(f"GIF that breaks off after {len(data)} bytes")
    return Flaw(f"GIF that breaks off after {len(data)} bytes", None, for_pixels=True)


def _is_whole_frame(data: bytes, at: int) -> bool:
    try:
        return gif.frame_end(data, at) <= len(data)
    except HeaderCut:
        return False


def _boxed(data: bytes) -> Flaw | None:
    has_pixels = False
    for name, start, end in _boxes(data):
        if end > len(data) and (name in ISO_BOXES or not has_pixels):
            return Flaw(f"box {name.decode('latin-1')!r} ends at byte {end}, the file after {len(data)}")
        if name == b"mdat" and has_zero_tail(data[start:end]):
            return Flaw("a picture with a hole: zeros stand where its pixels were")
        has_pixels = has_pixels or name in ISO_PIXEL_BOXES or (name == b"meta" and b"idat" in data[:end])
    return None if has_pixels else Flaw(f"boxes without pixels: they break off after {len(data)} bytes")


def _boxes(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Each box of the file, and where its content begins and ends (ISO/IEC 14496-12, 4.2)."""
    at = 0
    while at + 8 <= len(data):
        length, header_length = int.from_bytes(data[at : at + 4], "big"), 8
        if length == 1:
            length, header_length = int.from_bytes(data[at + 8 : at + 16], "big"), 16
        end = len(data) if length == 0 else at + max(length, header_length)
        yield data[at + 4 : at + 8], at + header_length, end
        at = end


def _jpeg2000(data: bytes) -> Flaw | None:
    if not data.startswith(CODESTREAM):
        return _boxed(data)
    return None if data.rstrip(b"\0").endswith(jpeg_scans.END) else Flaw("JPEG 2000 without its end marker")


def _jxl(data: bytes) -> Flaw | None:
    return None if data.startswith(b"\xff\x0a") else _boxed(data)


def _svg(data: bytes) -> Flaw | None:
    fault = svg.fault(data)
    if fault is None:
        return None
    return Flaw(fault.why, Verdict.TRUNCATED if fault.cut else Verdict.UNDECODABLE)


FLAW_FINDERS: Final = MappingProxyType[str, Callable[[bytes], Flaw | None]](
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
        "SVG": _svg,
    }
)
