"""The picture that browsers see in a file with flaws, as a file that all decoders read."""

from __future__ import annotations

import struct
from collections.abc import Callable
from contextlib import suppress
from types import MappingProxyType
from typing import Final

from crawler.images import integrity, png_pixels
from crawler.images.formats import gif
from crawler.images.formats.fixed_header import CORE_HEADER_BYTES, bmp_compression, largest_icon
from crawler.images.formats.header import HeaderCut
from storage.model import Size, Verdict

RUN_LENGTH_BITS: Final = MappingProxyType({1: 8, 2: 4})  # of BMP, by compression: bits a pixel
LINE_END_CODE: Final = 0  # codes behind a count of 0
BITMAP_END_CODE: Final = 1
DELTA_CODE: Final = 2
PNG_SIGNATURE: Final = b"\x89PNG"
ICON_START: Final = struct.pack("<HHH", 0, 1, 1)
AVIF_BRANDS: Final = (b"avif", b"avis")
REPAIRED_KINDS: Final = MappingProxyType({"CUR": "ICO"})  # what a repaired file is, if it is another kind
PLAIN_COMPRESSIONS: Final = frozenset({0, 3, 6})  # of BMP: none, and bit fields without and with alpha


def repaired(data: bytes, kind: str) -> bytes | None:
    """The same pixels in a file that is as its format wants it; None if there is no such thing."""
    repair = REPAIRS.get(kind)
    try:
        return repair(data) if repair else None
    except (struct.error, IndexError, HeaderCut):
        return None


def is_cut(data: bytes, kind: str) -> bool:
    """Whether a file that no decoder opens ends before its own header says."""
    try:
        if kind in {"ICO", "CUR"}:
            entry = largest_icon(data)
            return entry is not None and entry.start + entry.length > len(data)
        if kind == "BMP":
            return bmp_compression(data) in PLAIN_COMPRESSIONS and not _bmp_has_all_rows(data)
    except (struct.error, IndexError, HeaderCut):
        return False
    flaw = integrity.flaw(data, kind)
    return flaw is not None and flaw.verdict is Verdict.TRUNCATED


def has_all_pixels(data: bytes, kind: str) -> bool:
    """Whether all pixels are there by the format's own rules, whatever a decoder makes of the rest."""
    try:
        if kind == "PNG":
            return png_pixels.has_all_pixels(data)
        return kind == "BMP" and _bmp_has_all_rows(data)
    except (struct.error, IndexError):
        return False


def _webp(data: bytes) -> bytes:
    """Its chunks as far as they are whole, and a length that is that of the file."""
    at = end = 12
    while at + 8 <= len(data):
        length = int.from_bytes(data[at + 4 : at + 8], "little")
        at += 8 + length + length % 2
        if at - length % 2 > len(data):
            break
        end = at
    chunks = data[12:end].ljust(end - 12, b"\0")
    return data[:4] + struct.pack("<I", len(chunks) + 4) + data[8:12] + chunks


def _gif(data: bytes) -> bytes:
    """Its whole blocks and a trailer, on the screen that browsers show; frames that leave it are left out."""
    header = gif.read(data)
    screen = header.size if header else Size(0, 0)
    parts = [data[:6], struct.pack("<HH", min(screen.width, 65_535), min(screen.height, 65_535))]
    parts.append(data[10 : gif.SCREEN_END_BYTE + gif.colour_table_bytes(data[10])])
    with suppress(HeaderCut):
        for mark, at in gif.blocks(data):
            if mark == gif.EXTENSION:
                parts.append(data[at - 1 : gif.sub_blocks_end(data, at + 1)])
            elif mark == gif.FRAME and gif.frame_at(data, at).fits(screen):
                parts.append(gif.closed_frame(data, at))
    return b"".join((*parts, b";"))


def _icon(data: bytes) -> bytes | None:
    """An icon of nothing but the picture that browsers show, with the depth that this one says itself."""
    entry = largest_icon(data)
    if entry is None:
        return None
    picture = data[entry.start : (entry.start + entry.length) if entry.length else None]
    depth = 32 if picture.startswith(PNG_SIGNATURE) else int.from_bytes(picture[14:16], "little")
    width, height = entry.size.width & 255, entry.size.height & 255
    return ICON_START + struct.pack("<BBBBHHII", width, height, 0, 0, 1, depth, len(picture), 22) + picture


def _avif(data: bytes) -> bytes:
    """A file whose first brand says what it is."""
    return data if data[8:12] in AVIF_BRANDS else data[:8] + AVIF_BRANDS[0] + data[12:]


def _bmp_has_all_rows(data: bytes) -> bool:
    """Whether there are as many bytes as the rows of a bitmap without compression take."""
    offset, length = struct.unpack_from("<II", data, 10)
    core = length == CORE_HEADER_BYTES
    width, height, _, depth = struct.unpack_from("<HHHH" if core else "<iiHH", data, 18)
    compression = bmp_compression(data)
    if compression in RUN_LENGTH_BITS:
        return _runs_end(data, offset, RUN_LENGTH_BITS[compression])
    row = (width * depth + 31) // 32 * 4
    return compression in PLAIN_COMPRESSIONS and depth > 0 and 0 < offset + row * abs(height) <= len(data)


def _runs_end(data: bytes, at: int, bits: int) -> bool:
    """Whether pixels in runs come to their own end: what they leave out has the first colour."""
    while at + 2 <= len(data):
        count, code = data[at], data[at + 1]
        at += 2
        if count or code == LINE_END_CODE:
            continue
        if code == BITMAP_END_CODE:
            return True
        at += 2 if code == DELTA_CODE else (code * bits + 15) // 16 * 2
    return False


REPAIRS: Final = MappingProxyType[str, Callable[[bytes], bytes | None]](
    {"PNG": png_pixels.still, "WEBP": _webp, "GIF": _gif, "ICO": _icon, "CUR": _icon, "AVIF": _avif}
)
