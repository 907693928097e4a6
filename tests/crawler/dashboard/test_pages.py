"""The pages say what is stored, as HTML and as JSON, and refuse what makes no sense by name."""

from __future__ import annotations

import json
import sqlite3
from enum import StrEnum
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa
from multidict import MultiDict

from crawler.dashboard.openapi import description
from crawler.dashboard.page import PagedQuery
from crawler.dashboard.pages import DASHBOARD_PAGES
from crawler.dashboard.query_params import BadParameter, parse
from storage.db import schema
from storage.ledger import begin_run
from storage.model import Verdict
from tests.crawler.dashboard.conftest import BAD, GOOD
from tests.crawler.dashboard.serving import checked, filled, finding, ids, reader, served
from tests.storage.build import NOW

pytestmark = pytest.mark.libraries


async def test_overview_counts_what_is_stored(engine: sa.Engine) -> None:
    """States, classes, kinds, the trend and the news are those of the database."""
    async with served(engine) as site:
        answer = await site.get("/api/overview")
    data = json.loads(answer.text)
    assert (data["targets"], data["counted"]) == (2, 3)
    assert data["states"] == {"new": 0, "alive": 1, "suspect": 1, "dead": 0}
    assert data["classes"] == {"hard": 1, "alive": 1}
    assert data["kinds"]["web"] == {"hard": 1, "alive": 1}
    assert [(one["run"], one["classes"]) for one in data["trend"]] == [
        (2, {"alive": 2}),
        (3, {"hard": 1, "alive": 1}),
    ]
    assert data["turns"] == [{"was": "alive", "now": "suspect", "targets": 1}]
    assert [(one["url"], one["was"], one["now"]) for one in data["news"]] == [(BAD, "alive", "suspect")]
    assert data["live"] is None


@pytest.mark.parametrize("page", [page for page in DASHBOARD_PAGES if page.menu], ids=lambda page: page.path)
async def test_every_page_is_html_and_json(engine: sa.Engine, page: Any) -> None:
    """Each page of the menu answers in both forms, and its JSON is what its declaration says."""
    async with served(engine) as site:
        html, data = await site.get(page.path), await site.get(page.api)
    assert (html.status, data.status) == (200, 200)
    assert html.headers["Content-Type"].startswith("text/html")
    assert f'<a href="{page.path}" aria-current="page">{page.title}</a>' in html.text
    msgspec.json.decode(data.text, type=page.result)


async def test_page_of_the_overview_shows_figures_and_news(engine: sa.Engine) -> None:
    """What people read is what scripts read."""
    async with served(engine) as site:
        text = (await site.get("/")).text
    assert "2 targets, as run 3 left them" in text
    assert BAD in text
    assert GOOD not in text  # it is no news
    assert '<desc id="now-d">hard 1, alive 1</desc>' in text


async def test_database_without_a_run_says_what_to_do(tmp_path: Path) -> None:
    """An empty database has an overview and a list of runs that help."""
    filled(tmp_path).dispose()
    engine = reader(tmp_path)
    async with served(engine) as site:
        pages = [await site.get(page.path) for page in DASHBOARD_PAGES[:1]] + [await site.get("/runs")]
    engine.dispose()
    assert [page.status for page in pages] == [200, 200]
    assert all("linkhealth audit" in page.text for page in pages)


async def test_runs_are_paged_by_the_database(writer: sa.Engine, engine: sa.Engine) -> None:
    """The newest come first, 25 a page, with links to the pages beside."""
    for _ in range(30):
        begin_run(writer, "audit", NOW)
    async with served(engine) as site:
        first, second = await site.get("/runs"), await site.get("/runs?page=2")
        data = json.loads((await site.get("/api/runs?page=2")).text)
    assert 'rel="next" href="/runs?page=2"' in first.text
    assert 'rel="prev" href="/runs?page=1"' in second.text
    assert data["paging"] == {"page": 2, "pages": 2, "total": 33, "size": 25}
    assert [one["run"]["id"] for one in data["runs"]] == [8, 7, 6, 5, 4, 3, 2, 1]


async def test_page_after_the_last_leads_to_the_last(engine: sa.Engine) -> None:
    """Beyond the end is a page that says so."""
    async with served(engine) as site:
        page, data = await site.get("/runs?page=7"), await site.get("/api/runs?page=7")
    assert (page.status, data.status) == (404, 404)
    assert '<a href="/runs?page=1">Go to the last page</a>' in page.text
    assert json.loads(data.text)["last"] == "/api/runs?page=1"


@pytest.mark.parametrize(
    ("asked", "parameter", "said"),
    [
        ("page=x", "page", "a whole number from 1 to 1000000"),
        ("page=0", "page", "a whole number from 1 to 1000000"),
        ("page=99999999999999999999999", "page", "a whole number"),
        ("pgae=1", "pgae", "did you mean page?"),
        ("page=1%00", "page", "a whole number"),
    ],
)
async def test_bad_parameter_is_named(engine: sa.Engine, asked: str, parameter: str, said: str) -> None:
    """A bad value is refused with its name and what is allowed, on the page as in JSON."""
    async with served(engine) as site:
        page, data = await site.get(f"/runs?{asked}"), await site.get(f"/api/runs?{asked}")
    assert (page.status, data.status) == (400, 400)
    problem = json.loads(data.text)
    assert data.headers["Content-Type"].startswith("application/problem+json")
    assert problem["parameter"] == parameter
    assert said in problem["detail"]
    assert said in page.text


class _Color(StrEnum):
    RED = "red"
    BLUE = "blue"


