"""The page of the hosts: the figures of a run, sorted, searched and paged, and which hosts were down."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from storage.ledger import begin_run
from storage.model import Evidence, Verdict
from tests.crawler.dashboard.serving import checked, filled, finding, ids, reader, served
from tests.crawler.dashboard.test_pages import Elements
from tests.storage.build import NOW

FAST = ["https://fast.example/1", "https://fast.example/2", "https://fast.example/3"]
DOWN = ["https://down.example/1", "https://down.example/2"]
HOSTILE = "https://<b>.example/"


@pytest.fixture
def hosts(tmp_path: Path) -> Iterator[sa.Engine]:
    """Two counted runs over a host that is fine, one that was down in the second, and an odd one."""
    writer = filled(tmp_path, *FAST, *DOWN, HOSTILE)
    keys = ids(writer)
    checked(writer, *(finding(key) for key in keys.values()))
    spared = finding(keys[DOWN[1]], Verdict.TIMEOUT)
    checked(
        writer,
        *(finding(keys[url], at=NOW + timedelta(seconds=n)) for n, url in enumerate(FAST)),
        replace(finding(keys[DOWN[0]], Verdict.TIMEOUT), elapsed=90.0, evidence=Evidence(waited=4.0)),
        replace(spared, requests=0, evidence=Evidence(spared=True)),
        finding(keys[HOSTILE], Verdict.NOT_FOUND),
    )
    writer.dispose()
    engine = reader(tmp_path)
    yield engine
    engine.dispose()


async def test_hosts_are_told_with_their_figures(hosts: sa.Engine) -> None:
    """The newest counted run, the most errors first; what was down is said, and each leads to its links."""
    async with served(hosts) as site:
        text = (await site.get("/hosts")).text
        data = json.loads((await site.get("/api/hosts")).text)
    down, odd, fast = data["hosts"]
    assert (data["run"]["id"], data["runs"]) == (3, [3, 2])
    assert (down["host"], down["errors"], down["spared"], down["waited"]) == ("down.example", 2, 1, 4.0)
    assert (odd["errors"], fast["errors"], fast["rate"]) == (1, 0, 1.5)
    assert data["totals"]["down"] == 1
    assert "1 was down: 1 target there was not asked" in " ".join(text.split())
    assert text.count("was down</span>") == 1
    assert '<a href="/links?host=down.example&amp;class=failing">' in text
    assert '<a href="/links?host=fast.example&amp;class=any">' in text
    assert '<td class="n">1.50</td>' in text
    assert '<td class="n">1 min 30 s</td>' in text


async def test_verdicts_are_a_drawn_bar(hosts: sa.Engine) -> None:
    """Each verdict has its share of the bar, in the colour of its class, and is told in words."""
    async with served(hosts) as site:
        text = (await site.get("/hosts?search=down")).text
    drawn = [one for tag, one in Elements(text).found if tag == "rect"]
    assert [(one["class"], one["width"]) for one in drawn] == [("c-transient", "598.50")]
    assert '<desc id="host-1-d">timeout 2</desc>' in text


@pytest.mark.parametrize(
    ("asked", "names"),
    [
        ("sort=host", ["<b>.example", "down.example", "fast.example"]),
        ("sort=targets", ["fast.example", "down.example", "<b>.example"]),
        ("sort=slowest&search=EXAMPLE", ["down.example", "<b>.example", "fast.example"]),
        ("search=down", ["down.example"]),
        ("search=%25", []),
        ("run=2&search=down", ["down.example"]),
        ("search=&run=&sort=spared", ["down.example", "<b>.example", "fast.example"]),
    ],
)
async def test_hosts_are_sorted_and_searched(hosts: sa.Engine, asked: str, names: list[str]) -> None:
    """The page has what its JSON has."""
    async with served(hosts) as site:
        data = json.loads((await site.get(f"/api/hosts?{asked}")).text)
        page = await site.get(f"/hosts?{asked}")
    assert [one["host"] for one in data["hosts"]] == names
    assert page.status == 200
    assert page.text.count('scope="row"') == len(names)
    assert ("No host of this run has that in its name." in page.text) == (not names)
    assert "<b>.example" not in page.text


async def test_another_run_has_its_own_figures(hosts: sa.Engine) -> None:
    """The choice of the run is kept while one sorts."""
    async with served(hosts) as site:
        text = (await site.get("/hosts?run=2")).text
    assert "3 hosts in run 2" in text
    assert "down" not in text.partition('role="status"')[2].partition("</p>")[0]
    assert "<option selected>2</option>" in text
    assert 'href="/hosts?run=2&amp;sort=slowest"' in text


async def test_hosts_are_paged(tmp_path: Path) -> None:
    """Fifty a page; what comes after the last says so."""
    writer = filled(tmp_path, *(f"https://h{number:03}.example/" for number in range(70)))
    checked(writer, *(finding(key) for key in ids(writer).values()))
    writer.dispose()
    engine = reader(tmp_path)
    async with served(engine) as site:
        parts = [json.loads((await site.get(f"/api/hosts?sort=host&page={n}")).text) for n in (1, 2)]
        first, beyond = await site.get("/hosts?sort=host"), await site.get("/hosts?sort=host&page=3")
    engine.dispose()
    assert [one["host"] for part in parts for one in part["hosts"]] == [f"h{n:03}.example" for n in range(70)]
    assert 'rel="next" href="/hosts?sort=host&amp;page=2"' in first.text
    assert beyond.status == 404
    assert '<a href="/hosts?sort=host&amp;page=2">Go to the last page</a>' in beyond.text


@pytest.mark.parametrize(
    ("asked", "status", "said"),
    [
        ("run=99", 404, "There is no run 99"),
        ("run=0", 400, "a whole number from 1 to"),
        ("run=new", 400, "a whole number from 1 to"),
        ("sort=size", 400, "write bytes, errors, host"),
        ("page=2", 404, "the last is 1"),
    ],
)
async def test_what_is_not_there_is_told(hosts: sa.Engine, asked: str, status: int, said: str) -> None:
    """An unknown run and a bad word are error pages that help."""
    async with served(hosts) as site:
        page = await site.get(f"/hosts?{asked}")
    assert page.status == status
    assert said in page.text


async def test_run_that_goes_on_leads_to_the_newest_counted(hosts: sa.Engine, tmp_path: Path) -> None:
    """Its hosts are counted when it ends; the page shows the one before unless it is asked for."""
    writer = filled(tmp_path)
    begin_run(writer, "audit", NOW)
    writer.dispose()
    async with served(hosts) as site:
        newest, asked = (await site.get("/hosts")).text, (await site.get("/hosts?run=4")).text
    assert "3 hosts in run 3" in newest
    assert "The hosts of this run are not counted" in asked
    assert '<a href="/hosts">Show the newest that is</a>' in asked


async def test_database_without_a_run_helps(tmp_path: Path) -> None:
    """Nothing is counted, and the page says what counts."""
    filled(tmp_path).dispose()
    engine = reader(tmp_path)
    async with served(engine) as site:
        page, data = await site.get("/hosts"), json.loads((await site.get("/api/hosts")).text)
    engine.dispose()
    assert (page.status, data["run"], data["hosts"]) == (200, None, [])
    assert "linkhealth audit" in page.text
