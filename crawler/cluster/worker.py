"""A worker: session after session, until no shard of its run is open."""

from __future__ import annotations

import asyncio
import os
import socket
import uuid

from crawler.cluster.agreement import SharedRunSpec
from crawler.cluster.database_clock import now
from crawler.cluster.database_retry import DatabaseRetry
from crawler.cluster.held_leases import HeldLeases, RenewalResult
from crawler.cluster.session import Session, open_session
from crawler.cluster.worker_context import WorkerContext
from crawler.engine.observer import Observer
from storage.db.database import open_engine
from storage.errors import LedgerError
from storage.model import Run, RunEnd
from storage.shards import LaneTurns, Leases, SharedRunPlan, WorkerReport, is_transient


class Worker:
    """One worker of a shared run; `ended` says how it ended, None while it works."""

    def __init__(
        self, spec: SharedRunSpec, run: Run, plan: SharedRunPlan, observer: Observer, name: str = ""
    ) -> None:
        """`name` is what people see of it; machine and process if none is given."""
        seconds, url = spec.config.sharing.lease, spec.config.database.url
        worker_id = uuid.uuid4().hex
        name = name or f"{socket.gethostname()}:{os.getpid()}"
        # Two pools: the thread that renews never waits for a connection that a write has.
        self._engine = open_engine(url, create=False)
        self._renewing = open_engine(url, create=False)
        turns = LaneTurns(self._renewing, run.id, worker_id, seconds)
        leases = Leases(self._renewing, run.id, worker_id, name, seconds)
        self._context = WorkerContext(
            spec,
            run,
            plan,
            observer,
            self._engine,
            Leases(self._engine, run.id, worker_id, name, seconds),
            LaneTurns(self._engine, run.id, worker_id, seconds),
            HeldLeases(leases, turns, spec.config.sharing.renew, self._report, self._on_renewal),
            DatabaseRetry(observer.said),
        )
        self._loop = asyncio.get_running_loop()
        self._session: Session | None = None
        self._reported_count = 0
        self._reported_at = now()
        self.ended: RunEnd | None = None

    async def work(self) -> RunEnd:
        """Work until no shard is open, or until it is told to end; return how it ended.

        Raises:
            StorageError: the database, or the cache, cannot be used, and that will not pass.
        """
        try:
            await self._context.retry.call(self._context.held_leases.start)
            while self.ended is None:
                await self._one_session()
        except LedgerError as exc:
            if not (self.ended and is_transient(exc)):
                raise
        finally:
            await asyncio.to_thread(self._close)
        return self.ended or RunEnd.FINISHED

    async def _one_session(self) -> None:
        async with open_session(self._context) as session:
            self._session = session
            try:
                if await session.work():
                    self.ended = self.ended or RunEnd.FINISHED
                elif session.ended:
                    self.ended = self.ended or session.ended
            finally:
                await session.leave()
                self._session = None

    def stop(self, run_end: RunEnd, why: str) -> None:
        """Start nothing more, and give the shards back; what is under way gets a moment to end."""
        self._end(run_end)
        if self._session is not None:
            self._session.run.stop(run_end, why)

    def abort(self, run_end: RunEnd, why: str) -> None:
        """End at once, and give the shards back."""
        self._end(run_end)
        if self._session is not None:
            self._session.run.abort(run_end, why)

    def _end(self, run_end: RunEnd) -> None:
        self.ended = self.ended or run_end
        self._context.retry.end()
        if self._session is not None:
            self._session.wake()
            self._session.give_up()

    def _report(self) -> WorkerReport:
        """The state of this worker; called by the thread that renews."""
        count, at = self._context.finding_count, now()
        rate = (count - self._reported_count) / max(at - self._reported_at, 1e-3)
        self._reported_count = count
        self._reported_at = at
        return WorkerReport(count, round(rate, 2), self._context.idle)

    def _on_renewal(self, renewal: RenewalResult) -> None:
        """Pass the result of a renewal on; called by the thread that renews."""
        self._loop.call_soon_threadsafe(self._note_renewal, renewal)

    def _note_renewal(self, renewal: RenewalResult) -> None:
        if self._session is not None:
            self._session.note_renewal(renewal)

    def _close(self) -> None:
        """Leave the list of workers, as far as the database can be reached; else it forgets by itself."""
        self._context.held_leases.stop()
        try:
            self._context.leases.leave()
        except LedgerError as exc:
            if not is_transient(exc):
                raise
        finally:
            self._engine.dispose()
            self._renewing.dispose()
