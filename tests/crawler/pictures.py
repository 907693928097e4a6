"""Pictures for tests, small, real, and each of its own colour, in every format that Pillow writes."""

from __future__ import annotations

import io
import random

from PIL import Image

from storage.model import Size

SMALL = Size(24, 16)
FORMATS = ("JPEG", "PNG", "GIF", "WEBP", "AVIF", "BMP", "TIFF", "JPEG2000")


def noise(seed: int, width: int = 24, height: int = 16, mode: str = "RGB") -> Image.Image:
    """A picture of noise, always the same for a seed."""
    bands = len(mode)
    return Image.frombytes(mode, (width, height), random.Random(seed).randbytes(width * height * bands))


def picture(seed: int = 1, kind: str = "PNG", *, mode: str = "RGB", size: Size = SMALL) -> bytes:
    """The bytes of a picture in a format."""
    out = io.BytesIO()
    noise(seed, size.width, size.height, mode).save(out, kind)
    return out.getvalue()


def animation(frames: int, kind: str = "GIF") -> bytes:
    """A picture that moves."""
    first, *rest = [noise(seed) for seed in range(frames)]
    out = io.BytesIO()
    first.save(out, kind, save_all=True, append_images=rest)
    return out.getvalue()


def nothing(kind: str = "PNG") -> bytes:
    """A picture of which no pixel can be seen."""
    out = io.BytesIO()
    Image.new("RGBA", (24, 16), (9, 9, 9, 0)).save(out, kind)
    return out.getvalue()
