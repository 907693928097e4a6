"""The readers of others: imagesize for a size, Pillow for what only a whole file tells."""

from __future__ import annotations

import io
import logging
import warnings
from typing import TYPE_CHECKING, Final

from crawler.images.formats.header import ImageHeader
from storage.model import Size

if TYPE_CHECKING:
    from PIL import Image

# Both take long to import, and a run may meet no image that our own readers leave to them.

# What Pillow thinks of hostile bytes is no news: the verdict says it.
logging.getLogger("PIL").setLevel(logging.CRITICAL)

ANIMATED_FORMATS: Final = frozenset({"GIF", "PNG", "WEBP", "AVIF", "TIFF"})  # formats of several frames


def by_imagesize(data: bytes) -> Size | None:
    """The size that imagesize reads from leading bytes."""
    import imagesize  # noqa: PLC0415 - as above

    try:
        width, height = imagesize.get(io.BytesIO(data))
    except Exception:  # noqa: BLE001 - hostile bytes break a reader in any way they like
        return None
    return Size(int(width), int(height)) if width >= 0 and height >= 0 else None


def by_pillow(data: bytes, kind: str) -> ImageHeader | None:
    """What Pillow reads from the header of a whole file of this format; it decodes no pixel."""
    from PIL import Image  # noqa: PLC0415 - as above

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(io.BytesIO(data), formats=[kind]) as image:
                return ImageHeader(Size(*image.size), frames=_frames(image, kind), mode=image.mode)
    except Exception:  # noqa: BLE001 - as above
        return None


def _frames(image: Image.Image, kind: str) -> int | None:
    if kind not in ANIMATED_FORMATS:
        return 1
    try:
        frames: int = getattr(image, "n_frames", 1)
    except Exception:  # noqa: BLE001 - as above
        return None
    return frames
