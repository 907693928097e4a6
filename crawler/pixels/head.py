"""What every reader of a header gives, and how it says that it needs more bytes."""

from __future__ import annotations

from dataclasses import dataclass

from storage.model import Size


@dataclass(frozen=True, slots=True)
class Head:
    """The stored size, the EXIF orientation, and frames and mode (as Pillow names it) if told."""

    size: Size
    orientation: int = 1
    frames: int | None = None
    mode: str | None = None


class Cut(Exception):
    """More bytes are needed: `least` in all."""

    def __init__(self, least: int) -> None:
        super().__init__(least)
        self.least = least


def need(data: bytes, least: int) -> None:
    """Make sure that there are so many bytes.

    Raises:
        Cut: there are fewer.
    """
    if len(data) < least:
        raise Cut(least)
