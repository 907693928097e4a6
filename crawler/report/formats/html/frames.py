"""The frames of a picture, as declared and as it is, drawn to one scale. Pure."""

from __future__ import annotations

from typing import Final

from storage.frozen import frozen
from storage.model import Declared, Size
from storage.queries.report import Entry, EntryLink

DRAWING_SIDE: Final = 160  # units of a drawing, on its longer side
MIN_FRAME_SIDE: Final = 2  # units, so that a frame of one pixel beside a huge one is seen
MAX_DRAWN_PIXELS: Final = 10**7  # pixels of a side; what is declared larger is no size to draw


@frozen
class FrameDrawing:
    """What a drawing needs: both frames from one corner, in units of the drawing, and in words."""

    declared: Size
    actual: Size
    declared_box: tuple[float, float]
    actual_box: tuple[float, float]
    width: float
    height: float

    @property
    def words(self) -> str:
        """The drawing for who cannot see it."""
        return f"declared {self.declared}, really {self.actual}"


def link_frames(entry: Entry, entry_link: EntryLink) -> FrameDrawing | None:
    """The frames of a link whose picture has another size than it declares; None where none can be drawn."""
    picture = entry.finding.picture if entry.finding else None
    return frame_drawing(entry_link.link.declared, picture.size if picture else None)


def frame_drawing(declaration: Declared | None, actual: Size | None) -> FrameDrawing | None:
    """The frames of what a record says of a picture and of its size; None where none can be drawn."""
    declared = _size(declaration)
    if actual is None or declared is None or declared == actual:
        return None
    return _scaled(declared, actual)


def _size(declaration: Declared | None) -> Size | None:
    if (
        declaration is None
        or not isinstance(declaration.width, int)
        or not isinstance(declaration.height, int)
    ):
        return None
    fits = 0 < declaration.width <= MAX_DRAWN_PIXELS and 0 < declaration.height <= MAX_DRAWN_PIXELS
    return Size(declaration.width, declaration.height) if fits else None


def _scaled(declared: Size, actual: Size) -> FrameDrawing | None:
    longest = max(*_sides(declared), *_sides(actual))
    if min(*_sides(actual)) < 1:
        return None
    first, second = _box(declared, DRAWING_SIDE / longest), _box(actual, DRAWING_SIDE / longest)
    return FrameDrawing(declared, actual, first, second, max(first[0], second[0]), max(first[1], second[1]))


def _sides(size: Size) -> tuple[int, int]:
    return size.width, size.height


def _box(size: Size, scale: float) -> tuple[float, float]:
    return round(max(size.width * scale, MIN_FRAME_SIDE), 1), round(
        max(size.height * scale, MIN_FRAME_SIDE), 1
    )
