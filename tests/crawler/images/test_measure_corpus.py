"""Every image of the corpus, against what its source and two other readers say of it.

The size is the one that the source publishes, else the one that Pillow read, else none. Each image
that is measured otherwise stands in `DEVIATIONS` with the reason.
"""

from __future__ import annotations

import json
import resource
import time
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from crawler.images import BrokenHeader, NotImage, measure
from storage.model import Picture, Size

AFTER = ("AFTER orientation", "applies EXIF orientation")
FOREIGN = "a format that no page shows and that is not read"
NO_MARK = "a format without a mark of its own that no page shows"
POSTSCRIPT = "PostScript is a document, not a picture"
ROUNDED = "48.91 px: the source cuts, browsers and npm image-size round"
TURNED = "Pillow gives the size of a TIFF after rotation"
DEVIATIONS = {
    "fastimage/test3.svg": ROUNDED,
    "fastimage/test5.svg": ROUNDED,
    "image-size/valid/icns/sample.icns": FOREIGN,
    "image-size/valid/ktx/sample.ktx": FOREIGN,
    "image-size/valid/pnm/sample.pam": FOREIGN,
    "image-size/valid/pnm/sample.pbm": FOREIGN,
    "image-size/valid/pnm/sample.pfm": FOREIGN,
    "image-size/valid/pnm/sample.pgm": FOREIGN,
    "image-size/valid/pnm/sample.ppm": FOREIGN,
    "image-size/valid/svg/viewbox-width-height-brackets.svg": "a bare < in an attribute is no XML",
    "pillow/crash-465703f71a0f0094873a3e0e82c9f798161171b8.sgi": FOREIGN,
    "pillow/crash-5762152299364352.fli": FOREIGN,
    "pillow/crash-abcf1c97b8fe42a6c68f1fb0b978530c98d57ced.sgi": FOREIGN,
    "pillow/crash-b82e64d4f3f76d7465b6af535283029eda211259.sgi": FOREIGN,
    "pillow/crash-c1b2595b8b0b92cc5f38b6635e98e3a119ade807.sgi": FOREIGN,
    "pillow/cross_scan_line_truncated.tga": NO_MARK,
    "pillow/eps/non_zero_bb.eps": POSTSCRIPT,
    "pillow/eps/zero_bb_emptyline.eps": POSTSCRIPT,
    "pillow/fli_oob/04r/initial.fli": FOREIGN,
    "pillow/fli_overflow.fli": FOREIGN,
    "pillow/g4_orientation_5.tif": TURNED,
    "pillow/g4_orientation_7.tif": TURNED,
    "pillow/g4_orientation_8.tif": TURNED,
    "pillow/oom-8ed3316a4109213ca96fb8a256a0bfefdece1461.icns": FOREIGN,
    "pillow/ossfuzz-4836216264589312.pcx": NO_MARK,
    "pillow/ossfuzz-5730089102868480.sgi": FOREIGN,
    "pillow/sgi_crash.bin": FOREIGN,
    "pillow/timeout-060745d3f534ad6e4128c51d336ea5489182c69d.blp": FOREIGN,
    "pillow/timeout-31c8f86233ea728339c6e586be7af661a09b5b98.blp": FOREIGN,
    "pillow/timeout-60d8b7c8469d59fc9ffff6b3a3dc0faeae6ea8ee.blp": FOREIGN,
    "pillow/timeout-8073b430977660cdd48d96f6406ddfd4114e69c7.blp": FOREIGN,
    "pillow/timeout-d6ec061c4afdef39d3edf6da8927240bb07fe9b7.blp": FOREIGN,
}
LIES = "the header reads; what lies in it shows when it is decoded"
ODD = "a variant that Pillow does not decode; its header is sound"
UNPUBLISHED = {  # images that are measured though neither their source nor Pillow gives a size
    "fastimage/truncated_gzipped.jpg": "its size stands in the part that can be decoded",
    "image-png/bugfixes/issue#430.png": LIES,
    "pillow/bmp/b/reallybig.bmp": "six million megapixels are a size; the check calls them too many",
    "pillow/bmp/g/rgb32bf.bmp": ODD,
    "pillow/bmp/q/pal2.bmp": ODD,
    "pillow/bmp/q/pal8os2v2-16.bmp": ODD,
    "pillow/bmp/q/rgb16-231.bmp": ODD,
    "pillow/bmp/q/rgb24png.bmp": ODD,
    "pillow/bmp/q/rgba16-4444.bmp": ODD,
    "pillow/decompression_bomb.gif": LIES,
    "pillow/decompression_bomb.ico": LIES,
    "pillow/hopper_unknown_pixel_mode.tif": ODD,
    "pillow/invalid_header_length.jp2": LIES,
    "pillow/libtiff_segfault.tif": LIES,
    "pillow/png_decompression_dos.png": LIES,
    "pillow/timeout-c8efc3fded6426986ba867a399791bae544f59bc.psd": LIES,
}
XMP = "its orientation stands in XMP or in a text, which browsers do not heed"
WEBP = "browsers heed no EXIF in WebP"
ORIENTATIONS = {
    **{f"pillow/hopper_orientation_{n}.webp": WEBP for n in range(2, 9)},
    "pillow/avif/xmp_tags_orientation.avif": XMP,
    "pillow/exif_imagemagick_orientation.png": XMP,
    "pillow/xmp_tags_orientation_exiftool.png": XMP,
}
UNLIKE = frozenset({"PSD", "PNG"})  # frames: Pillow counts layers, and a PNG's still beside its animation
SECONDS, BYTES = 2.0, 300 * 1024**2  # what one hostile image may cost


