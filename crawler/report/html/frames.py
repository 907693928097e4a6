"""The frames of a picture, as declared and as it is, drawn to one scale. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from storage.model import Declared, Size
from storage.queries import Entry, EntryLink

SIDE: Final = 160  # units of a drawing, on its longer side
LEAST: Final = 2  # units, so that a frame of one pixel beside a huge one is seen
LARGEST: Final = 10**7  # pixels of a side; what is declared larger is no size to draw


@dataclass(frozen=True, slots=True)
class Frames:
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


def frames(entry: Entry, one: EntryLink) -> Frames | None:
    """The frames of a link whose picture has another size than it declares; None where none can be drawn."""
    picture = entry.finding.picture if entry.finding else None
    return drawn(one.link.declared, picture.size if picture else None)


def drawn(said: Declared | None, actual: Size | None) -> Frames | None:
    """The frames of what a record says of a picture and of its size; None where none can be drawn."""
    declared = _size(said)
    if actual is None or declared is None or declared == actual:
        return None
    return _scaled(declared, actual)


def _size(said: Declared | None) -> Size | None:
    if said is None or not isinstance(said.width, int) or not isinstance(said.height, int):
        return None
    fits = 0 < said.width <= LARGEST and 0 < said.height <= LARGEST
    return Size(said.width, said.height) if fits else None


def _scaled(declared: Size, actual: Size) -> Frames | None:
    longest = max(*_sides(declared), *_sides(actual))
    if min(*_sides(actual)) < 1:
        return None
    first, second = _box(declared, SIDE / longest), _box(actual, SIDE / longest)
    return Frames(declared, actual, first, second, max(first[0], second[0]), max(first[1], second[1]))


def _sides(size: Size) -> tuple[int, int]:
    return size.width, size.height


def _box(size: Size, scale: float) -> tuple[float, float]:
    return round(max(size.width * scale, LEAST), 1), round(max(size.height * scale, LEAST), 1)
