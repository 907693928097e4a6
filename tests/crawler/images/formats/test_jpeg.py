"""The orientation of a JPEG as browsers see it: by the first EXIF block, and by one SHORT in it."""

from __future__ import annotations

import struct

import pytest

from crawler.images import measure
from storage.model import Picture
from tests.crawler.pictures import picture

pytestmark = pytest.mark.libraries

DATA = picture(1, "JPEG")
SHORT, LONG, BYTE = 3, 4, 1


def tag(value: int, kind: int = SHORT, count: int = 1, name: int = 0x0112) -> bytes:
    """One entry of a directory."""
    return struct.pack("<HHI", name, kind, count) + struct.pack("<I", value)


def exif(*tags: bytes, mark: bytes = b"Exif\0\0") -> bytes:
    """A segment with these entries."""
    block = mark + b"II*\0" + struct.pack("<IH", 8, len(tags)) + b"".join(tags) + bytes(4)
    return b"\xff\xe1" + struct.pack(">H", len(block) + 2) + block


def first(*segments: bytes) -> bytes:
    """The picture with segments at its beginning."""
    return DATA[:2] + b"".join(segments) + DATA[2:]


def behind_frame(segment: bytes) -> bytes:
    """The picture with a segment behind its frame header."""
    at = DATA.index(b"\xff\xc0")
    end = at + 2 + int.from_bytes(DATA[at + 2 : at + 4], "big")
    return DATA[:end] + segment + DATA[end:]


# Each as Chromium 156 shows it.
SEEN = {
    "one SHORT": (first(exif(tag(6))), 6),
    "a LONG": (first(exif(tag(6, LONG))), 1),
    "a BYTE": (first(exif(tag(6, BYTE))), 1),
    "two SHORTs": (first(exif(tag(6, SHORT, 2))), 1),
    "a LONG before a SHORT": (first(exif(tag(3, LONG), tag(6))), 6),
    "two tags": (first(exif(tag(1), tag(6))), 1),
    "a block that says nothing before one that does": (first(exif(tag(9, name=256)), exif(tag(6))), 1),
    "two blocks": (first(exif(tag(6)), exif(tag(1))), 6),
    "another mark": (first(exif(tag(6), mark=b"Exif\0\1")), 6),
    "behind the frame header": (behind_frame(exif(tag(6))), 6),
}


@pytest.mark.parametrize("name", SEEN)
def test_the_first_exif_block_counts(name: str) -> None:
    """As in browsers, whether the whole is read or only as much as tells the size."""
    data, orientation = SEEN[name]
    for complete in (True, False):
        found = measure(data, complete=complete)
        assert isinstance(found, Picture)
        assert found.orientation == orientation
