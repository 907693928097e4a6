"""The size of a GIF as browsers show it."""

from __future__ import annotations

import struct

import pytest

from crawler.images import NeedMoreBytes, measure
from storage.model import Picture, Size
from tests.crawler.pictures import picture

pytestmark = pytest.mark.libraries

# Each as Chromium 156 shows a frame of 24x16 at that place of that screen.
SHOWN = {
    ((24, 16), (0, 0)): Size(24, 16),
    ((0, 0), (0, 0)): Size(24, 16),
    ((1, 1), (0, 0)): Size(24, 16),
    ((10, 90), (0, 0)): Size(24, 90),
    ((90, 10), (0, 0)): Size(90, 16),
    ((90, 90), (0, 0)): Size(90, 90),
    ((24, 16), (6, 4)): Size(30, 20),
    ((90, 90), (30, 30)): Size(90, 90),
}


@pytest.mark.parametrize(("screen", "place"), SHOWN)
def test_the_screen_holds_the_first_frame(screen: tuple[int, int], place: tuple[int, int]) -> None:
    """A screen that is too small gives way, on each side for itself."""
    data = bytearray(picture(1, "GIF"))
    struct.pack_into("<HH", data, 6, *screen)
    frame = data.index(b",", 13 + 3 * 2 ** ((data[10] & 7) + 1))
    struct.pack_into("<HH", data, frame + 1, *place)
    found = measure(bytes(data), complete=True)
    assert isinstance(found, Picture)
    assert found.size == SHOWN[screen, place]


def test_the_first_frame_is_asked_for() -> None:
    """A long comment before the first frame has to be passed."""
    data = picture(1, "GIF")
    at = 13 + 3 * 2 ** ((data[10] & 7) + 1)
    long = data[:at] + b"!\xfe" + (b"\xff" + bytes(255)) * 40 + b"\0" + data[at:]
    assert isinstance(measure(long[:2048], complete=False), NeedMoreBytes)
    assert measure(long, complete=False) == measure(data, complete=False)
