"""Measuring images by their leading bytes: each format, each length, and bytes that are none."""

from __future__ import annotations

import io
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from crawler.images import BrokenHeader, Measure, NeedMoreBytes, NotImage, measure
from crawler.images.formats.sniff import IMAGE_MAGICS
from storage.model import Picture, Size

pytestmark = pytest.mark.libraries

STORED = Size(40, 30)
SHOWN = Size(30, 40)
ORIENTED = ("JPEG", "PNG", "TIFF", "AVIF")


def made(form: str, mode: str = "RGB", size: Size = STORED, **options: Any) -> bytes:
    """A small image of one colour."""
    out = io.BytesIO()
    Image.new(mode, (size.width, size.height), 7).save(out, form, **options)
    return out.getvalue()


def turned(form: str, orientation: int) -> bytes:
    """An image that EXIF, or its own format, says to turn."""
    exif = Image.Exif()
    exif[274] = orientation
    return made(form, exif=exif)


def animated(form: str) -> bytes:
    """Three frames."""
    frames = [Image.new("RGB", (40, 30), shade) for shade in ("red", "green", "blue")]
    out = io.BytesIO()
    frames[0].save(out, form, save_all=True, append_images=frames[1:])
    return out.getvalue()


def behind(profile: int) -> bytes:
    """A JPEG whose size lies behind a colour profile of so many bytes."""
    return made("JPEG", icc_profile=bytes(profile))


SAMPLES = {
    "JPEG": made("JPEG"),
    "JPEG, progressive": made("JPEG", progressive=True),
    "JPEG, grey": made("JPEG", "L"),
    "JPEG, four inks": made("JPEG", "CMYK"),
    "JPEG, behind a profile": behind(5000),
    "PNG": made("PNG"),
    "PNG, palette": made("PNG", "P"),
    "PNG, alpha": made("PNG", "RGBA"),
    "GIF": made("GIF", "P"),
    "WEBP": made("WEBP"),
    "WEBP, lossless": made("WEBP", lossless=True),
    "WEBP, alpha": made("WEBP", "RGBA"),
    "WEBP, lossless alpha": made("WEBP", "RGBA", lossless=True),
    "AVIF": made("AVIF"),
    "BMP": made("BMP"),
    "ICO": made("ICO", sizes=[(16, 16), (40, 30)]),
    "TIFF": made("TIFF"),
    "TIFF, its directory last": made("TIFF", compression="tiff_lzw"),
    "TIFF, big": made("TIFF", big_tiff=True),
    "JPEG2000": made("JPEG2000"),
    "JPEG2000, bare": made("JPEG2000", no_jp2=True),
    "DDS": made("DDS"),
}


@pytest.mark.parametrize("name", SAMPLES)
def test_a_whole_image(name: str) -> None:
    """Format, size, frames and mode are read as Pillow reads them."""
    found = measure(SAMPLES[name], complete=True)
    with Image.open(io.BytesIO(SAMPLES[name])) as image:
        assert found == Picture(STORED, STORED, name.partition(",")[0], 1, 1, image.mode)


@pytest.mark.parametrize("name", SAMPLES)
def test_every_length(name: str) -> None:
    """Leading bytes ask for more than they are, or tell the size; a cut file is never a crash."""
    data = SAMPLES[name]
    for length in range(len(data)):
        found = measure(data[:length], complete=False)
        assert found.bytes_needed > length if isinstance(found, NeedMoreBytes) else stored(found) == STORED
        assert not isinstance(measure(data[:length], complete=True), NeedMoreBytes)


def stored(found: Measure) -> Size | None:
    """The stored size of a picture."""
    assert isinstance(found, Picture), found
    return found.stored


@pytest.mark.parametrize("name", SAMPLES)
def test_asking_for_more_comes_to_an_end(name: str) -> None:
    """Whoever asks for as many bytes as he is told comes to the size within a dozen times."""
    data, length = SAMPLES[name], 0
    for _ in range(12):
        found = measure(data[:length], complete=length >= len(data))
        if not isinstance(found, NeedMoreBytes):
            break
        length = found.bytes_needed
    assert stored(found) == STORED
    assert length <= len(data) + 64


def test_a_profile_before_the_size_is_passed_over_at_once() -> None:
    """A JPEG says at its beginning that a long segment follows: no byte of it is asked for twice."""
    found = measure(behind(60_000)[:2048], complete=False)
    assert isinstance(found, NeedMoreBytes)
    assert (found.bytes_needed > 60_000, found.format) == (True, "JPEG")


@pytest.mark.parametrize("form", ORIENTED)
@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation(form: str, orientation: int) -> None:
    """The size shown is the one after EXIF rotation, or that of the format itself."""
    found = measure(turned(form, orientation), complete=True)
    assert isinstance(found, Picture)
    shown = SHOWN if orientation > 4 else STORED
    assert (found.stored, found.size, found.orientation) == (STORED, shown, orientation)


@pytest.mark.parametrize("orientation", [0, 9, 65_535])
def test_an_orientation_that_does_not_exist(orientation: int) -> None:
    """An orientation that EXIF does not know turns nothing."""
    found = measure(turned("JPEG", orientation), complete=True)
    assert isinstance(found, Picture)
    assert (found.size, found.orientation) == (STORED, 1)


@pytest.mark.parametrize("form", ["GIF", "PNG", "WEBP"])
def test_frames(form: str) -> None:
    """The frames of a whole animation are counted."""
    found = measure(animated(form), complete=True)
    assert isinstance(found, Picture)
    assert found.frames == 3


def test_frames_of_a_part() -> None:
    """A PNG says its frames before its pixels; a GIF and a WebP say them only as a whole."""
    frames = {}
    for form in ("PNG", "GIF", "WEBP"):
        found = measure(animated(form)[:120], complete=False)
        frames[form] = found.frames if isinstance(found, Picture) else "?"
    assert frames == {"PNG": 3, "GIF": None, "WEBP": None}


MAGICS = [magic for magic, _ in IMAGE_MAGICS] + [
    b"\0\0\0\x20ftypavif",
    b"RIFF\0\0\0\0WEBP",
    b"<svg ",
    b"<?xml",
]


@settings(max_examples=300, deadline=None)
@given(magic=st.sampled_from(MAGICS), rest=st.binary(max_size=300), complete=st.booleans())
def test_any_bytes_behind_any_signature(magic: bytes, rest: bytes, *, complete: bool) -> None:
    """Whatever follows a signature, the answer is a value; of a whole file never `NeedMoreBytes`."""
    found = measure(magic + rest, complete=complete)
    assert isinstance(found, Picture | NotImage | BrokenHeader) or (
        not complete and found.bytes_needed > len(magic + rest)
    )


@settings(max_examples=300, deadline=None)
@given(name=st.sampled_from(sorted(SAMPLES)), data=st.data())
def test_any_change_of_some_bytes(name: str, data: st.DataObject) -> None:
    """An image with changed bytes is measured to some value."""
    changed = bytearray(SAMPLES[name])
    for _ in range(data.draw(st.integers(1, 8))):
        changed[data.draw(st.integers(0, min(len(changed), 400) - 1))] = data.draw(st.integers(0, 255))
    assert not isinstance(measure(bytes(changed), complete=True), NeedMoreBytes)
    measure(bytes(changed), complete=False)
