"""Whether an image is whole: by its pixels and by its structure, cut at every length, in every format."""

from __future__ import annotations

import asyncio
import io
import os
import random
import shutil
import struct
import zlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from crawler.errors import LocalFault
from crawler.images import integrity
from crawler.images.decode import PIXEL_PROOF, STRUCTURE_PROOF, Decoded, DecodeFailure, prove
from crawler.images.decode_pool import DecodeLimits, DecodePool
from storage.model import Size, Verdict
from tests.crawler.pictures import FORMATS, animation, nothing, picture

pytestmark = pytest.mark.libraries

MOST = 10_000
# What may be cut off without the loss of a pixel, in bytes: an end marker, a trailer, padding.
TAIL = {"JPEG": 2, "GIF": 1, "BMP": 0, "TIFF": 300, "JPEG2000": 2, "PNG": 24, "WEBP": 2}
ANIMATION_TAIL = {"GIF": 3, "PNG": 16, "WEBP": 1}
PIXEL_TAIL = {"GIF": 3}  # the end of its blocks, too, where its pixels tell that they are all there
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" width="3" height="4"><g><path d="M0 0"/></g></svg>'


@pytest.mark.parametrize("how", [PIXEL_PROOF, STRUCTURE_PROOF])
@pytest.mark.parametrize("kind", FORMATS)
def test_whole_picture_is_proven(kind: str, how: str) -> None:
    """Each format is proven in both ways; its pixels tell size, mode and transparency."""
    proof = prove(picture(1, kind), kind, how, MOST)
    assert isinstance(proof, Decoded)
    if proof.proof == PIXEL_PROOF:
        assert (proof.size, proof.frames, proof.alpha, proof.blank) == (Size(24, 16), 1, False, False)


