"""A shared run as its command sees it: the same as one on its own, but others may help."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from functools import partial
from typing import Final

import sqlalchemy as sa

from crawler.cluster.agreement import SharedRunSpec, check_times, disagreement
from crawler.cluster.database_clock import DatabaseClock, now
from crawler.cluster.database_retry import DatabaseRetry
from crawler.cluster.sharding import planned
from crawler.cluster.worker import Worker
from crawler.engine.context import FindingStore, RunContext
from crawler.engine.observer import Observer
from crawler.engine.run import CheckRun
from crawler.errors import ConfigError
from crawler.policies import pace_for
from crawler.urls import without_credentials
from crawler.wiring import open_run
from storage.errors import LedgerError, LockHeld
from storage.frozen import frozen
from storage.model import Run, RunEnd, Target
from storage.shards import (
    Leases,
    RunSnapshot,
    SharedRunPlan,
    database_time,
    is_transient,
    open_plan,
    put_plan,
    require_server,
)

SPECTATOR_NAME: Final = ""  # of what only looks at a run


@frozen
class SharedRunSetting:
    """What a shared run is given; `still_ours` raises LockHeld once the run is another command's."""

    engine: sa.Engine
    run: Run
    store: FindingStore
    observer: Observer
    still_ours: Callable[[], None]


class SharedRun:
    """Plans, works as one of many, and waits until no shard is open: a `Runner`.

    `works`: whether it asks itself, or leaves that to the other workers.
    """

    def __init__(self, spec: SharedRunSpec, setting: SharedRunSetting, *, works: bool = True) -> None:
        self._spec = spec
        self._setting = setting
        self._engine = setting.engine
        self._run = setting.run
        self._observer = setting.observer
        self._works = works
        self._retry = DatabaseRetry(setting.observer.said)
        self._worker: Worker | None = None
        self._secret_run: CheckRun | None = None
        self._over = asyncio.Event()
        self.ended = RunEnd.FINISHED
        self.dropped_count = 0  # what is open in a shard is given back, and asked by another worker

    async def check(self, targets: Iterable[tuple[str, Target]]) -> None:
        """Have each target checked in the lane of its key, here or elsewhere.

        Raises:
            StorageError: the database or the cache cannot be used, or the run is another's by now.
            ConfigError: the open run was planned under other terms.
        """
        pairs = list(targets)
        secret = [pair for pair in pairs if without_credentials(pair[1].url)[1] is not None]
        secret_ids = {target.id for _, target in secret}
        plan = await self._retry.call(self._open, [pair for pair in pairs if pair[1].id not in secret_ids])
        watching = asyncio.create_task(self._watch())
        try:
            await self._work(plan)
        finally:
            watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
        if not watching.cancelled() and (fault := watching.exception()) is not None:
            raise fault
        if self.ended == RunEnd.FINISHED and secret:
            await self._ask_secrets(secret)

    def _open(self, pairs: list[tuple[str, Target]]) -> SharedRunPlan:
        """The plan of the run: the one it has, or a new one."""
        open_run_plan = open_plan(self._engine)
        if open_run_plan is not None and open_run_plan[0].id == self._run.id:
            plan = open_run_plan[1]
            why = disagreement(plan.terms, self._spec.config)
            if why is not None:
                raise ConfigError(f"run {self._run.id} goes on, but {why}")
            return plan
        config = self._spec.config
        new = planned(pairs, config.sharing.shards, partial(pace_for, config), self._spec.terms())
        put_plan(self._engine, self._run, new.plan, new.shares, new.tasks)
        return new.plan

    async def _work(self, plan: SharedRunPlan) -> None:
        if self._works and not self._over.is_set():
            self._worker = Worker(self._spec, self._run, plan, self._observer)
            run_end = await self._worker.work()
            self.ended = run_end if self.ended == RunEnd.FINISHED else self.ended
            self._worker = None
        while self.ended == RunEnd.FINISHED and not self._over.is_set():
            snapshot = await self._retry.call(self._snapshot)
            self._observer.left(snapshot.targets, snapshot.workers)
            if snapshot.ended or not snapshot.shards:
                return
            await self._rest()

    def _snapshot(self) -> RunSnapshot:
        seconds = self._spec.config.sharing.lease
        return Leases(self._engine, self._run.id, SPECTATOR_NAME, SPECTATOR_NAME, seconds).snapshot()

    async def _rest(self) -> None:
        try:
            await asyncio.wait_for(self._over.wait(), self._spec.config.sharing.renew)
        except TimeoutError:
            return

    async def _watch(self) -> None:
        """See that this run is still ours; a database that is away tells nothing."""
        while not self._over.is_set():
            await self._rest()
            try:
                await asyncio.to_thread(self._setting.still_ours)
            except LockHeld as exc:
                self.abort(RunEnd.TAKEN_OVER, str(exc))
                raise
            except LedgerError as exc:
                if not is_transient(exc):
                    raise

    async def _ask_secrets(self, pairs: list[tuple[str, Target]]) -> None:
        """Ask what carries credentials, which no other machine is told, once all lanes are at rest."""
        setting, spec = self._setting, self._spec
        asked_at = now()
        clock = DatabaseClock((await self._retry.call(database_time, self._engine)).timestamp(), asked_at)
        context = RunContext(spec.config, setting.store, setting.observer, spec.detours, now=clock)
        async with open_run(context) as run:
            self._secret_run = run
            scheduler = run.parts.scheduler
            for key in {key for key, _ in pairs}:
                lane = scheduler.lane(key)
                scheduler.delay_until(lane, scheduler.now() + lane.interval)
            try:
                await run.check(pairs)
            finally:
                self._secret_run = None
            self.ended = run.ended

    def stop(self, run_end: RunEnd, why: str) -> None:
        """Start nothing more, here or, a moment later, elsewhere; what is under way may end."""
        self._end(run_end)
        for runner in (self._worker, self._secret_run):
            if runner is not None:
                runner.stop(run_end, why)

    def abort(self, run_end: RunEnd, why: str) -> None:
        """End at once."""
        self._end(run_end)
        for runner in (self._worker, self._secret_run):
            if runner is not None:
                runner.abort(run_end, why)

    def _end(self, run_end: RunEnd) -> None:
        if self.ended == RunEnd.FINISHED:
            self.ended = run_end
        self._over.set()
        self._retry.end()


@asynccontextmanager
async def open_sharing(
    spec: SharedRunSpec, setting: SharedRunSetting, *, works: bool = True
) -> AsyncIterator[SharedRun]:
    """A run that machines share, ready to be given its targets.

    Raises:
        LedgerError: the database is SQLite.
        ConfigError: the lease is too short to survive one missed renewal.
    """
    require_server(setting.engine)
    check_times(spec.config)
    if spec.cache and "://" not in spec.config.images.cache:
        setting.observer.said(
            "[images] cache is a folder: all workers have to share it, as one disk or mount"
        )
    yield SharedRun(spec, setting, works=works)
