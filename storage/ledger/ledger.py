"""The ledger as the event loop sees it: `put` hands a finding over and returns.

A batch is written when enough wait, or when a moment has passed, in a thread. No cancellation
reaches the write, so that whatever ends a run, what `put` took is kept.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Final, Protocol, Self

import sqlalchemy as sa

from storage.errors import LedgerError
from storage.ledger.writer import Advance, LedgerWriter
from storage.model import Finding, Run

MAX_WAITING_BATCHES: Final = 5  # batches that may wait before `put` waits for the writer


class BatchWriter(Protocol):
    """What writes findings."""

    def write(self, findings: Sequence[Finding]) -> None:
        """Write one batch, wholly or not at all."""


class Ledger:
    """Takes the findings of one run: `async with Ledger(...) as ledger: await ledger.put(...)`.

    `advance` is the pure judgement of a history; every change of state becomes an event. `batch`
    findings, or `every` seconds, start a write. `writer` writes in place of the usual one.
    """

    def __init__(
        self,
        engine: sa.Engine,
        run: Run,
        advance: Advance,
        *,
        batch: int = 2000,
        flush_interval: float = 0.5,
        writer: BatchWriter | None = None,
    ) -> None:
        self._writer = writer or LedgerWriter(engine, run, advance)
        self._batch = batch
        self._flush_interval = flush_interval
        self._waiting: list[Finding] = []
        self._thread = ThreadPoolExecutor(1, "ledger")
        self._write: asyncio.Future[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._failure: BaseException | None = None

    async def __aenter__(self) -> Self:
        """Begin to take findings."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Write what waits, whatever ended the run."""
        await self.close()

    async def put(self, finding: Finding) -> None:
        """Take one finding; wait only if the writer is far behind.

        Raises:
            LedgerError: an earlier write failed, and this finding is not taken.
        """
        # To wait first means that a finding whose `put` was cancelled was not taken.
        while len(self._waiting) >= self._batch * MAX_WAITING_BATCHES and self._write is not None:
            await asyncio.wait({self._write})
        if self._failure is not None:
            raise self._failure.with_traceback(None)
        self._waiting.append(finding)
        if len(self._waiting) >= self._batch:
            self._start()
        else:
            self._schedule_write()

    async def flush(self) -> None:
        """Write what waits now.

        Raises:
            LedgerError: the database cannot take it.
        """
        await self._wait_for_writes()
        self._start()
        await self._wait_for_writes()
        if self._failure is not None:
            raise self._failure.with_traceback(None)

    async def close(self) -> None:
        """Write what waits, once more what could not be written before; a cancellation waits too.

        Raises:
            LedgerError: some findings cannot be written; they wait for another `close`.
        """
        closing = asyncio.ensure_future(self._close())
        cancellation: asyncio.CancelledError | None = None
        while not closing.done():
            try:
                await asyncio.wait({closing})
            except asyncio.CancelledError as exc:
                cancellation = exc
        closing.result()
        if cancellation is not None:
            raise cancellation

    async def _close(self) -> None:
        await self._wait_for_writes()
        self._failure = None  # the disk may have room again
        self._start()
        await self._wait_for_writes()
        if self._timer is not None:
            self._timer.cancel()
        if isinstance(self._failure, LedgerError):
            raise LedgerError(f"{self._failure} ({len(self._waiting)} findings are not written)")
        if self._failure is not None:
            raise self._failure
        self._thread.shutdown(wait=False)

    async def _wait_for_writes(self) -> None:
        while self._write is not None:
            await asyncio.wait({self._write})

    def _schedule_write(self) -> None:
        """See that what waits is written soon."""
        if self._timer is None and self._failure is None:
            self._timer = asyncio.get_running_loop().call_later(self._flush_interval, self._start)

    def _start(self) -> None:
        """Write the next batch, if none is being written."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._write is not None or not self._waiting:
            return
        batch = self._waiting
        self._waiting = []
        loop = asyncio.get_running_loop()
        self._write = loop.run_in_executor(self._thread, self._writer.write, batch)
        self._write.add_done_callback(lambda write: self._written(write, batch))

    def _written(self, write: asyncio.Future[None], batch: list[Finding]) -> None:
        self._write = None
        self._failure = write.exception()
        if self._failure is not None:
            self._waiting = batch + self._waiting
        elif len(self._waiting) >= self._batch:
            self._start()
        elif self._waiting:
            self._schedule_write()