class _Asked(PagedQuery, frozen=True, kw_only=True):
    color: tuple[_Color, ...] = ()
    search: str = ""


def test_parameters_may_come_many_times_and_empty() -> None:
    """A tuple takes repeats and commas; an empty value of a form counts as not given."""
    given = MultiDict([("color", "red,blue"), ("color", "red"), ("search", ""), ("page", "2")])
    assert parse(_Asked, given) == _Asked(color=(_Color.RED, _Color.BLUE, _Color.RED), page=2)
    with pytest.raises(BadParameter, match="write blue, red"):
        parse(_Asked, MultiDict(color="green"))
    with pytest.raises(BadParameter, match="2000 characters at most"):
        parse(_Asked, MultiDict(search="x" * 2001))


async def test_description_of_the_api_is_openapi(engine: sa.Engine) -> None:
    """The description is valid, and names every page and parameter."""
    async with served(engine) as site:
        said = json.loads((await site.get("/api/openapi.json")).text)
    pytest.importorskip("openapi_spec_validator").validate(said)
    assert said == json.loads(json.dumps(description(DASHBOARD_PAGES)))
    assert set(said["paths"]) == {page.api for page in DASHBOARD_PAGES}
    parameters = said["paths"]["/api/runs"]["get"]["parameters"]
    assert [one["name"] for one in parameters] == ["page"]
    assert parameters[0]["schema"]["maximum"] == 1_000_000


async def test_unknown_page_helps(engine: sa.Engine) -> None:
    """What is not there is an error page with a way back."""
    async with served(engine) as site:
        page, data = await site.get("/nothing"), await site.get("/api/nothing")
    assert (page.status, data.status) == (404, 404)
    assert '<a href="/">' in page.text
    assert json.loads(data.text)["status"] == 404


async def test_damaged_database_is_an_error_page(writer: sa.Engine, engine: sa.Engine) -> None:
    """A table that is gone is told, and the server goes on."""
    async with served(engine) as site:
        with writer.begin() as connection:
            connection.execute(sa.text("ALTER TABLE run RENAME TO elsewhere"))
        broken = await site.get("/runs")
        with writer.begin() as connection:
            connection.execute(sa.text("ALTER TABLE elsewhere RENAME TO run"))
        mended = await site.get("/runs")
    assert (broken.status, mended.status) == (503, 200)


def test_dashboard_cannot_write(engine: sa.Engine) -> None:
    """The database is opened for reading alone."""
    with engine.connect() as connection, pytest.raises(sa.exc.OperationalError) as caught:
        connection.execute(sa.delete(schema.run))
    assert isinstance(caught.value.orig, sqlite3.Error)
    assert caught.value.orig.sqlite_errorcode == sqlite3.SQLITE_READONLY


async def test_pages_are_read_while_a_run_writes(writer: sa.Engine, engine: sa.Engine) -> None:
    """A writer in the middle of its transaction keeps no page waiting, and nothing of it is seen."""
    async with served(engine) as site:
        with writer.connect().execution_options(writes=True) as connection, connection.begin():
            connection.execute(sa.delete(schema.tally))
            answer = await site.get("/api/overview")
    assert json.loads(answer.text)["targets"] == 2


class Elements(HTMLParser):
    """The elements of a page as a browser would see them, with their attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep an element."""
        self.found.append((tag, dict(attrs)))


HOSTILE = (
    "https://a.example/<script>alert(1)</script>",
    'https://a.example/"><img src=x onerror=alert(1)>',
    "javascript:alert(1)",
    "JaVaScRiPt://a.example/%0aalert(1)",
    "data:text/html,<script>alert(1)</script>",
    "https://a.example/\u202egnp.exe",
    "https://a.example/" + "x" * 10_000,
    "https://a.example/{{ 7 * 7 }}{% raw %}",
)


async def test_hostile_text_is_shown_and_does_nothing(tmp_path: Path) -> None:
    """Text of records and servers adds no element, no attribute and no link that is not of the web."""
    writer = filled(tmp_path, *HOSTILE)
    run = begin_run(writer, "<script>alert(2)</script>", NOW)
    checked(writer, *(finding(key, Verdict.NOT_FOUND) for key in ids(writer).values()), run=run)
    writer.dispose()
    engine = reader(tmp_path)
    async with served(engine) as site:
        pages = [(await site.get(path)).text for path in ("/", "/runs", "/runs?page=<script>", "/<script>")]
    engine.dispose()
    for text in pages:
        read = Elements(text)
        assert [attributes for tag, attributes in read.found if tag == "script"] == [
            {"src": "/static/live.js", "defer": None}
        ]
        names = {name for _, attributes in read.found for name in attributes}
        assert not {name for name in names if name.startswith("on") or name == "style"}
        assert not {"img", "iframe", "object", "base"} & {tag for tag, _ in read.found}
        links = [attributes["href"] or "" for _, attributes in read.found if "href" in attributes]
        assert [link for link in links if not link.startswith(("/", "#", "https://a.example/"))] == []
        assert "\u202e" not in text
    shown = [one for tag, one in Elements(pages[0]).found if tag == "a" and "https:" in str(one["href"])]
    assert [one["rel"] for one in shown] == ["noopener noreferrer nofollow"] * 4
    assert "49{" not in pages[0]
    assert "&lt;script&gt;alert(2)" in pages[1]


def test_pages_have_names_of_their_own() -> None:
    """No two pages share a path or an API."""
    assert len({page.path for page in DASHBOARD_PAGES} | {page.api for page in DASHBOARD_PAGES}) == 2 * len(
        DASHBOARD_PAGES
    )
