"""Long pictures go to the disk while they come: memory stays flat, and nothing is left aside."""

from __future__ import annotations

import gzip
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import pytest

from crawler.config import Config
from crawler.engine.context import RunContext
from crawler.engine.image_cache_opening import open_image_cache, whole_image_check
from crawler.engine.plan import by_lane
from crawler.fetch.transport.body_buffer import BEGINNING_BYTES, MAX_MEMORY_BYTES, PIECE_BYTES
from crawler.policies import lanes_of
from crawler.progress import QuietProgress
from crawler.wiring import open_run
from storage.db.database import open_engine
from storage.image_cache import digest_of
from storage.model import Finding, Kind, Size, Target
from tests.check import QUICK, Kept, config
from tests.crawler.pictures import picture
from tests.site import Site, Step, Wire, answer, cut, serve

H: Final = "http://site.example"
MIB: Final = 1024 * 1024
LONG: Final = picture(3, "BMP", size=Size(640, 480))  # 0.9 MB
TYPE: Final = {"Content_Type": "image/bmp"}


@pytest.fixture
def settings(tmp_path: Path) -> Config:
    """A configuration whose cache and database lie in the test's folder."""
    return config(
        network={
            "connect_timeout": QUICK.network.connect_timeout,
            "read_timeout": 20.0,
            "total_timeout": 20.0,
        },
        images={"cache": str(tmp_path / "cache"), "proof": "structure"},
        database={"url": f"sqlite:///{tmp_path}/linkhealth.db"},
    )


@asynccontextmanager
async def kept_aside(settings: Config) -> AsyncIterator[list[str]]:
    """The names that are left aside once the block has ended."""
    names: list[str] = []
    yield names
    names += sorted(path.name for path in (Path(settings.images.cache) / ".aside").iterdir())


async def refreshed(site: Site, settings: Config, *urls: str) -> dict[str, Finding]:
    """The findings of a check that keeps images."""
    kept, engine = Kept(), open_engine(settings.database.url)
    try:
        async with open_image_cache(settings, engine) as writer:
            check = whole_image_check(settings, writer)
            context = RunContext(settings, kept, QuietProgress(), (site.detour,), (), check)
            async with open_run(context) as run:
                targets = (Target(number, url, Kind.IMAGE) for number, url in enumerate(urls, 1))
                await run.check(by_lane(targets, lanes_of(settings)))
    finally:
        engine.dispose()
    return kept.findings


def files(settings: Config) -> list[bytes]:
    """The pictures that are kept."""
    return [path.read_bytes() for path in Path(settings.images.cache).glob("??/*")]


@pytest.mark.parametrize("coding", ["", "gzip"])
async def test_long_picture_is_kept_as_it_came(settings: Config, coding: str) -> None:
    """Its bytes, digest and length are those of the file; a coding is undone on the way."""
    body = gzip.compress(LONG, 1) if coding else LONG
    async with serve() as site, kept_aside(settings) as left_aside:
        site.add(f"{H}/a.bmp", answer(200, body, **TYPE, Content_Encoding=coding))
        findings = await refreshed(site, settings, f"{H}/a.bmp")
    finding = findings[f"{H}/a.bmp"]
    assert len(body) > MAX_MEMORY_BYTES
    assert str(finding.verdict) == "ok", finding.detail
    assert finding.picture
    assert (finding.picture.bytes, finding.picture.digest) == (len(LONG), digest_of(LONG))
    assert files(settings) == [LONG]
    assert left_aside == []


async def test_bytes_that_the_cache_has_are_kept_once(settings: Config) -> None:
    """The second of two URLs with the same long picture leaves nothing aside."""
    async with serve() as site, kept_aside(settings) as left_aside:
        for name in "ab":
            site.add(f"{H}/{name}.bmp", answer(200, LONG, **TYPE))
        findings = await refreshed(site, settings, f"{H}/a.bmp", f"{H}/b.bmp")
    assert {str(finding.verdict) for finding in findings.values()} == {"ok"}
    assert files(settings) == [LONG]
    assert left_aside == []


HEAD: Final = b"HTTP/1.1 200 OK\r\nContent-Type: image/bmp\r\n"
REFUSED: Final[dict[str, tuple[Step, str]]] = {
    "broken off": (cut(HEAD + b"Content-Length: 2000000\r\n\r\n" + LONG), "truncated"),
    "no picture": (
        answer(200, b"<!doctype html>" + b"x" * MIB, Content_Type="text/html"),
        "wrong-type",
    ),
    "not in its coding": (
        answer(200, gzip.compress(LONG, 1)[:-9], **TYPE, Content_Encoding="gzip"),
        "truncated",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
async def test_what_is_not_kept_leaves_nothing(settings: Config, name: str) -> None:
    """Whatever a long body turns out to be, its file aside goes."""
    step, verdict = REFUSED[name]
    async with serve() as site, kept_aside(settings) as left_aside:
        site.add(f"{H}/a", step)
        findings = await refreshed(site, settings, f"{H}/a")
    assert str(findings[f"{H}/a"].verdict) == verdict
    assert files(settings) == []
    assert left_aside == []


async def test_size_behind_the_beginning_is_found(settings: Config) -> None:
    """A header that is longer than what stays in memory is read from the disk."""
    jpeg = picture(4, "JPEG", size=Size(640, 480))
    profile = b"\xff\xe2" + (65_000).to_bytes(2, "big") + bytes(64_998)
    body = jpeg[:2] + profile * 10 + jpeg[2:]
    assert len(profile) * 10 > max(BEGINNING_BYTES, MAX_MEMORY_BYTES)
    async with serve() as site:
        site.add(f"{H}/a.jpg", answer(200, body, Content_Type="image/jpeg"))
        findings = await refreshed(site, settings, f"{H}/a.jpg")
    finding = findings[f"{H}/a.jpg"]
    assert finding.picture
    assert (str(finding.verdict), finding.picture.size) == ("ok", Size(640, 480))
    assert files(settings) == [body]


def endless(length: int) -> Step:
    """A picture by its header, of so many bytes, which the site never holds at once."""
    piece = bytes(MIB)

    async def step(wire: Wire) -> None:
        wire.keep = False
        await wire.send(HEAD + f"Content-Length: {length}\r\n\r\n".encode() + LONG[:4096])
        for _ in range(length // MIB):
            await wire.send(piece)
        await wire.send(piece[: length % MIB - 4096])

    return step


def peak_bytes() -> int:
    """The most memory that this process held since `forget_peak`."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))


def forget_peak() -> None:
    """Let the peak begin at what is held now (proc(5), clear_refs)."""
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")


async def test_many_long_pictures_take_little_memory(settings: Config) -> None:
    """Twenty hosts stream 8 MiB each at once: what is held is a piece a host, and one whole file."""
    urls = [f"http://host{number}.example/a.bmp" for number in range(20)]
    async with serve() as site:
        for url in urls:
            site.add(url, endless(8 * MIB + 5000))
        forget_peak()
        before = peak_bytes()
        findings = await refreshed(site, settings, *urls)
    assert len(findings) == len(urls)
    bound = len(urls) * (MAX_MEMORY_BYTES + 4 * PIECE_BYTES) + 3 * 8 * MIB
    assert peak_bytes() - before < bound < 20 * 8 * MIB
