"""A small picture of a picture, for people to recognise it."""

from __future__ import annotations

import io
import warnings
from typing import Final

from PIL import Image, ImageOps

THUMBNAIL_SIDE_PIXELS: Final = 160  # pixels of its longer side
MAX_THUMBNAIL_PIXELS: Final = 40_000_000  # pixels; what is larger takes too long to be worth a thumbnail
WEBP_QUALITY: Final = 60


def thumbnail(data: bytes, side: int = THUMBNAIL_SIDE_PIXELS) -> bytes | None:
    """A WebP of the first frame as a browser turns it, at most `side` pixels wide and high.

    Only for bytes that a proof has decoded before: this decodes them in this very process.

    Returns:
        None if they cannot be drawn: a vector, a format without decoder, more than 40 million pixels.
    """
    try:
        with warnings.catch_warnings(action="ignore"), Image.open(io.BytesIO(data)) as image:
            if image.width * image.height > MAX_THUMBNAIL_PIXELS:
                return None
            image.draft("RGB", (side, side))  # JPEG is decoded at an eighth where that is enough
            image.thumbnail((side, side))
            upright = ImageOps.exif_transpose(image)
            rgb = upright.convert("RGBA" if upright.has_transparency_data else "RGB")
            out = io.BytesIO()
            rgb.save(out, "WEBP", quality=WEBP_QUALITY)
            return out.getvalue()
    except Exception:  # noqa: BLE001 - hostile bytes break a reader in any way they like
        return None
