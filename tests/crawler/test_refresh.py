"""The image cache through the program itself: what is asked, what is kept, and what is said."""

from __future__ import annotations

import hashlib
import sqlite3
from pathlib import Path

from tests.crawler.pictures import picture
from tests.program import Ended, records, run
from tests.site import Site, Step, Wire, answer, serve

H = "http://site.example"


def files(folder: Path) -> dict[str, bytes]:
    """Every file of the cache, by its name there."""
    root = folder / "cache"
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def place(data: bytes, suffix: str = "png") -> str:
    """Where the cache has these bytes."""
    digits = hashlib.sha256(data).hexdigest()
    return f"{digits[:2]}/{digits[2:]}.{suffix}"


def tagged(data: bytes, tag: str = '"one"', **headers: str) -> Step:
    """An image whose server knows conditional requests."""

    async def step(wire: Wire) -> None:
        if tag in wire.asked.headers.get("if-none-match", ""):
            await answer(304, b"", "Said", **{"ETag": tag, **headers})(wire)
        else:
            await answer(200, data, "Said", **{"ETag": tag, **headers})(wire)

    return step


async def refresh(folder: Path, site: Site, *words: str, command: str = "refresh") -> Ended:
    """Run a command on the records of a folder."""
    return await run(folder, command, "--format", "jsonl", "--connect-to", site.detour, *words)


def images(folder: Path, *urls: str, cached: bool = False) -> None:
    """A record with images."""
    records(folder)
    said = ", isCached: true" if cached else ""
    lines = "".join(f'  - {{url: "{url}"{said}}}\n' for url in urls)
    (folder / "seeds" / "a.md").write_text(f"---\nimages:\n{lines}---\n")


def column(folder: Path, text: str) -> list[object]:
    """The first column of a query."""
    with sqlite3.connect(folder / "linkhealth.db") as connection:
        return [row[0] for row in connection.execute(text)]


async def test_second_refresh_costs_no_body(tmp_path: Path) -> None:
    """The first keeps each picture under its digest; the second sends conditions and gets no byte."""
    bodies = {f"{H}/{n}.jpg": picture(n) for n in range(5)}
    async with serve() as site:
        images(tmp_path, *bodies, cached=True)
        for url, body in bodies.items():
            site.add(url, tagged(body))
        first = await refresh(tmp_path, site)
        kept = files(tmp_path)
        stamps = {path: path.stat().st_mtime_ns for path in (tmp_path / "cache").rglob("*")}
        asked = len(site.log)
        second = await refresh(tmp_path, site)
        later = site.log[asked:]

    assert first.code == second.code == 0, first.err + second.err
    assert kept == {place(body): body for body in bodies.values()}
    for url, line in first.lines().items():
        digest = hashlib.sha256(bodies[url]).hexdigest()
        image = line["image"]
        assert isinstance(image, dict)
        assert (image["digest"], image["cached"]) == (f"sha256:{digest}", f"cache/{place(bodies[url])}")
        assert (image["width"], image["height"], image["format"]) == (24, 16, "PNG")
    assert [one.headers.get("if-none-match") for one in later] == ['"one"'] * 5
    assert {line["bytes"] for line in second.lines().values()} == {0}
    assert {line["verdict"] for line in second.lines().values()} == {"ok"}
    assert files(tmp_path) == kept
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "cache").rglob("*")} == stamps
