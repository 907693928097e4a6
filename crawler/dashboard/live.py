"""The run that goes on, as server-sent events: one look at the database for however many watch."""

from __future__ import annotations

import asyncio
import logging
import time
from datetime import UTC, datetime
from threading import Lock
from typing import Final
from weakref import WeakKeyDictionary

import msgspec
import sqlalchemy as sa
from aiohttp import web

from storage.errors import StorageError
from storage.frozen import frozen
from storage.model import Run
from storage.queries import dashboard as queries

logger = logging.getLogger(__name__)
POLL_SECONDS: Final = 1.0  # seconds between two looks
POLL_TIME_FACTOR: Final = 10.0  # a look may take a tenth of the time, so a large run is looked at less often
MAX_WATCHERS: Final = 32  # subscribers at once
KEEP_ALIVE_SECONDS: Final = 15.0  # seconds without news after which a comment keeps the connection


@frozen
class LiveSnapshot:
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


class _CachedCount:
    """The newest count of a run that goes on, kept for ten times as long as it took.

    A million findings take half a second: no page waits for that while another page counts.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._latest: queries.RunProgress | None = None
        self._until = 0.0

    def of(self, engine: sa.Engine, run: Run) -> queries.RunProgress:
        latest = self._latest
        is_current = latest is not None and latest.run.id == run.id
        if latest is not None and is_current and time.monotonic() < self._until:
            return latest
        # A page that has an older count does not wait for the newer one.
        if not self._lock.acquire(blocking=not is_current):
            return latest or queries.progress(engine, run)
        try:
            start = time.monotonic()
            self._latest = queries.progress(engine, run)
            self._until = time.monotonic() + (time.monotonic() - start) * POLL_TIME_FACTOR
            return self._latest
        finally:
            self._lock.release()


_CACHED_COUNTS: Final[WeakKeyDictionary[sa.Engine, _CachedCount]] = WeakKeyDictionary()


def live_snapshot(engine: sa.Engine) -> LiveSnapshot | None:
    """What the newest run has found so far, if it goes on; its end, if it has ended; None before any.

    Raises:
        LedgerError: the database cannot be read.
    """
    newest = queries.latest_runs(engine, limit=1)
    if not newest:
        return None
    run = newest[0]
    if run.ended is not None:
        return LiveSnapshot(run.id, run.command, run.started_at, run.ended, 0, {}, 0, 0.0, 0.0)
    progress = _CACHED_COUNTS.setdefault(engine, _CachedCount()).of(engine, run)
    findings = sum(progress.classes.values())
    seconds = max(0.0, (datetime.now(UTC) - run.started_at).total_seconds())
    rate = findings / seconds if seconds else 0.0
    return LiveSnapshot(
        run.id, run.command, run.started_at, None, findings, progress.classes, progress.due, seconds, rate
    )


class LiveFeed:
    """Polls the newest run while there are subscribers, and sends each change to all of them."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        self._changed = asyncio.Condition()
        self._latest: bytes | None = None
        self._number = 0
        self._watchers = 0
        self._task: asyncio.Task[None] | None = None
        self._closing = False

    @property
    def full(self) -> bool:
        """Whether the number of subscribers is at its limit."""
        return self._watchers >= MAX_WATCHERS

    @property
    def closing(self) -> bool:
        """Whether the server is shutting down."""
        return self._closing

    async def end(self) -> None:
        """End every subscription."""
        self._closing = True
        if self._task is not None:
            self._task.cancel()
        async with self._changed:
            self._changed.notify_all()

    def subscribe(self) -> None:
        """Add a subscriber."""
        self._watchers += 1
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._poll())

    def unsubscribe(self) -> None:
        """Remove a subscriber; polling ends with the last."""
        self._watchers -= 1
        if self._watchers == 0 and self._task is not None:
            self._task.cancel()

    async def after(self, number: int) -> tuple[int, bytes] | None:
        """Wait for a snapshot newer than the one with this number; None if there is none in time."""
        try:
            async with asyncio.timeout(KEEP_ALIVE_SECONDS), self._changed:
                await self._changed.wait_for(lambda: self._closing or self._number != number)
        except TimeoutError:
            return None
        return (self._number, self._latest) if self._latest is not None else None

    async def _poll(self) -> None:
        while True:
            took = await self._poll_once()
            await asyncio.sleep(max(POLL_SECONDS, took * POLL_TIME_FACTOR))

    async def _poll_once(self) -> float:
        start = time.monotonic()
        try:
            snapshot = await asyncio.to_thread(live_snapshot, self._engine)
        except StorageError:
            return POLL_SECONDS  # a database that is locked or being moved is there again later
        except Exception:
            logger.exception("the run that goes on cannot be looked at")
            return POLL_SECONDS
        body = msgspec.json.encode(snapshot)
        async with self._changed:
            if body != self._latest:
                self._latest = body
                self._number += 1
                self._changed.notify_all()
        return time.monotonic() - start


LIVE_KEY: Final = web.AppKey("live", LiveFeed)


async def events(request: web.Request) -> web.StreamResponse:
    """Stream snapshots until the client or the server ends the connection.

    Raises:
        web.HTTPServiceUnavailable: there are too many subscribers.
    """
    live = request.app[LIVE_KEY]
    if live.full:
        raise web.HTTPServiceUnavailable(text="Too many watch the run already; load the page again later.")
    live.subscribe()
    try:
        stream = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await stream.prepare(request)
        await _stream(live, stream)
    except ConnectionResetError:
        pass  # the subscriber has gone
    finally:
        live.unsubscribe()
    return stream


async def _stream(live: LiveFeed, stream: web.StreamResponse) -> None:
    number = 0
    while not live.closing:
        update = await live.after(number)
        if update is None:
            await stream.write(b": nothing new\n\n")
            continue
        number, body = update
        await stream.write(b"event: run\ndata: " + body + b"\n\n")
