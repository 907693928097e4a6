"""A JPEG is whole if its pixels and its structure both reach their end."""

from __future__ import annotations

import io
import re

import pytest
from PIL import Image

from crawler.images.decode import PIXEL_PROOF, Decoded, DecodeFailure, prove
from storage.model import Verdict
from tests.crawler.pictures import noise

pytestmark = pytest.mark.libraries

MOST = 10**6
END = b"\xff\xd9"
SCAN = 0xDA
RESTART = re.compile(rb"\xff[\xd0-\xd7]")


def jpeg(*, flat: bool = False, **options: object) -> bytes:
    """A picture of noise, or one whose lower half has one colour."""
    image = noise(5, 128, 96)
    if flat:
        image.paste((240, 240, 240), (0, 48, 128, 96))
    out = io.BytesIO()
    image.save(out, "JPEG", quality=90, **options)
    return out.getvalue()


MADE = {
    "baseline": jpeg(),
    "a flat end": jpeg(flat=True),
    "progressive": jpeg(progressive=True),
    "progressive, a flat end": jpeg(progressive=True, flat=True),
    "restart markers": jpeg(restart_marker_blocks=4),
    "own tables": jpeg(optimize=True, flat=True),
}


@pytest.mark.parametrize("name", MADE)
def test_whole(name: str) -> None:
    """However its pixels are coded, and even if they end without any detail."""
    proof = prove(MADE[name], "JPEG", PIXEL_PROOF, MOST)
    assert isinstance(proof, Decoded)
    assert proof.remark is None


@pytest.mark.parametrize("name", MADE)
def test_only_the_end_marker_is_missing(name: str) -> None:
    """All pixels are there: that is a remark."""
    proof = prove(MADE[name][:-2], "JPEG", PIXEL_PROOF, MOST)
    assert isinstance(proof, Decoded)
    assert proof.remark == "JPEG without its end marker: all its pixels are there"


@pytest.mark.parametrize("name", ["baseline", "progressive", "restart markers"])
@pytest.mark.parametrize("end", [b"", END], ids=["cut", "cut and ended"])
@pytest.mark.parametrize("share", [0.5, 0.7, 0.9, 0.97])
def test_cut(name: str, end: bytes, share: float) -> None:
    """A decoder fills in what is missing, and says nothing: that is no proof, whatever mark follows."""
    data = MADE[name]
    proof = prove(data[: int(len(data) * share)].rstrip(b"\xff") + end, "JPEG", PIXEL_PROOF, MOST)
    assert isinstance(proof, DecodeFailure)


@pytest.mark.parametrize("end", [b"", END], ids=["to the end", "before the end marker"])
def test_zeros_in_place_of_pixels(end: bytes) -> None:
    """What a download that never came to its end leaves in a file of the right length."""
    data = MADE["baseline"]
    hole = data[: len(data) // 2] + bytes(len(data) // 2 - 2) + end
    assert isinstance(prove(hole, "JPEG", PIXEL_PROOF, MOST), DecodeFailure)


def test_a_restart_marker_is_missing() -> None:
    """A part of the picture is gone, and its decoder is back in step behind it."""
    data = MADE["restart markers"]
    marks = [match.start() for match in RESTART.finditer(data)]
    assert isinstance(prove(data[: marks[3]] + data[marks[5] :], "JPEG", PIXEL_PROOF, MOST), DecodeFailure)


def segments(data: bytes) -> list[tuple[int, int, int]]:
    """Each marker with a segment, where it begins, and where what belongs to it ends."""
    ends: list[tuple[int, int, int]] = []
    at = 2
    while data[at + 1] != END[1]:
        start, marker = at, data[at + 1]
        at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
        while marker == SCAN and (data[at] != 0xFF or data[at + 1] in {0, *range(0xD0, 0xD8)}):
            at += 1
        ends.append((marker, start, at))
    return ends


def scans_of(data: bytes) -> list[tuple[int, int]]:
    """Where each scan begins and ends."""
    return [(start, end) for marker, start, end in segments(data) if marker == SCAN]


@pytest.mark.parametrize("number", range(10))
def test_a_scan_of_a_progressive_picture(number: int) -> None:
    """Gone, or cut in its midst: what follows does not make up for it, though it ends as it should."""
    data = MADE["progressive"]
    start, end = scans_of(data)[number]
    for at in (start, (start + end) // 2):
        broken = data[:at] + data[end:]
        assert isinstance(prove(broken, "JPEG", PIXEL_PROOF, MOST), DecodeFailure), at


@pytest.mark.parametrize("at", [0, 2, 3])
def test_an_interval_between_restart_markers(at: int) -> None:
    """All markers are there; of what should stand between two of them, nothing or a half."""
    data = MADE["restart markers"]
    marks = [match.start() for match in RESTART.finditer(data)]
    start, end = marks[at] + 2, marks[at + 1]
    for cut in (start, (start + end) // 2):
        broken = data[:cut].rstrip(b"\xff") + data[end:]
        assert isinstance(prove(broken, "JPEG", PIXEL_PROOF, MOST), DecodeFailure), cut


def test_a_component_without_a_scan() -> None:
    """A frame of three components, and a scan of two."""
    data = bytearray(MADE["baseline"])
    start, _ = scans_of(bytes(data))[0]
    data[start + 9] = data[start + 7]  # the third component is the second once more
    assert isinstance(prove(bytes(data), "JPEG", PIXEL_PROOF, MOST), DecodeFailure)


@pytest.mark.parametrize("end", [b"", END], ids=["to the end", "before the end marker"])
def test_ones_in_place_of_pixels(end: bytes) -> None:
    """Erased flash memory reads so; decoders take it for filling before a marker."""
    data = MADE["baseline"]
    hole = data[: len(data) // 2] + b"\xff" * (len(data) // 2 - 2) + end
    proof = prove(hole, "JPEG", PIXEL_PROOF, MOST)
    assert isinstance(proof, DecodeFailure)
    assert proof.verdict is Verdict.TRUNCATED


def test_bytes_behind_the_end() -> None:
    """What follows the end marker is no part of the picture."""
    proof = prove(MADE["baseline"] + bytes(5000), "JPEG", PIXEL_PROOF, MOST)
    assert isinstance(proof, Decoded)
    assert proof.remark is None


def test_one_pixel() -> None:
    """The smallest picture has an end, too."""
    out = io.BytesIO()
    Image.new("RGB", (1, 1), (9, 9, 9)).save(out, "JPEG")
    assert isinstance(prove(out.getvalue(), "JPEG", PIXEL_PROOF, MOST), Decoded)
