"""The run that goes on is shown as it is in the database, to all who watch."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import aiohttp
import sqlalchemy as sa

from crawler.dashboard.live import MAX_WATCHERS
from storage.ledger import begin_run, end_run
from storage.model import Run, RunEnd, Verdict
from tests.crawler.dashboard.conftest import BAD, GOOD
from tests.crawler.dashboard.serving import Served, checked, finding, ids, served
from tests.storage.build import DAY, NOW


async def _event(stream: aiohttp.StreamReader) -> Any:
    """The data of the next event."""
    while True:
        line = await asyncio.wait_for(stream.readline(), 30)
        assert line, "the stream has ended"
        if line.startswith(b"data: "):
            return json.loads(line[6:])


async def _until(stream: aiohttp.StreamReader, fits: Any) -> Any:
    while not fits(event := await _event(stream)):
        pass
    return event


def _watched(site: Served) -> Any:
    return site.client.get(f"{site.url}/events")


async def test_run_is_followed_to_its_end(writer: sa.Engine, engine: sa.Engine) -> None:
    """Each batch of findings is news, and so is the end."""
    keys = ids(writer)
    run = begin_run(writer, "audit", NOW + 8 * DAY)
    async with served(engine) as site, _watched(site) as answer:
        assert answer.headers["Content-Type"] == "text/event-stream"
        first = await _event(answer.content)
        checked(writer, finding(keys[GOOD], at=NOW + 8 * DAY), run=run, ended=None)
        second = await _until(answer.content, lambda event: event["found"])
        end_run(writer, run, RunEnd.FINISHED, NOW + 9 * DAY)
        last = await _until(answer.content, lambda event: event["ended"])
    assert (first["run"], first["found"], first["due"]) == (run.id, 0, 2)
    assert (second["classes"], second["found"], second["due"]) == ({"alive": 1}, 1, 1)
    assert (last["run"], last["ended"]) == (run.id, RunEnd.FINISHED)


async def test_overview_shows_the_run_without_a_script(writer: sa.Engine, engine: sa.Engine) -> None:
    """The page itself says how far the run is."""
    run: Run = begin_run(writer, "refresh", NOW + 8 * DAY)
    checked(writer, finding(ids(writer)[BAD], Verdict.GONE, NOW + 8 * DAY), run=run, ended=None)
    async with served(engine) as site:
        text = (await site.get("/")).text
        live = json.loads((await site.get("/api/overview")).text)["live"]
    assert "1 checked, at most 1 to go" in text
    assert (live["command"], live["classes"]) == ("refresh", {"hard": 1})


async def test_watchers_have_a_bound(engine: sa.Engine) -> None:
    """Whoever comes too late is told, and pages go on."""
    async with served(engine) as site:
        watching = [await _watched(site) for _ in range(MAX_WATCHERS)]
        late = await site.get("/events")
        page = await site.get("/")
        for answer in watching:
            answer.close()
    assert (late.status, page.status) == (503, 200)


async def test_many_watch_by_one_look(engine: sa.Engine) -> None:
    """However many watch, the database is asked once for all of them."""
    asked: list[str] = []
    sa.event.listen(engine, "before_cursor_execute", lambda *said: asked.append(said[2]))
    async with served(engine) as site:
        watching = [await _watched(site) for _ in range(10)]
        events = [await _event(answer.content) for answer in watching]
        for answer in watching:
            answer.close()
    assert all(event == events[0] for event in events)
    assert len([text for text in asked if "FROM run" in text]) < 10
