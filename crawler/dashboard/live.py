"""The run that goes on, as server-sent events: one look at the database for however many watch."""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from threading import Lock
from typing import Final
from weakref import WeakKeyDictionary

import msgspec
import sqlalchemy as sa
from aiohttp import web

from storage import queries
from storage.errors import StorageError
from storage.model import Run

LOG = logging.getLogger(__name__)
EVERY: Final = 1.0  # seconds between two looks
SHARE: Final = 10.0  # a look may take a tenth of the time, so a large run is looked at less often
WATCHERS: Final = 32  # who may watch at once
QUIET: Final = 15.0  # seconds without news after which a comment keeps the connection


@dataclass(frozen=True, slots=True)
class Moment:
    """What is to be seen of the newest run: `due` targets at most are still to come.

    `ended` is None while it goes on; `elapsed` and `rate` (findings a second) are since its start.
    """

    run: int
    command: str
    started_at: datetime
    ended: str | None
    found: int
    classes: dict[str, int]
    due: int
    elapsed: float
    rate: float


class _Counted:
    """The newest count of a run that goes on, kept for ten times as long as it took.

    A million findings take half a second: no page waits for that while another page counts.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._latest: queries.Progress | None = None
        self._until = 0.0

    def of(self, engine: sa.Engine, run: Run) -> queries.Progress:
        latest = self._latest
        known = latest is not None and latest.run.id == run.id
        if latest is not None and known and time.monotonic() < self._until:
            return latest
        # Whoever has an older count does not wait for who makes a newer.
        if not self._lock.acquire(blocking=not known):
            return latest or queries.progress(engine, run)
        try:
            began = time.monotonic()
            self._latest = queries.progress(engine, run)
            self._until = time.monotonic() + (time.monotonic() - began) * SHARE
            return self._latest
        finally:
            self._lock.release()


_COUNTED: Final[WeakKeyDictionary[sa.Engine, _Counted]] = WeakKeyDictionary()


def look(engine: sa.Engine) -> Moment | None:
    """What the newest run has found so far, if it goes on; its end, if it has ended; None before any.

    Raises:
        LedgerError: the database cannot be read.
    """
    newest = queries.latest_runs(engine, most=1)
    if not newest:
        return None
    run = newest[0]
    if run.ended is not None:
        return Moment(run.id, run.command, run.started_at, run.ended, 0, {}, 0, 0.0, 0.0)
    seen = _COUNTED.setdefault(engine, _Counted()).of(engine, run)
    found = sum(seen.classes.values())
    elapsed = max(0.0, (datetime.now(UTC) - run.started_at).total_seconds())
    rate = found / elapsed if elapsed else 0.0
    return Moment(run.id, run.command, run.started_at, None, found, seen.classes, seen.due, elapsed, rate)


class Live:
    """Looks at the newest run as long as anybody watches, and tells all who do."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        self._news = asyncio.Condition()
        self._latest: bytes | None = None
        self._number = 0
        self._watchers = 0
        self._task: asyncio.Task[None] | None = None
        self._over = False

    @property
    def full(self) -> bool:
        """Whether nobody else may watch."""
        return self._watchers >= WATCHERS

    @property
    def over(self) -> bool:
        """Whether the server ends."""
        return self._over

    async def end(self) -> None:
        """Let all who watch go."""
        self._over = True
        if self._task is not None:
            self._task.cancel()
        async with self._news:
            self._news.notify_all()

    def enter(self) -> None:
        """Begin to watch."""
        self._watchers += 1
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._look())

    def leave(self) -> None:
        """Watch no more; the last one out ends the looking."""
        self._watchers -= 1
        if self._watchers == 0 and self._task is not None:
            self._task.cancel()

    async def after(self, number: int) -> tuple[int, bytes] | None:
        """The newest moment once it is another than the one with this number; None if all is quiet."""
        try:
            async with asyncio.timeout(QUIET), self._news:
                await self._news.wait_for(lambda: self._over or self._number != number)
        except TimeoutError:
            return None
        return (self._number, self._latest) if self._latest is not None else None

    async def _look(self) -> None:
        while True:
            took = await self._once()
            await asyncio.sleep(max(EVERY, took * SHARE))

    async def _once(self) -> float:
        began = time.monotonic()
        try:
            moment = await asyncio.to_thread(look, self._engine)
        except StorageError:
            return EVERY  # a database that is locked or being moved is there again later
        except Exception:
            LOG.exception("the run that goes on cannot be looked at")
            return EVERY
        body = msgspec.json.encode(moment)
        async with self._news:
            if body != self._latest:
                self._latest, self._number = body, self._number + 1
                self._news.notify_all()
        return time.monotonic() - began


LIVE: Final = web.AppKey("live", Live)


async def events(request: web.Request) -> web.StreamResponse:
    """The stream of moments, until the visitor or the server goes.

    Raises:
        web.HTTPServiceUnavailable: too many watch already.
    """
    live = request.app[LIVE]
    if live.full:
        raise web.HTTPServiceUnavailable(text="Too many watch the run already; load the page again later.")
    live.enter()
    try:
        stream = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await stream.prepare(request)
        await _stream(live, stream)
    except ConnectionResetError:
        pass  # who watched has gone
    finally:
        live.leave()
    return stream


async def _stream(live: Live, stream: web.StreamResponse) -> None:
    number = 0
    while not live.over:
        news = await live.after(number)
        if news is None:
            await stream.write(b": nothing new\n\n")
            continue
        number, body = news
        await stream.write(b"event: run\ndata: " + body + b"\n\n")
