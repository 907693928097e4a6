"""Whether the pixels of a JPEG are there to the last: libjpeg fills in what is missing, Pillow is silent.

Noise is put behind each scan, and before each restart marker. A decoder that has all of its pixels never
looks at it; one that has run out of bytes takes it for pixels, and the picture differs.
"""

from __future__ import annotations

import io
import random
import zlib
from typing import Final

from PIL import Image

from crawler.images import jpeg_scans

NOISE: Final = random.Random(81).randbytes(4096).replace(b"\xff", b"\x55")  # noqa: S311 - no secret
RESTART_NOISE: Final = NOISE[:32]
CORNER_PIXELS: Final = 8  # the side of a block
SMALLEST_SCALE: Final = 8  # a block as one pixel
STRIP_ROWS: Final = 256  # that are compared at once


def ended(data: bytes) -> bytes:
    """The file up to its last scan, with an end marker."""
    return jpeg_scans.without_end(data, jpeg_scans.read_scans(data)) + jpeg_scans.END


def pixels_missing(data: bytes, *, sure: bool) -> bool:
    """Whether the bytes end before the pixels do.

    `sure`: the file has its end marker, so that a picture whose last block shows anything is whole.

    Raises:
        MemoryError: there is too little memory for the pixels.
    """
    scans = jpeg_scans.read_scans(data)
    ended_data = jpeg_scans.without_end(data, scans) + jpeg_scans.END
    if scans.is_arithmetic or (sure and scans.is_plain and not _ends_flat(ended_data)):
        return False
    noisy = jpeg_scans.with_noise(data, scans, NOISE, RESTART_NOISE) + jpeg_scans.END
    scale = SMALLEST_SCALE if sure and scans.is_sequential else 1
    return _fingerprint(ended_data, scale) != _fingerprint(noisy, scale)


def _ends_flat(data: bytes) -> bool:
    """Whether the last block has one colour, as blocks have that were filled in."""
    with Image.open(io.BytesIO(data), formats=["JPEG"]) as image:
        x_offset, y_offset = max(0, image.width - CORNER_PIXELS), max(0, image.height - CORNER_PIXELS)
        corner = image.crop((x_offset, y_offset, image.width, image.height))
        return all(len(set(band.tobytes())) == 1 for band in corner.split())


def _fingerprint(data: bytes, scale: int) -> int | None:
    """A checksum of all pixels, of a picture that is shrunk while it is decoded; None if noise broke it."""
    try:
        return _checksum(data, scale)
    except OSError:
        return None


def _checksum(data: bytes, scale: int) -> int:
    with Image.open(io.BytesIO(data), formats=["JPEG"]) as image:
        if scale > 1:
            image.draft(None, (max(1, image.width // scale), max(1, image.height // scale)))
        image.load()
        checksum = 0
        for top in range(0, image.height, STRIP_ROWS):
            strip = image.crop((0, top, image.width, min(top + STRIP_ROWS, image.height)))
            checksum = zlib.crc32(strip.tobytes(), checksum)
        return checksum
