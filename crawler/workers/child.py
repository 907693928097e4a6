"""A worker: asks what the parent hands out, and hands back what it finds.

python -m crawler.workers.child FD
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any, Final

from crawler.caching import open_keeper, picture_check
from crawler.checks.base import Check
from crawler.fetch.base import Request
from crawler.run import Running
from crawler.wiring import open_running
from crawler.workers.foreign import Foreign
from crawler.workers.order import Order, Setup
from crawler.workers.pipe import Pipe, open_pipe
from storage.database import open_engine
from storage.errors import StorageError
from storage.model import Finding

BATCH: Final = 100  # findings of one message
MOMENT: Final = 0.05  # seconds a finding may wait for others


class Outbox:
    """Store and observer of a worker: everything goes to the parent, findings in batches."""

    def __init__(self, pipe: Pipe) -> None:
        self._pipe = pipe
        self._batch: list[tuple[Finding, bool]] = []
        self._timer: asyncio.TimerHandle | None = None

    async def put(self, finding: Finding) -> None:
        """Hand a finding over, soon."""
        self._batch.append((finding, False))
        if len(self._batch) >= BATCH:
            self.flush()
            await self._pipe.drain()
        elif self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(MOMENT, self.flush)

    def found(self, finding: Finding) -> None:
        """Mark the finding that was just put as one to be told of."""
        if self._batch:
            self._batch[-1] = (finding, True)
        else:
            self._pipe.send("seen", finding)

    def flush(self) -> None:
        """Send what waits."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._batch:
            self._pipe.send("found", self._batch)
            self._batch = []

    def said(self, text: str) -> None:
        """Hand a sentence over."""
        self._pipe.send("said", text)

    def read(self, records: int, links: int) -> None:
        """Nothing is read here."""

    def planned(self, total: int, lanes: int) -> None:
        """Nothing is planned here."""

    def left(self, targets: int, workers: int) -> None:
        """The parent knows."""

    def judging(self) -> None:
        """Nothing is judged here."""


class Worker:
    """Listens to the parent while the run goes on."""

    def __init__(self, pipe: Pipe, running: Running, foreign: Foreign) -> None:
        self._pipe, self._running, self._foreign = pipe, running, foreign
        self._tasks: set[asyncio.Task[None]] = set()

    async def listen(self) -> None:
        """Do what the parent says until it wants no more, or is gone."""
        while (message := await self._pipe.read()) is not None:
            kind, *rest = message
            if kind == "close":
                return
            self._do(kind, rest)
        self._running.abort("failed", "the parent is gone")

    def _do(self, kind: str, rest: list[Any]) -> None:
        if kind == "hop":
            self._start(self._serve(*rest))
        elif kind == "reply":
            self._foreign.replied(*rest)
        else:
            act: Callable[[str, str], None] = getattr(self._running, kind)
            act(*rest)

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, asker: int, number: int, request: Request) -> None:
        self._pipe.send("reply", asker, number, await self._foreign.serve(request))


@asynccontextmanager
async def _picture_check(order: Order) -> AsyncIterator[Check | None]:
    """The check that keeps images, if they are to be kept; the parent writes the index."""
    if not order.cache:
        yield None
        return
    engine = open_engine(order.config.database.url, create=False)
    try:
        async with open_keeper(order.config, engine) as keeper:
            yield picture_check(order.config, keeper)
    finally:
        engine.dispose()


async def work(fd: int) -> None:
    """One run, from its setup to its end."""
    pipe = await open_pipe(socket.socket(fileno=fd))
    message = await pipe.read()
    if message is None:
        return
    setup: Setup = message[0]
    outbox = Outbox(pipe)
    foreign = Foreign(setup.number, setup.count, setup.owners, lambda *question: pipe.send("hop", *question))
    order = setup.order
    async with (
        _picture_check(order) as image,
        open_running(
            order.config,
            order.detours,
            outbox,
            outbox,
            image=image,
            layer=foreign.layer,
            probes=order.probes,
        ) as running,
    ):
        listening = asyncio.create_task(Worker(pipe, running, foreign).listen())
        try:
            await running.check(setup.targets)
        except StorageError as exc:
            pipe.send("broken", str(exc))
        outbox.flush()
        pipe.send("done", running.ended)
        await listening
    pipe.close()
