"""A dashboard on a real socket, over a database that a test fills."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import sqlalchemy as sa
from aiohttp import web

from crawler.dashboard import DashboardSettings
from crawler.dashboard.app import build
from crawler.dashboard.connection_limit import (
    FIRST_REQUEST_TIMEOUT,
    MAX_CONNECTIONS,
    UNREAD_TIMEOUT,
    LimitedConnection,
)
from storage.db.database import open_engine, open_reader
from storage.ledger import begin_run, end_run
from storage.model import Finding, Run, RunEnd
from storage.rollups.link_issues import judge_links
from tests.storage.build import NOW, catalogued, document, finding, ids, link, write


@dataclass(frozen=True, slots=True)
class Answered:
    """What came of one request."""

    status: int
    headers: Any
    text: str


@dataclass(frozen=True, slots=True)
class Served:
    """A dashboard that is up: ask it by path."""

    url: str
    client: aiohttp.ClientSession

    async def get(self, path: str, **options: Any) -> Answered:
        """GET a path."""
        return await self.ask("GET", path, **options)

    async def ask(self, method: str, path: str, **options: Any) -> Answered:
        """Ask for a path, redirects not followed."""
        asked = self.client.request(method, self.url + path, allow_redirects=False, **options)
        async with asked as answer:
            return Answered(answer.status, answer.headers, await answer.text())


@asynccontextmanager
async def served(engine: sa.Engine, **options: Any) -> AsyncIterator[Served]:
    """Serve a database; options are those of `DashboardSettings` and of `LimitedConnection.at`."""
    limits = {
        "limit": MAX_CONNECTIONS,
        "first_timeout": FIRST_REQUEST_TIMEOUT,
        "unread_timeout": UNREAD_TIMEOUT,
    }
    doors = {name: options.pop(name, value) for name, value in limits.items()}
    runner = web.AppRunner(build(DashboardSettings(engine, **options)), access_log=None, shutdown_timeout=1)
    await runner.setup()
    listener, client = None, aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True))
    try:
        listener = await _listen(runner, doors)
        port = listener.sockets[0].getsockname()[1]
        yield Served(f"http://127.0.0.1:{port}", client)
    finally:
        await client.close()
        if listener is not None:
            listener.close()
        await runner.cleanup()


async def _listen(runner: web.AppRunner, doors: dict[str, Any]) -> asyncio.Server:
    return await asyncio.get_running_loop().create_server(
        LimitedConnection.at(runner, **doors), "127.0.0.1", 0
    )


def filled(path: Path, *urls: str) -> sa.Engine:
    """A database that may be written, with a target for each URL and no run yet that has ended."""
    engine = open_engine(f"sqlite:///{path}/linkhealth.db")
    if urls:
        catalogued(engine, document("a.md", *([link(url)] for url in urls)))
    return engine


def checked(
    engine: sa.Engine, *findings: Finding, run: Run | None = None, ended: RunEnd | None = RunEnd.FINISHED
) -> Run:
    """A run with these findings, settled and ended unless it goes on."""
    made = run or begin_run(engine, "audit", NOW)
    write(engine, made, *findings)
    if ended is not None:
        judge_links(engine, lambda _: {})
        end_run(engine, made, ended, NOW)
    return made


def reader(path: Path) -> sa.Engine:
    """The same database as the dashboard opens it."""
    return open_reader(f"sqlite:///{path}/linkhealth.db")


__all__ = ["Answered", "Served", "checked", "filled", "finding", "ids", "reader", "served"]
