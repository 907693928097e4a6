"""Whether an image decodes to its last pixel, and what only its pixels tell. Runs in a process of its own.

Pillow decodes; nothing of it is kept but facts. Frames are decoded until `max_pixels` were, all frames
taken together: an animation of any length costs no more than the largest picture that is taken.

What Pillow refuses is not broken for that: a second opinion comes before blame. What Pillow accepts is
not whole for that: it fills in what is missing, so the structure has to agree.
"""

from __future__ import annotations

import io
import warnings
from dataclasses import replace
from typing import Final, TypeAlias

from PIL import Image, ImageFile, UnidentifiedImageError

from crawler.images import integrity, jpeg_end, png_pixels, repair
from crawler.images.formats.libraries import ANIMATED_FORMATS
from crawler.images.measure import measure
from crawler.images.perceptual_hash import likeness
from storage.errors import original
from storage.frozen import frozen
from storage.model import Picture, Size, Verdict

ORIENTATION_TAG: Final = 0x0112  # EXIF 2.32, table 4
PIXEL_PROOF: Final = "pixels"
STRUCTURE_PROOF: Final = "structure"
# Pillow passes over missing parts of these, or over a wrong checksum: the structure has to agree.
DOUBLE_PROOF_FORMATS: Final = frozenset({"AVIF", "GIF", "JPEG", "JPEG2000", "PNG", "WEBP"})
# Bytes of memory that libwebp and libavif take for a pixel: two canvases, and two copies.
CANVAS_BYTES_PER_PIXEL: Final = 16
BYTES_PER_PIXEL: Final = 6  # of memory that a process gets: four samples, and the copy of one
CANVAS_FORMATS: Final = frozenset({"WEBP", "AVIF"})


@frozen
class Decoded:
    """A whole image: how that was proven, and what its pixels tell where they were decoded.

    `size` is what Pillow reads, `blank` that no pixel of any frame can be seen; `orientation` is what
    its EXIF says, wherever that stands; `likeness` how the first frame looks; `remark` what is not as
    the format wants it, though all pixels are there.
    """

    proof: str
    size: Size | None = None
    frames: int | None = None
    mode: str | None = None
    alpha: bool | None = None
    blank: bool = False
    orientation: int | None = None
    likeness: int | None = None
    remark: str | None = None


@frozen
class DecodeFailure:
    """An image that is not whole: the verdict, and why."""

    verdict: Verdict
    why: str


Proof: TypeAlias = Decoded | DecodeFailure


def decodes(kind: str) -> bool:
    """Whether Pillow knows a format here: some of its decoders are left out of some builds."""
    Image.init()
    return kind in Image.OPEN


def prove(data: bytes, kind: str, how: str, max_pixels: int) -> Proof:
    """Prove a whole file of a format by its pixels or by its structure; `max_pixels` are decoded.

    A format that Pillow does not know here is proven by its structure, and one whose structure
    says nothing by its pixels.
    """
    pixels = decodes(kind) and (how == PIXEL_PROOF or not integrity.has_structure(kind))
    flaw = integrity.flaw(data, kind) if not pixels or kind in DOUBLE_PROOF_FORMATS else None
    if flaw is not None and flaw.verdict is not None:
        return DecodeFailure(flaw.verdict, flaw.why)
    remark = flaw.why if flaw else None
    if pixels:
        return _by_pixels(data, kind, max_pixels, remark)
    if flaw is not None and flaw.for_pixels:
        return DecodeFailure(Verdict.TRUNCATED, flaw.why)
    return Decoded(STRUCTURE_PROOF, remark=remark)


def _by_pixels(data: bytes, kind: str, max_pixels: int, remark: str | None) -> Proof:
    """Decode a file, else the picture that browsers see in it, else count its pixels."""
    if kind == "JPEG":
        return _jpeg(data, max_pixels, remark)
    proof = _decoded(data, kind, max_pixels)
    if isinstance(proof, Decoded):
        return replace(proof, remark=remark or proof.remark)
    if proof.verdict is Verdict.TOO_LARGE and kind != "GIF":  # whose frames may leave the screen
        return proof
    repaired_data, repaired_kind = repair.repaired(data, kind), repair.REPAIRED_KINDS.get(kind, kind)
    second = _decoded(repaired_data, repaired_kind, max_pixels) if repaired_data else None
    if isinstance(second, Decoded):
        return replace(second, remark=remark or proof.why)
    if repair.has_all_pixels(data, kind):
        return Decoded(PIXEL_PROOF, frames=1, remark=remark or proof.why)
    return replace(proof, verdict=Verdict.TRUNCATED) if repair.is_cut(data, kind) else proof


def _jpeg(data: bytes, max_pixels: int, remark: str | None) -> Proof:
    """Demand both: pixels that Pillow decodes, and an end that it need not make up."""
    proof = _decoded(data if remark is None else jpeg_end.ended(data), "JPEG", max_pixels)
    if isinstance(proof, DecodeFailure):
        return proof
    try:
        missing = jpeg_end.pixels_missing(data, sure=remark is None)
    except MemoryError:
        return DecodeFailure(Verdict.TOO_LARGE, "its pixels take more memory than they get")
    if missing:
        return DecodeFailure(
            Verdict.TRUNCATED, "JPEG whose pixels end before its last row: the rest is filled in"
        )
    return replace(proof, remark=remark and "JPEG without its end marker: all its pixels are there")


