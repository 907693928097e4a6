"""The list of broken links: what is asked of it is what it shows, and nonsense is refused by name."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import sqlalchemy as sa

from storage.model import Verdict
from tests.crawler.dashboard.conftest import BAD, GOOD
from tests.crawler.dashboard.serving import checked, filled, finding, ids, reader, served
from tests.crawler.dashboard.test_pages import HOSTILE, Elements


async def test_broken_links_are_those_that_fail_now(engine: sa.Engine) -> None:
    """The page shows what fails with its place, and leads to all that is known of it."""
    async with served(engine) as site:
        text = (await site.get("/links")).text
        data = json.loads((await site.get("/api/links")).text)
    assert [(one["url"], one["verdict"], one["severity"]) for one in data["links"]] == [(BAD, "not-found", 2)]
    assert data["paging"]["total"] == 1
    assert "1 target that fails now" in text
    assert '<a href="/target?url=https%3A%2F%2Fa.example%2Fbad">' in text
    assert "a.md:1:1" in text.replace("<bdi>", "").replace("</bdi>", "")
    assert GOOD not in text


@pytest.mark.parametrize(
    ("asked", "urls"),
    [
        ("class=any&sort=url", [BAD, GOOD]),
        ("class=alive", [GOOD]),
        ("state=alive", [GOOD]),
        ("state=alive,suspect&sort=url", [BAD, GOOD]),
        ("class=failing&state=alive", []),
        ("severity=medium", [BAD]),
        ("severity=critical", []),
        ("issue=size-mismatch", []),
        ("search=BAD", [BAD]),
        ("search=good", []),
        ("search=good&class=any", [GOOD]),
        ("host=A.example", [BAD]),
        ("record=a.", [BAD]),
        ("record=b", []),
        ("state=&kind=&verdict=&host=&search=", [BAD]),
    ],
)
async def test_filters_of_the_page(engine: sa.Engine, asked: str, urls: list[str]) -> None:
    """Parameters mean what they say, and an empty one means nothing."""
    async with served(engine) as site:
        data = json.loads((await site.get(f"/api/links?{asked}")).text)
        assert (await site.get(f"/links?{asked}")).status == 200
    assert [one["url"] for one in data["links"]] == urls


@pytest.mark.parametrize(
    ("asked", "parameter"),
    [("class=bad", "class"), ("state=deaf", "state"), ("sort=size", "sort"), ("severity=none", "severity")],
)
async def test_bad_filter_is_named(engine: sa.Engine, asked: str, parameter: str) -> None:
    """A word that is none is refused with those that are."""
    async with served(engine) as site:
        page, data = (
            await site.get(f"/links?{asked}"),
            json.loads((await site.get(f"/api/links?{asked}")).text),
        )
    assert (page.status, data["status"], data["parameter"]) == (400, 400, parameter)


async def test_links_are_paged(tmp_path: Path) -> None:
    """Fifty a page; the filter goes along; what comes after the last says so."""
    urls = [f"https://a.example/{number:03}" for number in range(120)]
    writer = filled(tmp_path, *urls)
    checked(writer, *(finding(key, Verdict.GONE) for key in ids(writer).values()))
    writer.dispose()
    engine = reader(tmp_path)
    async with served(engine) as site:
        parts = [json.loads((await site.get(f"/api/links?sort=url&page={n}")).text) for n in (1, 2, 3)]
        second = (await site.get("/links?sort=url&page=2")).text
        beyond = await site.get("/links?sort=url&page=4")
    engine.dispose()
    assert [one["url"] for part in parts for one in part["links"]] == urls
    assert 'rel="next" href="/links?sort=url&amp;page=3"' in second
    assert beyond.status == 404
    assert '<a href="/links?sort=url&amp;page=3">Go to the last page</a>' in beyond.text


async def test_hostile_urls_are_shown_and_lead_inside(tmp_path: Path) -> None:
    """Whatever a URL holds, a row leads to a page of ours and adds nothing else."""
    writer = filled(tmp_path, *HOSTILE)
    checked(writer, *(finding(key, Verdict.NOT_FOUND) for key in ids(writer).values()))
    writer.dispose()
    engine = reader(tmp_path)
    async with served(engine) as site:
        text = (await site.get("/links", params={"search": HOSTILE[0], "class": "any"})).text
        whole = (await site.get("/links")).text
    engine.dispose()
    assert "1 target." in text
    for read in (Elements(text), Elements(whole)):
        assert [tag for tag, _ in read.found].count("script") == 1
        assert not [
            href for _, one in read.found if (href := one.get("href")) and not href.startswith(("/", "#"))
        ]
        assert not {name for _, one in read.found for name in one if name.startswith("on") or name == "style"}
    assert "\u202e" not in whole
    assert "(10018 characters)" in whole
