"""GIF: browsers show its logical screen, stretched to hold the first frame."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Final

from crawler.images.formats.header import ImageHeader, need
from storage.frozen import frozen
from storage.model import Size

COLOUR_TABLE_FLAG: Final = 0x80  # a table of colours follows, of 3 * 2 ** (n + 1) bytes
SCREEN_END_BYTE: Final = 13
FRAME_HEADER_BYTES: Final = 9
FRAME_CONTROL: Final = b"\xf9"  # the label of an extension
EXTENSION: Final = ord("!")
FRAME: Final = ord(",")
TRAILER: Final = ord(";")


@frozen
class GifFrame:
    """The rectangle of one frame on the screen."""

    left: int
    top: int
    width: int
    height: int

    def fits(self, screen: Size) -> bool:
        """Whether all of it lies on a screen of this size."""
        return self.left + self.width <= screen.width and self.top + self.height <= screen.height


def read(data: bytes) -> ImageHeader | None:
    """The size that browsers show; the number of frames is known only from the whole file.

    Raises:
        HeaderCut: the first frame begins behind these bytes.
    """
    need(data, SCREEN_END_BYTE)
    screen = Size(*struct.unpack_from("<HH", data, 6))
    frame = _first_frame(data)
    if frame is None:
        return ImageHeader(screen)
    width = max(screen.width, frame.left + frame.width)
    return ImageHeader(Size(width, max(screen.height, frame.top + frame.height)))


def _first_frame(data: bytes) -> GifFrame | None:
    """The first frame; None if something unknown stands before it."""
    for mark, start in blocks(data):
        if mark == FRAME:
            need(data, start + FRAME_HEADER_BYTES)
            return frame_at(data, start)
        if mark != EXTENSION:
            return None
    return None


def frame_at(data: bytes, start: int) -> GifFrame:
    """The frame whose header begins at this byte."""
    x_offset, y_offset, width, height = struct.unpack_from("<HHHH", data, start)
    return GifFrame(x_offset, y_offset, width, height)


def blocks(data: bytes) -> Iterator[tuple[int, int]]:
    """The mark of each block and where its content begins; NULs between blocks are passed over.

    It ends behind the trailer, or behind an unknown mark.

    Raises:
        HeaderCut: a block begins or ends behind these bytes.
    """
    at = SCREEN_END_BYTE + colour_table_bytes(data[10])
    while True:
        need(data, at + 1)
        mark = data[at]
        at += 1
        if mark == 0:
            continue
        yield mark, at
        if mark == EXTENSION:
            at = sub_blocks_end(data, at + 1)
        elif mark == FRAME:
            at = frame_end(data, at)
        else:
            return


def announces_frame(data: bytes, start: int) -> bool:
    """Whether an extension is cut, or is about the frame behind it."""
    return data[start : start + 1] in {b"", FRAME_CONTROL}


def frame_end(data: bytes, start: int) -> int:
    """Where the frame ends whose header begins at this byte.

    Raises:
        HeaderCut: it ends behind these bytes.
    """
    need(data, start + FRAME_HEADER_BYTES)
    return sub_blocks_end(data, start + FRAME_HEADER_BYTES + colour_table_bytes(data[start + 8]) + 1)


def closed_frame(data: bytes, start: int) -> bytes:
    """The frame whose header begins at this byte, with its mark; one that is cut gets its end."""
    at = start + FRAME_HEADER_BYTES + colour_table_bytes(data[start + 8]) + 1
    while at < len(data) and data[at]:
        end = at + 1 + data[at]
        if end > len(data):
            block = data[at + 1 :]
            return data[start - 1 : at] + bytes([len(block)]) + block + b"\0" * bool(block)
        at = end
    return data[start - 1 : at] + b"\0"


def sub_blocks_end(data: bytes, at: int) -> int:
    """Where the blocks end that begin here, each with its length before it, the last one empty.

    Raises:
        HeaderCut: they end behind these bytes.
    """
    while True:
        need(data, at + 1)
        if not data[at]:
            return at + 1
        at += data[at] + 1


def colour_table_bytes(flags: int) -> int:
    """Bytes of the table of colours that these flags announce."""
    return 3 << ((flags & 7) + 1) if flags & COLOUR_TABLE_FLAG else 0
