"""Size, format and orientation of an image from its leading bytes, or why there are none.

Two readers stand behind it: `imagesize`, which needs some thirty bytes of most formats, and Pillow,
which knows more formats and needs more bytes. JPEG, ICO and SVG are read here, since the first
hides the stored size, the second is not read by imagesize, and the third is text.
"""

from __future__ import annotations

import io
import warnings
from dataclasses import dataclass
from typing import Final, TypeAlias

import imagesize
from PIL import Image, UnidentifiedImageError

from crawler.pixels import jpeg, svg
from crawler.pixels.kinds import SHORTEST, image_kind, is_svg, other_kind
from storage.model import Picture, Size

GROWTH: Final = 8  # how many times more bytes to ask for when nobody can tell how many
ANIMATED: Final = frozenset({"GIF", "PNG", "WEBP", "AVIF", "TIFF"})


@dataclass(frozen=True, slots=True)
class More:
    """The size lies behind these bytes: ask for `least` bytes in all."""

    least: int


@dataclass(frozen=True, slots=True)
class NotImage:
    """The bytes are no image; `what` says what they are."""

    what: str


@dataclass(frozen=True, slots=True)
class Broken:
    """The bytes begin as an image, or as nothing at all, and lead to no size."""

    why: str


Measure: TypeAlias = Picture | More | NotImage | Broken


def measure(data: bytes, *, complete: bool) -> Measure:
    """Say what the bytes are; `complete` if they are the whole file.

    Never raises, whatever the bytes.
    """
    if not data and complete:
        return Broken("the body is empty")
    if len(data) < SHORTEST and not complete:
        return More(SHORTEST)
    kind = image_kind(data)
    if kind is not None:
        return _raster(data, kind, complete=complete)
    if is_svg(data):
        return _svg(data, complete=complete)
    what = other_kind(data)
    return NotImage(what) if what else Broken("no image format begins like this")


def _svg(data: bytes, *, complete: bool) -> Measure:
    reached, size = svg.read(data)
    if reached:
        return Picture(size, size, "SVG")
    if complete or len(data) >= svg.LONGEST:
        return Broken("an SVG whose root cannot be read")
    return More(min(len(data) * GROWTH, svg.LONGEST))


def _raster(data: bytes, kind: str, *, complete: bool) -> Measure:
    orientation = 1
    if kind == "JPEG":
        try:
            found = jpeg.read(data)
        except jpeg.Cut as exc:
            return Broken("it ends before its size") if complete else More(exc.least)
        size, orientation = found or (None, 1)
    else:
        size = _size(data, kind, complete=complete)
    if size is None and not complete:
        return More(len(data) * GROWTH)
    if size is None and kind != "JXL":
        return Broken(f"a {kind} whose header leads to no size")
    if size is not None and not (size.width and size.height):
        return Broken(f"a {kind} that says it is {size}")
    return _picture(data, kind, size, orientation, complete=complete)


def _picture(data: bytes, kind: str, stored: Size | None, orientation: int, *, complete: bool) -> Picture:
    frames, mode = _opened(data, kind) if complete else (None, None)
    turned = orientation >= jpeg.SIDEWAYS and stored is not None
    shown = Size(stored.height, stored.width) if turned and stored else stored
    return Picture(shown, stored, kind, orientation, frames, mode)


def _size(data: bytes, kind: str, *, complete: bool) -> Size | None:
    if kind in {"ICO", "CUR"}:
        return _icon(data)
    return _by_imagesize(data) or (_by_pillow(data) if complete or kind == "TIFF" else None)


def _icon(data: bytes) -> Size | None:
    """The largest picture of an icon, which is the one that browsers show; 0 stands for 256."""
    count = int.from_bytes(data[4:6], "little")
    entries = [data[6 + 16 * n : 8 + 16 * n] for n in range(min(count, (len(data) - 6) // 16))]
    sizes = [Size(entry[0] or 256, entry[1] or 256) for entry in entries if len(entry) == 2]  # noqa: PLR2004
    return max(sizes, key=lambda size: size.width * size.height, default=None)


def _by_imagesize(data: bytes) -> Size | None:
    try:
        width, height = imagesize.get(io.BytesIO(data))
    except Exception:  # noqa: BLE001 - hostile bytes break a reader in any way they like
        return None
    return Size(int(width), int(height)) if width > 0 and height > 0 else None


def _by_pillow(data: bytes) -> Size | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(io.BytesIO(data)) as image:
                return Size(*image.size)
    except (UnidentifiedImageError, Image.DecompressionBombError, OSError):
        return None
    except Exception:  # noqa: BLE001 - as above
        return None


def _opened(data: bytes, kind: str) -> tuple[int | None, str | None]:
    """Frames and colour mode of a whole file, as Pillow knows them."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(io.BytesIO(data)) as image:
                frames = getattr(image, "n_frames", 1) if kind in ANIMATED else 1
                return frames, image.mode
    except Exception:  # noqa: BLE001 - as above
        return None, None
