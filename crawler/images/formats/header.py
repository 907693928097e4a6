"""What every reader of a header gives, and how it says that it needs more bytes."""

from __future__ import annotations

from storage.frozen import frozen
from storage.model import Size


@frozen
class ImageHeader:
    """The stored size, the EXIF orientation, and frames and mode (as Pillow names it) if told."""

    size: Size
    orientation: int = 1
    frames: int | None = None
    mode: str | None = None


class HeaderCut(Exception):
    """More bytes are needed: `bytes_needed` in all."""

    def __init__(self, bytes_needed: int) -> None:
        super().__init__(bytes_needed)
        self.bytes_needed = bytes_needed


def need(data: bytes, bytes_needed: int) -> None:
    """Make sure that there are so many bytes.

    Raises:
        HeaderCut: there are fewer.
    """
    if len(data) < bytes_needed:
        raise HeaderCut(bytes_needed)
