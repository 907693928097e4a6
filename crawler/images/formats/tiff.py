"""TIFF: a size among the tags of its first directory; EXIF is a TIFF file without pixels."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from types import MappingProxyType
from typing import Final

from crawler.images.formats.header import HeaderCut, ImageHeader, need
from storage.frozen import frozen
from storage.model import Size

WIDTH_TAG: Final = 256
HEIGHT_TAG: Final = 257
TIFF_ORIENTATION_TAG: Final = 274
ORIENTATIONS: Final = range(1, 9)  # the orientations that exist
SHORT_TYPE: Final = 3  # of values
MAX_DIRECTORY_ENTRIES: Final = 4096  # tags in one directory; some sixty are defined
VALUE_CODES: Final = MappingProxyType({1: "B", 3: "H", 4: "I", 16: "Q"})  # BYTE, SHORT, LONG, LONG8


@frozen
class TiffLayout:
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


@frozen
class TiffEntry:
    """One entry of a directory: its tag, the type and the count of its values, and the first of them."""

    tag: int
    kind: int
    count: int
    value: int

    @property
    def is_orientation(self) -> bool:
        """Whether it is an orientation as EXIF defines it."""
        return (self.tag, self.kind, self.count) == (TIFF_ORIENTATION_TAG, SHORT_TYPE, 1)


LAYOUT_BY_MAGIC: Final = MappingProxyType(
    {
        b"II*\0": TiffLayout("<"),
        b"MM\0*": TiffLayout(">"),
        b"II+\0": TiffLayout("<", 8, "Q", "Q", 20, 12),
        b"MM\0+": TiffLayout(">", 8, "Q", "Q", 20, 12),
    }
)


def read(data: bytes) -> ImageHeader | None:
    """The size that the first directory says; None if it says none."""
    values: dict[int, int] = {}
    for entry in entries(data):
        values.setdefault(entry.tag, entry.value)
    if WIDTH_TAG not in values or HEIGHT_TAG not in values:
        return None
    exif_orientation = values.get(TIFF_ORIENTATION_TAG, 1)
    return ImageHeader(
        Size(values[WIDTH_TAG], values[HEIGHT_TAG]),
        exif_orientation if exif_orientation in ORIENTATIONS else 1,
    )


def orientation(block: bytes) -> int:
    """The orientation that an EXIF block says, 1 where it says none that exists.

    Browsers take the first tag that is one SHORT (EXIF 2.32, 4.6.4); another type or count is ignored.
    """
    try:
        values = (entry.value for entry in entries(block) if entry.is_orientation)
        exif_orientation = next(values, 1)
    except HeaderCut:
        return 1
    return exif_orientation if exif_orientation in ORIENTATIONS else 1


def entries(data: bytes) -> Iterator[TiffEntry]:
    """The entries of the first directory that hold whole numbers, as they come.

    Raises:
        HeaderCut: the directory lies behind these bytes.
    """
    layout = LAYOUT_BY_MAGIC.get(data[:4])
    if layout is None:
        return
    start = layout.number(data, layout.offset, layout.offset_at)
    count = layout.number(data, layout.count, start)
    first = start + struct.calcsize(f"={layout.count}")
    end = first + min(count, MAX_DIRECTORY_ENTRIES) * layout.entry
    for at in range(first, end, layout.entry):
        if at + layout.entry > len(data):
            raise HeaderCut(end)
        kind = layout.number(data, "H", at + 2)
        code = VALUE_CODES.get(kind)
        if code is not None:
            tag, values = layout.number(data, "H", at), layout.number(data, layout.offset, at + 4)
            yield TiffEntry(tag, kind, values, layout.number(data, code, at + layout.value_at))
