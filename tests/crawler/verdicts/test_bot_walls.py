"""Bot walls are told from death: a page of our own making for each that the data file knows."""

from __future__ import annotations

from pathlib import Path

import pytest

from crawler.data import table
from crawler.data.shapes import ParkingTable, WallTable
from crawler.verdicts.bot_walls import WALL_STATUSES, walled
from storage.model import Kind
from tests.check import check
from tests.site import answer, serve

FILES = sorted((Path(__file__).parent / "pages" / "walls").glob("*.html"))
PAGES = {file.stem: file.read_text() for file in FILES}
WALLS = table("walls", WallTable)["wall"]
H = "http://site.example"


def test_every_wall_has_a_page() -> None:
    """Each page bears the marks of one wall alone, and each wall has its page."""
    bearing = [
        [wall["name"] for wall in WALLS if any(mark in page for mark in wall["pages"])]
        for page in PAGES.values()
    ]
    assert sorted(bearing) == sorted([wall["name"]] for wall in WALLS)


@pytest.mark.parametrize("name", PAGES)
def test_pages_of_walls(name: str) -> None:
    """A mark counts where walls stand, and nowhere else."""
    body = PAGES[name].encode()

    assert all(walled(status, {}, body) for status in WALL_STATUSES)
    assert not any(walled(status, {}, body) for status in (200, 404, 410, 500))


@pytest.mark.parametrize("kind", [Kind.WEB, Kind.AMP, Kind.IMAGE])
@pytest.mark.parametrize("name", PAGES)
async def test_a_wall_is_no_death(name: str, kind: Kind) -> None:
    """A refusal with a mark is bot-blocked for each kind of target; without it, it is what it is."""
    async with serve() as site:
        site.add(f"{H}/wall", answer(403, PAGES[name].encode(), Content_Type="text/html"))
        site.add(f"{H}/plain", answer(403, b"<html><body>No.</body></html>", Content_Type="text/html"))
        behind = await check(site, f"{H}/wall", kind)
        plain = await check(site, f"{H}/plain", kind)

    assert behind.verdict == "bot-blocked"
    assert plain.verdict == "forbidden"


@pytest.mark.parametrize(
    "entry", [*WALLS, *table("parked", ParkingTable)["parking"]], ids=lambda entry: entry["name"]
)
def test_entries_say_where_they_come_from(entry: dict[str, object]) -> None:
    """Each entry of a data file has its source and its day."""
    assert entry["source"]
    assert str(entry["date"]) >= "2026-11-23"


async def test_a_mark_behind_a_picture() -> None:
    """A wall may bring its picture in the page, before all that tells it from a refusal."""
    picture = b"<style>body{background:url(data:image/png;base64," + b"A" * 300_000 + b")}</style>"
    async with serve() as site:
        site.add(
            f"{H}/a/b",
            answer(403, picture + b'<form action="/cdn-cgi/l/chk_jschl">', Content_Type="text/html"),
        )
        site.add(f"{H}/a/c", answer(403, picture, Content_Type="text/html"))
        assert (await check(site, f"{H}/a/b", Kind.WEB)).verdict == "bot-blocked"
        assert (await check(site, f"{H}/a/c", Kind.WEB)).verdict == "forbidden"
