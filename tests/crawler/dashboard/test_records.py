"""The records on the dashboard: the worst first, each with what it lost, and each with all its links."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import sqlalchemy as sa

from storage.model import Verdict
from tests.crawler.dashboard.conftest import BAD
from tests.crawler.dashboard.serving import checked, filled, finding, ids, reader, served
from tests.crawler.dashboard.test_pages import Elements
from tests.storage.build import catalogued, document, link

HOSTILE = "a <script>alert(1)</script> \u202e' \u200b" + "x" * 200 + ".md"


async def test_worst_record_says_what_it_lost(engine: sa.Engine) -> None:
    """A record has its items, its links with their places, and leads to all of it."""
    async with served(engine) as site:
        text = (await site.get("/records")).text
        data = json.loads((await site.get("/api/records")).text)
    [one] = data["records"]
    assert (one["record"]["path"], one["record"]["severity"], one["record"]["faults"]) == ("a.md", 2, 1)
    assert [(item["item"], item["words"]) for item in one["items"]] == [("", "lost web")]
    assert [row["url"] for row in one["links"]] == [BAD]
    assert "the record itself" in text
    assert '<a href="/record?path=a.md&amp;number=1">' in text
    assert "a.md</bdi>:1:1" in text


async def test_record_has_all_its_links(engine: sa.Engine) -> None:
    """Each with what is known of its target, and the record with its figures."""
    async with served(engine) as site:
        page = await site.get("/record?path=a.md&number=1")
        data = json.loads((await site.get("/api/record?path=a.md&number=1")).text)
    assert page.status == 200
    assert [(row["verdict"], row["lost"]) for row in data["links"]] == [("not-found", True)]
    assert "1 link, 1 with something wrong." in page.text


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/record?path=no.md", 404),
        ("/record", 404),
        ("/record?path=a.md&number=2", 404),
        ("/record?path=a.md&number=-1", 400),
        ("/record?path=a.md&page=2", 404),
        ("/records?page=2", 404),
        ("/records?severity=bad", 400),
        ("/records?record=b", 200),
    ],
)
async def test_what_is_not_there_is_told(engine: sa.Engine, path: str, status: int) -> None:
    """A record that nobody read, a page after the last and a bad word are pages that help."""
    async with served(engine) as site:
        assert (await site.get(path)).status == status
        assert (await site.get(f"/api{path}")).status == status


async def test_records_are_paged_and_paths_are_harmless(tmp_path: Path) -> None:
    """Twenty-five a page; a path is shown, never obeyed, and still leads to its record."""
    writer = filled(tmp_path)
    names = [HOSTILE, *(f"{number:02}.md" for number in range(30))]
    many = [link(BAD, f"l[{number}]", line=number + 1) for number in range(30)]
    catalogued(writer, document(HOSTILE, many), *(document(name, [link(BAD)]) for name in names[1:]))
    checked(writer, finding(ids(writer)[BAD], Verdict.GONE))
    writer.dispose()
    engine = reader(tmp_path)
    async with served(engine) as site:
        first, second = [(await site.get(f"/records?page={number}")).text for number in (1, 2)]
        data = [json.loads((await site.get(f"/api/records?page={number}")).text) for number in (1, 2)]
        one = await site.get("/record", params={"path": HOSTILE})
    engine.dispose()
    assert [item["record"]["path"] for part in data for item in part["records"]] == names
    assert "and 20 more" in first
    assert one.status == 200
    for text in (first, second, one.text):
        read = Elements(text)
        assert [tag for tag, _ in read.found].count("script") == 1
        assert "\u202e" not in text
        assert "\u200b" not in text