@dataclass(frozen=True, slots=True)
class Sample:
    """One image with what others say of it."""

    path: str
    said: dict[str, Any]
    data: bytes

    @property
    def size(self) -> Size | None:
        """The size that the source publishes, else Pillow's."""
        published = self.said["published"]
        if published.get("width"):
            return Size(published["width"], published["height"])
        return Size(*self.said["pillow"]["size"]) if "size" in self.said["pillow"] else None

    @property
    def shown(self) -> bool:
        """Whether that size is the one after EXIF rotation."""
        return any(mark in (self.said["published"]["basis"] or "") for mark in AFTER)


def bytes_of(path: Path, said: dict[str, Any]) -> bytes:
    """The bytes as they come out of the fetch, which undoes a content coding."""
    data = path.read_bytes()
    if "Content-Encoding: gzip" not in (said["published"]["basis"] or ""):
        return data
    return zlib.decompressobj(31).decompress(data)


@pytest.fixture(scope="module")
def samples(corpus: Path) -> list[Sample]:
    """All images of the corpus."""
    listed = json.loads((corpus / "images.expected.json").read_text())["images"]
    return [Sample(one["path"], one, bytes_of(corpus / "images" / one["path"], one)) for one in listed]


def measured(sample: Sample) -> Size | None:
    """The size to compare with the published one."""
    found = measure(sample.data, complete=True)
    if not isinstance(found, Picture):
        return None
    return found.size if sample.shown else found.stored


def test_every_size_is_right_or_explained(samples: list[Sample]) -> None:
    """Sizes are those that the sources publish; the exceptions are exactly the ones in the table."""
    assert len(samples) == 699
    wrong = {s.path for s in samples if s.size is not None and measured(s) != s.size}
    assert wrong == set(DEVIATIONS)


def test_nothing_is_measured_that_nobody_else_sees(samples: list[Sample]) -> None:
    """Where neither source nor Pillow gives a size, there is none, or the table says why."""
    assert {s.path for s in samples if s.size is None and measured(s) is not None} == set(UNPUBLISHED)


def test_orientations_are_those_published(samples: list[Sample]) -> None:
    """The orientation is what the source or Pillow says, but for what browsers do not heed."""
    assert {s.path for s in samples if turned_otherwise(s)} == set(ORIENTATIONS)


def turned_otherwise(sample: Sample) -> bool:
    """Whether the orientation is another one than published."""
    found = measure(sample.data, complete=True)
    said = sample.said["published"].get("orientation") or sample.said["pillow"].get("exif_orientation")
    return said is not None and isinstance(found, Picture) and found.orientation != said


def test_modes_and_frames_are_pillows(samples: list[Sample]) -> None:
    """Mode and frames are what Pillow says of the whole file."""
    assert [s.path for s in samples if seen_otherwise(s)] == []


def seen_otherwise(sample: Sample) -> bool:
    """Whether mode or frames are others than Pillow's."""
    found, said = measure(sample.data, complete=True), sample.said["pillow"]
    if not isinstance(found, Picture) or "mode" not in said:
        return False
    return found.mode != said["mode"] or (found.format not in UNLIKE and found.frames != said.get("frames"))


def test_hostile_images_cost_little(samples: list[Sample]) -> None:
    """No image takes two seconds, nor all of them 300 MB, and each ends in a value."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for sample in samples:
        start = time.perf_counter()
        assert isinstance(measure(sample.data, complete=True), Picture | NotImage | BrokenHeader), sample.path
        assert time.perf_counter() - start < SECONDS, sample.path
    assert (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024 < BYTES
