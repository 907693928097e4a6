"""A worker: asks what the parent hands out, and hands back what it finds.

python -m crawler.processes FD
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Final

from crawler.checks.base import Check
from crawler.engine.context import RunContext
from crawler.engine.observer import NullObserver
from crawler.engine.run import CheckRun
from crawler.fetch.base import Request
from crawler.policies import lanes_of
from crawler.processes.messages import (
    AbortWorker,
    CloseWorker,
    FindingBatch,
    ObservedFinding,
    RemoteHop,
    RemoteHopReply,
    StopWorker,
    WorkerDone,
    WorkerFailed,
    WorkerSentence,
    WorkerSetup,
    WorkerSpec,
)
from crawler.processes.pipe import Message, Pipe, open_pipe
from crawler.processes.remote_lanes import RemoteLanes, serve_remote
from crawler.wiring import open_run
from storage.db.database import open_engine
from storage.errors import StorageError
from storage.model import Finding, RunEnd

FINDINGS_PER_MESSAGE: Final = 100
BATCH_DELAY: Final = 0.05  # seconds a finding may wait for others


class Outbox(NullObserver):
    """Store and observer of a worker: everything goes to the parent, findings in batches."""

    def __init__(self, pipe: Pipe) -> None:
        self._pipe = pipe
        self._batch: list[tuple[Finding, bool]] = []
        self._timer: asyncio.TimerHandle | None = None

    async def put(self, finding: Finding) -> None:
        """Hand a finding over, soon."""
        self._batch.append((finding, False))
        if len(self._batch) >= FINDINGS_PER_MESSAGE:
            self.flush()
            await self._pipe.drain()
        elif self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(BATCH_DELAY, self.flush)

    def found(self, finding: Finding) -> None:
        """Mark the finding that was just put as one for the observer."""
        if self._batch:
            self._batch[-1] = (finding, True)
        else:
            self._pipe.send(ObservedFinding(finding))

    def flush(self) -> None:
        """Send what waits."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._batch:
            self._pipe.send(FindingBatch(self._batch))
            self._batch = []

    def said(self, text: str) -> None:
        """Hand a sentence over."""
        self._pipe.send(WorkerSentence(text))


class PoolWorker:
    """Listens to the parent while the run goes on."""

    def __init__(self, pipe: Pipe, run: CheckRun, remote: RemoteLanes) -> None:
        self._pipe = pipe
        self._run = run
        self._remote = remote
        self._tasks: set[asyncio.Task[None]] = set()

    async def listen(self) -> None:
        """Do what the parent says until it closes the worker, or is gone."""
        while (message := await self._pipe.read()) is not None:
            if isinstance(message, CloseWorker):
                return
            self._do(message)
        self._run.abort(RunEnd.FAILED, "the parent is gone")

    def _do(self, message: Message) -> None:
        match message:
            case RemoteHop():
                task = asyncio.create_task(self._serve(message))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
            case RemoteHopReply():
                self._remote.replied(message.number, message.reply)
            case StopWorker():
                self._run.stop(message.run_end, message.why)
            case AbortWorker():
                self._run.abort(message.run_end, message.why)

    async def _serve(self, hop: RemoteHop) -> None:
        reply = await serve_remote(self._run.parts.local_fetch, hop.request)
        self._pipe.send(RemoteHopReply(hop.asker, hop.number, reply))


@asynccontextmanager
async def _picture_check(spec: WorkerSpec) -> AsyncIterator[Check | None]:
    """The check that keeps images, if they are to be kept; the parent writes the index."""
    if not spec.cache:
        yield None
        return
    from crawler.engine.image_cache_opening import (  # noqa: PLC0415 - Pillow and more, to keep images only
        open_image_cache,
        whole_image_check,
    )

    engine = open_engine(spec.config.database.url, create=False)
    try:
        async with open_image_cache(spec.config, engine) as keeper:
            yield whole_image_check(spec.config, keeper)
    finally:
        engine.dispose()


def _send_hop(pipe: Pipe, asker: int, number: int, owner: int, request: Request) -> None:
    pipe.send(RemoteHop(asker, owner, number, request))


async def work(fd: int) -> None:
    """One run, from its setup to its end."""
    pipe = await open_pipe(socket.socket(fileno=fd))
    setup = await pipe.read()
    if isinstance(setup, WorkerSetup):
        await _work(pipe, setup)
    pipe.close()


async def _work(pipe: Pipe, setup: WorkerSetup) -> None:
    spec, outbox = setup.spec, Outbox(pipe)
    ask = partial(_send_hop, pipe, setup.number)
    remote = RemoteLanes(setup.number, setup.count, setup.owners, ask, lanes_of(spec.config))
    async with _picture_check(spec) as image_check:
        context = RunContext(
            spec.config,
            outbox,
            outbox,
            spec.detours,
            spec.probes,
            image_check,
            remote_lanes=remote.middleware,
        )
        async with open_run(context) as run:
            listening = asyncio.create_task(PoolWorker(pipe, run, remote).listen())
            try:
                await run.check(setup.targets)
            except StorageError as exc:
                pipe.send(WorkerFailed(str(exc)))
            outbox.flush()
            pipe.send(WorkerDone(run.ended, run.dropped_count))
            await listening
