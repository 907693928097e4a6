"""Whether an image decodes to its last pixel, and what only its pixels tell. Runs in a process of its own.

Pillow decodes; nothing of it is kept but facts. Frames are decoded until `most` pixels were, all
frames taken together: an animation of any length costs no more than the largest picture that is taken.
"""

from __future__ import annotations

import io
import warnings
from dataclasses import dataclass
from typing import Final, TypeAlias

from PIL import Image, ImageFile, UnidentifiedImageError

from crawler.pixels import structure
from crawler.pixels.borrowed import ANIMATED
from crawler.pixels.likeness import likeness
from storage.model import Size, Verdict

ORIENTATION: Final = 0x0112  # EXIF 2.32, table 4
PIXELS: Final = "pixels"
STRUCTURE: Final = "structure"
# Pillow passes over a broken end of a GIF or a JPEG 2000, and over a wrong checksum in a PNG.
BOTH: Final = frozenset({"GIF", "JPEG2000", "PNG"})


@dataclass(frozen=True, slots=True)
class Proven:
    """A whole image: how that was proven, and what its pixels tell where they were decoded.

    `size` is Pillow's word, `blank` that no pixel of the first frame can be seen; `orientation`
    is what its EXIF says, wherever that stands; `likeness` how the first frame looks.
    """

    proof: str
    size: Size | None = None
    frames: int | None = None
    mode: str | None = None
    alpha: bool | None = None
    blank: bool = False
    orientation: int | None = None
    likeness: int | None = None


@dataclass(frozen=True, slots=True)
class Faulty:
    """An image that is not whole: the verdict, and why."""

    verdict: Verdict
    why: str


Proof: TypeAlias = Proven | Faulty


def decodes(kind: str) -> bool:
    """Whether Pillow knows a format here: some of its decoders are left out of some builds."""
    Image.init()
    return kind in Image.OPEN


def prove(data: bytes, kind: str, how: str, most: int) -> Proof:
    """Prove a whole file of a format by its pixels or by its structure; `most` pixels are decoded.

    A format that Pillow does not know here is proven by its structure, and one whose structure
    says nothing by its pixels.
    """
    pixels = decodes(kind) and (how == PIXELS or not structure.told(kind))
    why = structure.fault(data, kind) if not pixels or kind in BOTH else None
    if why is not None:
        return Faulty(Verdict.TRUNCATED, why)
    return _decoded(data, kind, most) if pixels else Proven(STRUCTURE)


def _decoded(data: bytes, kind: str, most: int) -> Proof:
    Image.MAX_IMAGE_PIXELS = None  # `most` holds; Pillow would only warn of twice as many
    ImageFile.LOAD_TRUNCATED_IMAGES = False
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            image = Image.open(io.BytesIO(data), formats=[kind])
        except MemoryError:
            return Faulty(Verdict.TOO_LARGE, "its header takes more memory than it gets")
        except Exception as exc:  # noqa: BLE001 - hostile bytes break a reader in any way they like
            return Faulty(Verdict.UNDECODABLE, f"{kind} that Pillow does not open: {_said(exc)}")
        with image:
            return _loaded(image, kind, most)


def _loaded(image: Image.Image, kind: str, most: int) -> Proof:
    if image.width * image.height > most:
        return Faulty(Verdict.TOO_LARGE, f"{image.width}x{image.height}, more than {most} pixels")
    try:
        size = Size(image.width, image.height)
        image.load()
        alpha, blank = _transparency(image)
        mode, orientation = image.mode, image.getexif().get(ORIENTATION)
        look = likeness(image)
        frames = _frames(image, kind, most)
    except MemoryError:
        return Faulty(Verdict.TOO_LARGE, "its pixels take more memory than they get")
    except Exception as exc:  # noqa: BLE001 - as above
        return Faulty(Verdict.TRUNCATED, f"{kind} that does not decode to its last pixel: {_said(exc)}")
    turned = orientation if isinstance(orientation, int) else None
    return Proven(PIXELS, size, frames, mode, alpha, blank, turned, look)


def _transparency(image: Image.Image) -> tuple[bool, bool]:
    """Whether the frame at hand has transparency, and whether all of it is."""
    alpha = image.has_transparency_data
    if not alpha:
        return False, False
    seen = image if image.mode in {"LA", "RGBA"} else image.convert("RGBA")
    return True, seen.getchannel("A").getextrema()[1] == 0


def _frames(image: Image.Image, kind: str, most: int) -> int:
    """Decode the frames behind the first, as far as the pixels reach; returns how many there are."""
    if kind not in ANIMATED:
        return 1
    frames: int = getattr(image, "n_frames", 1)
    left = most - image.width * image.height
    for number in range(1, frames):
        left -= image.width * image.height
        if left < 0:
            break
        image.seek(number)
        image.load()
    return frames


def _said(exc: Exception) -> str:
    if isinstance(exc, UnidentifiedImageError):
        return "its header is broken, or of a kind that it does not know"
    return (str(exc).strip().partition("\n")[0] or type(exc).__name__)[:200]
