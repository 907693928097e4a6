"""TIFF: a size among the tags of its first directory; EXIF is a TIFF file without pixels."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from crawler.pixels.head import Cut, Head, need
from storage.model import Size

WIDTH: Final = 256
HEIGHT: Final = 257
ORIENTATION: Final = 274
TURNED: Final = range(1, 9)  # the orientations that exist
ENTRIES: Final = 4096  # tags in one directory; some sixty are defined
VALUES: Final = MappingProxyType({1: "B", 3: "H", 4: "I", 16: "Q"})  # BYTE, SHORT, LONG, LONG8


@dataclass(frozen=True, slots=True)
class Layout:
    """Byte order, and where TIFF 6.0 and BigTIFF put offset, count and value of a directory."""

    order: str
    offset_at: int = 4
    offset: str = "I"
    count: str = "H"
    entry: int = 12
    value_at: int = 8

    def number(self, data: bytes, code: str, at: int) -> int:
        """One number of the file."""
        need(data, at + struct.calcsize(f"={code}"))
        number: int = struct.unpack_from(self.order + code, data, at)[0]
        return number


LAYOUTS: Final = MappingProxyType(
    {
        b"II*\0": Layout("<"),
        b"MM\0*": Layout(">"),
        b"II+\0": Layout("<", 8, "Q", "Q", 20, 12),
        b"MM\0+": Layout(">", 8, "Q", "Q", 20, 12),
    }
)


def read(data: bytes) -> Head | None:
    """The size that the first directory says; None if it says none."""
    found: dict[int, int] = {}
    for tag, value in tags(data):
        found.setdefault(tag, value)
    if WIDTH not in found or HEIGHT not in found:
        return None
    turned = found.get(ORIENTATION, 1)
    return Head(Size(found[WIDTH], found[HEIGHT]), turned if turned in TURNED else 1)


def orientation(block: bytes) -> int:
    """The orientation that an EXIF block says, 1 where it says none that exists."""
    try:
        said = next((value for tag, value in tags(block) if tag == ORIENTATION), 1)
    except Cut:
        return 1
    return said if said in TURNED else 1


def tags(data: bytes) -> Iterator[tuple[int, int]]:
    """The tags of the first directory that hold one whole number, as they come.

    Raises:
        Cut: the directory lies behind these bytes.
    """
    layout = LAYOUTS.get(data[:4])
    if layout is None:
        return
    start = layout.number(data, layout.offset, layout.offset_at)
    count = layout.number(data, layout.count, start)
    first = start + struct.calcsize(f"={layout.count}")
    end = first + min(count, ENTRIES) * layout.entry
    for at in range(first, end, layout.entry):
        if at + layout.entry > len(data):
            raise Cut(end)
        code = VALUES.get(layout.number(data, "H", at + 2))
        if code is not None:
            yield layout.number(data, "H", at), layout.number(data, code, at + layout.value_at)