def _decoded(data: bytes, kind: str, max_pixels: int) -> Proof:
    Image.MAX_IMAGE_PIXELS = None  # `max_pixels` holds; Pillow would only warn of twice as many
    ImageFile.LOAD_TRUNCATED_IMAGES = False
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            image = Image.open(io.BytesIO(data), formats=[kind])
        except MemoryError:
            return DecodeFailure(Verdict.TOO_LARGE, "its header takes more memory than it gets")
        except Exception as exc:  # noqa: BLE001 - hostile bytes break a reader in any way they like
            why = f"{kind} that Pillow does not open{_library_words(exc)}"
            return _out_of_memory(data, kind, max_pixels) or DecodeFailure(Verdict.UNDECODABLE, why)
        with image:
            return _loaded(image, data, kind, max_pixels)


def _loaded(image: Image.Image, data: bytes, kind: str, max_pixels: int) -> Proof:
    if image.width * image.height > max_pixels:
        why = f"{image.width}x{image.height}, more than {max_pixels} pixels"
        return DecodeFailure(Verdict.TOO_LARGE, why)
    try:
        size = Size(image.width, image.height)
        image.load()
        if kind == "PNG" and _lacks_rows(image, data):
            return DecodeFailure(Verdict.TRUNCATED, "PNG whose pixels end before its last row")
        alpha, blank = _transparency(image)
        mode, orientation = image.mode, _orientation(image)
        look = likeness(image)
        frames, blank = _frames(image, kind, max_pixels, blank=blank)
    except MemoryError:
        failure = DecodeFailure(Verdict.TOO_LARGE, "its pixels take more memory than they get")
        return _out_of_memory(data, kind, max_pixels) or failure
    except Exception as exc:  # noqa: BLE001 - as above
        why = f"{kind} that does not decode to its last pixel{_library_words(exc)}"
        return _out_of_memory(data, kind, max_pixels) or DecodeFailure(Verdict.TRUNCATED, why)
    return Decoded(PIXEL_PROOF, size, frames, mode, alpha, blank, orientation, look)


def _lacks_rows(image: Image.Image, data: bytes) -> bool:
    """Whether rows are missing: Pillow leaves them empty where the stream ends well, but too early."""
    last_rows = range(max(0, image.height - 2), image.height)
    empty = any(image.crop((0, top, image.width, top + 1)).getbbox() is None for top in last_rows)
    return empty and not png_pixels.has_all_pixels(data)


def is_beyond_memory(size: Size | None, kind: str, max_pixels: int) -> bool:
    """Whether a picture of `max_pixels` or fewer takes more memory than a process that decodes gets."""
    if size is None or kind not in CANVAS_FORMATS:
        return False
    return CANVAS_BYTES_PER_PIXEL * size.width * size.height >= BYTES_PER_PIXEL * max_pixels


def _out_of_memory(data: bytes, kind: str, max_pixels: int) -> Proof | None:
    """A failure that may well be one of memory, since some libraries do not say it of theirs.

    That is no fault of a picture: its structure, which was proven before, has to do.
    """
    picture = measure(data, complete=False) if kind in CANVAS_FORMATS else None
    if not isinstance(picture, Picture) or picture.size is None:
        return None
    if picture.size.width * picture.size.height > max_pixels:
        return DecodeFailure(Verdict.TOO_LARGE, f"{picture.size}, more than {max_pixels} pixels")
    if not is_beyond_memory(picture.size, kind, max_pixels):
        return None
    why = f"{picture.size}: its pixels take more memory than they get, so only its structure was looked at"
    return Decoded(STRUCTURE_PROOF, remark=why)


def _orientation(image: Image.Image) -> int | None:
    """What the EXIF says, if it can be read: it is a fact beside the pixels, and no part of them."""
    try:
        orientation = image.getexif().get(ORIENTATION_TAG)
    except MemoryError:
        raise
    except Exception:  # noqa: BLE001 - as above
        return None
    return orientation if isinstance(orientation, int) else None


def _transparency(image: Image.Image) -> tuple[bool, bool]:
    """Whether the current frame has transparency, and whether all of it is."""
    alpha = image.has_transparency_data
    if not alpha:
        return False, False
    rgba = image if image.mode in {"LA", "RGBA"} else image.convert("RGBA")
    return True, rgba.getchannel("A").getextrema()[1] == 0


def _frames(image: Image.Image, kind: str, max_pixels: int, *, blank: bool) -> tuple[int, bool]:
    """Decode the frames behind the first, as far as the pixels reach.

    `blank`: nothing is seen in the first one.

    Returns:
        How many there are, and whether nothing is seen in any; one that was not decoded may show something.
    """
    if kind not in ANIMATED_FORMATS:
        return 1, blank
    frames: int = getattr(image, "n_frames", 1)
    pixel_budget = max_pixels - image.width * image.height
    for number in range(1, frames):
        pixel_budget -= image.width * image.height
        if pixel_budget < 0:
            return frames, False
        image.seek(number)
        image.load()
        blank = blank and _transparency(image)[1]
    return frames, blank


def _library_words(exc: Exception) -> str:
    if isinstance(exc, UnidentifiedImageError):
        return ": its header is broken, or of a kind that it does not know"
    return original(exc) or original(type(exc).__name__)