@pytest.mark.parametrize("how", [PIXEL_PROOF, STRUCTURE_PROOF])
@pytest.mark.parametrize("kind", FORMATS)
def test_cut_picture_is_not(kind: str, how: str) -> None:
    """Cut at any length, it is faulty, unless only an end marker is lost."""
    data = picture(2, kind)
    wrong = [
        length
        for length in range(len(data) - (TAIL | PIXEL_TAIL if how == PIXEL_PROOF else TAIL).get(kind, 0))
        if isinstance(prove(data[:length], kind, how, MOST), Decoded)
    ]
    assert wrong == []


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG"])
def test_cut_animation_is_not(kind: str) -> None:
    """The last frame counts as much as the first."""
    data = animation(3, kind)
    whole = prove(data, kind, PIXEL_PROOF, MOST)
    assert isinstance(whole, Decoded)
    assert whole.frames == 3
    for length in range(len(data) // 2, len(data) - ANIMATION_TAIL[kind], 7):
        assert isinstance(prove(data[:length], kind, PIXEL_PROOF, MOST), DecodeFailure), length


def test_every_byte_of_a_png_counts() -> None:
    """One wrong byte of the header or of the pixels is found; what is wrong elsewhere is a remark."""
    data = picture(3)
    stream, end = data.index(b"IDAT") + 4, data.index(b"IEND") - 8
    for at in range(8, len(data)):
        wrong = data[:at] + bytes([data[at] ^ 0x01]) + data[at + 1 :]
        proof = prove(wrong, "PNG", STRUCTURE_PROOF, MOST)
        if at < stream - 8 or stream <= at < end:
            assert isinstance(proof, DecodeFailure), at
        elif at < len(data) - 4:  # the checksum of a chunk without content
            assert isinstance(proof, DecodeFailure) or proof.remark, at


def test_svg_is_read_to_its_end() -> None:
    """An SVG is whole if it is XML to its end; one with entities is read without them."""
    illustrator = b'<!DOCTYPE svg [<!ENTITY ns "http://x/">]>' + SVG.replace(b"<g>", b"<g>&ns;")
    assert isinstance(prove(SVG, "SVG", PIXEL_PROOF, MOST), Decoded)
    assert isinstance(prove(illustrator, "SVG", PIXEL_PROOF, MOST), Decoded)
    for length in range(len(SVG)):
        assert isinstance(prove(SVG[:length], "SVG", PIXEL_PROOF, MOST), DecodeFailure), length


def test_transparency_is_seen() -> None:
    """A picture of which nothing can be seen is told from one with some transparency."""
    blank, some = (
        prove(nothing(), "PNG", PIXEL_PROOF, MOST),
        prove(picture(mode="RGBA"), "PNG", PIXEL_PROOF, MOST),
    )
    assert isinstance(blank, Decoded)
    assert isinstance(some, Decoded)
    assert (blank.alpha, blank.blank) == (True, True)
    assert (some.alpha, some.blank) == (True, False)


def test_pixels_are_bounded() -> None:
    """A picture that is larger than it may be is not decoded; nor are more frames than fit."""
    large = prove(picture(), "PNG", PIXEL_PROOF, 24 * 16 - 1)
    assert isinstance(large, DecodeFailure)
    assert large.verdict is Verdict.TOO_LARGE
    broken = animation(9)
    broken = broken[: broken.rindex(b",\0\0\0\0")] + b"\x2c" + bytes(9) + b"\x02\x01\xff\x00;"
    assert isinstance(prove(broken, "GIF", PIXEL_PROOF, 24 * 16 * 3), Decoded)


def test_header_that_lies_is_bounded_by_what_it_says() -> None:
    """A PNG that claims a huge size and holds nothing is found out without its memory."""
    row = zlib.compress(bytes(100))
    out = io.BytesIO()
    Image.new("L", (1, 1)).save(out, "PNG")
    assert isinstance(
        prove(out.getvalue().replace(b"IDAT", b"IDOT") + row, "PNG", PIXEL_PROOF, MOST), DecodeFailure
    )


def test_structure_knows_the_formats_that_it_claims() -> None:
    """Where the structure says nothing, the pixels are asked, whatever was asked for."""
    assert not integrity.has_structure("BMP")
    proof = prove(picture(1, "BMP"), "BMP", STRUCTURE_PROOF, MOST)
    assert isinstance(proof, Decoded)
    assert proof.proof == PIXEL_PROOF


@asynccontextmanager
async def provers(bounds: DecodeLimits) -> AsyncIterator[DecodePool]:
    """A pool that is closed at the end."""
    pool = DecodePool(bounds)
    try:
        yield pool
    finally:
        await pool.close()


async def test_provers_prove_side_by_side(tmp_path: Path) -> None:
    """Each job gets its own reply, from however many processes."""
    paths = [tmp_path / str(seed) for seed in range(9)]
    for seed, path in enumerate(paths):
        path.write_bytes(picture(seed) if seed % 3 else picture(seed)[:-200])
    async with provers(DecodeLimits(MOST, count=2)) as pool:
        proofs = await asyncio.gather(*[pool.prove(path, "PNG", PIXEL_PROOF) for path in paths])
    assert [isinstance(proof, Decoded) for proof in proofs] == [bool(seed % 3) for seed in range(9)]


async def test_prover_that_died_is_replaced(tmp_path: Path) -> None:
    """A process that something killed while it was idle is missed by nobody."""
    path = tmp_path / "p"
    path.write_bytes(picture())
    async with provers(DecodeLimits(MOST, count=1)) as pool:
        assert isinstance(await pool.prove(path, "PNG", PIXEL_PROOF), Decoded)
        process = pool._idle.get_nowait()
        assert process is not None
        process.kill()
        pool._idle.put_nowait(process)
        assert isinstance(await pool.prove(path, "PNG", PIXEL_PROOF), Decoded)


async def test_image_that_kills_its_prover(tmp_path: Path) -> None:
    """An image that a process dies of twice is undecodable, and the next one is proven."""
    pipe, fine = tmp_path / "pipe", tmp_path / "p"
    os.mkfifo(pipe)
    fine.write_bytes(picture())
    async with provers(DecodeLimits(MOST, count=1)) as pool:
        started = pool._start
        processes: list[asyncio.subprocess.Process] = []

        async def start() -> asyncio.subprocess.Process:
            processes.append(await started())
            return processes[-1]

        pool._start = start  # type: ignore[method-assign]  # only to learn whom to kill
        task = asyncio.create_task(pool.prove(pipe, "PNG", PIXEL_PROOF))
        for _ in range(2):
            # A pipe opens once the other side reads it: by then the prover is at its work.
            end = await asyncio.to_thread(os.open, pipe, os.O_WRONLY)
            processes[-1].kill()
            await processes[-1].wait()
            os.close(end)
        proof = await task
        assert isinstance(await pool.prove(fine, "PNG", PIXEL_PROOF), Decoded)
    assert proof == DecodeFailure(Verdict.UNDECODABLE, "whatever decodes it dies of it")
    assert len(processes) == 3


async def test_image_that_takes_too_long(tmp_path: Path) -> None:
    """It is undecodable; the process that was at it is ended, and the next image has a new one."""
    pipe, fine = tmp_path / "pipe", tmp_path / "p"
    os.mkfifo(pipe)
    fine.write_bytes(picture())
    async with provers(DecodeLimits(MOST, seconds=0.1, count=1)) as pool:
        proof = await pool.prove(pipe, "PNG", PIXEL_PROOF)
        pool._bounds = DecodeLimits(MOST)
        assert isinstance(proof, DecodeFailure)
        assert "more than 0 s" in proof.why
        assert isinstance(await pool.prove(fine, "PNG", PIXEL_PROOF), Decoded)


async def test_memory_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A small screen with a frame of four gigapixels is too large, and the process lives on."""
    bomb, fine, data = tmp_path / "bomb", tmp_path / "fine", picture(1, "GIF")
    at = data.index(b",\0\0\0\0")
    bomb.write_bytes(data[: at + 5] + b"\xff" * 4 + data[at + 9 :])
    fine.write_bytes(data)
    monkeypatch.setattr("crawler.images.decode_pool.BYTES_PER_PIXEL", 0)
    async with provers(DecodeLimits(10**10, count=1)) as pool:
        proof = await pool.prove(bomb, "GIF", PIXEL_PROOF)
        process = pool._idle.get_nowait()
        pool._idle.put_nowait(process)
        assert isinstance(await pool.prove(fine, "GIF", PIXEL_PROOF), Decoded)
        assert pool._idle.get_nowait() is process
        pool._idle.put_nowait(process)
    assert proof == DecodeFailure(Verdict.TOO_LARGE, "its pixels take more memory than they get")


def one_colour_webp(width: int, height: int) -> bytes:
    """A WebP of any size in eighty bytes: each code has one symbol, so that no pixel takes a bit."""
    bits, at = 0, 0
    code, opaque = (0b0001, 4), (1 | 1 << 2 | 255 << 3, 11)
    for value, count in (
        (0x2F, 8),
        (width - 1, 14),
        (height - 1, 14),
        (1, 4),
        (0, 3),
        *[code] * 3,
        opaque,
        code,
    ):
        bits, at = bits | value << at, at + count
    stream = bits.to_bytes(at // 8 + 2, "little")
    stream += bytes(len(stream) % 2)
    body = b"WEBPVP8L" + struct.pack("<I", len(stream)) + stream + b"note" + struct.pack("<I", 40) + bytes(40)
    return b"RIFF" + struct.pack("<I", len(body)) + body


async def test_picture_within_the_limit_that_takes_more_memory(tmp_path: Path) -> None:
    """No fault of the picture: its structure is whole, and the proof says that no more was looked at."""
    path = tmp_path / "large"
    path.write_bytes(one_colour_webp(12_000, 12_000))
    small = one_colour_webp(200, 100)
    assert isinstance(prove(small, "WEBP", PIXEL_PROOF, MOST * 10), Decoded)
    async with provers(DecodeLimits(12_000 * 12_000, count=1)) as pool:
        proof = await pool.prove(path, "WEBP", PIXEL_PROOF)
    assert isinstance(proof, Decoded)
    assert proof.proof == STRUCTURE_PROOF
    assert proof.remark is not None


async def test_file_that_was_taken_away(tmp_path: Path) -> None:
    """Nobody blames the image for it."""
    async with provers(DecodeLimits(MOST, count=1)) as pool:
        assert await pool.prove(tmp_path / "gone", "PNG", PIXEL_PROOF) is None


async def test_process_that_is_never_ready(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A program that cannot begin blames no image."""
    monkeypatch.setattr("sys.executable", shutil.which("true"))
    path = tmp_path / "p"
    path.write_bytes(picture())
    async with provers(DecodeLimits(MOST, count=1)) as pool:
        with pytest.raises(LocalFault, match="does not start"):
            await pool.prove(path, "PNG", PIXEL_PROOF)


async def test_working_directory_is_not_trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Packages that lie about there by the same name are not ours."""
    for name in ("crawler", "storage", "PIL"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text("raise SystemExit('not this one')")
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "p"
    path.write_bytes(picture())
    async with provers(DecodeLimits(MOST, count=1)) as pool:
        assert isinstance(await pool.prove(path, "PNG", PIXEL_PROOF), Decoded)


async def test_no_process_can_be_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """That is this machine's fault, and the message says what could not be done."""
    monkeypatch.setattr("sys.executable", str(tmp_path / "no-python"))
    async with provers(DecodeLimits(MOST, count=1)) as pool:
        with pytest.raises(LocalFault, match="no process can be started"):
            await pool.prove(tmp_path / "p", "PNG", PIXEL_PROOF)


@given(
    st.sampled_from(sorted(integrity.FLAW_FINDERS)),
    st.binary(max_size=200),
    st.integers(0, 400),
    st.binary(max_size=20),
)
def test_structure_of_any_bytes(kind: str, wild: bytes, at: int, patch: bytes) -> None:
    """Nothing that a file holds makes it raise, whether noise or a picture with some bytes replaced."""
    known = picture(1, kind) if kind in FORMATS else SVG
    for data in (wild, known[:at] + patch + known[at + len(patch) :]):
        flaw = integrity.flaw(data, kind)
        assert flaw is None or flaw.why


async def test_any_bytes_leave_the_process_alive(tmp_path: Path) -> None:
    """Pictures with bytes replaced at random are whole or faulty; the process goes on or is replaced."""
    paths = []
    for seed in range(120):
        chance, kind = random.Random(seed), FORMATS[seed % len(FORMATS)]
        data = bytearray(picture(seed, kind))
        for _ in range(chance.randint(1, 8)):
            data[chance.randrange(len(data))] = chance.randrange(256)
        paths.append((tmp_path / str(seed), kind))
        paths[-1][0].write_bytes(data)
    async with provers(DecodeLimits(MOST, count=2)) as pool:
        proofs = await asyncio.gather(*[pool.prove(path, kind, PIXEL_PROOF) for path, kind in paths])
    assert {type(proof) for proof in proofs} == {Decoded, DecodeFailure}
