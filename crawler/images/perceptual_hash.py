"""How a picture looks, in 64 bits: two that differ in few of them look alike, whatever their bytes.

The bits are imagehash's `dhash`: whether brightness rises from one cell to the next, on a picture
shrunk to nine by eight. They stand scaling and another compression, and no turning.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType
from typing import Final

from PIL import Image

REDUCED_SIZE: Final = (144, 128)  # sixteen times what the library looks at
REDUCIBLE_MODES: Final = frozenset({"L", "RGB", "RGBX", "CMYK", "YCbCr"})
MIN_DISTINCT_BITS: Final = 4  # bits that differ from all others; a picture with fewer is one flat colour


def likeness(image: Image.Image) -> int | None:
    """The bits of a picture that is loaded; None without the extra, and for one with nothing to see."""
    library = prepare()
    if library is None:
        return None
    try:
        bits = int(str(library.dhash(_small(image))), 16)
    except ValueError:  # a space of colours, as Lab, that Pillow knows no brightness of
        return None
    return bits if MIN_DISTINCT_BITS <= bits.bit_count() <= 64 - MIN_DISTINCT_BITS else None


def _small(image: Image.Image) -> Image.Image:
    """Shrunk by a whole number first: that is quick, and a copy of all pixels might not fit the memory."""
    plain = image if image.mode in REDUCIBLE_MODES else image.convert("L")
    times = min(image.width // REDUCED_SIZE[0], image.height // REDUCED_SIZE[1])
    return plain.reduce(times) if times > 1 else plain


@cache
def prepare() -> ModuleType | None:
    """The library, imported once; None where it is not installed."""
    return import_module("imagehash") if find_spec("imagehash") else None
