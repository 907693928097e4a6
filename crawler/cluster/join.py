"""A worker on any machine: it finds the run that is open, and works in it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

import sqlalchemy as sa

from crawler.cluster.agreement import SharedRunSpec, check_times, disagreement
from crawler.cluster.database_retry import DatabaseRetry
from crawler.cluster.worker import Worker
from crawler.config import Config
from crawler.engine.observer import Observer
from crawler.errors import ConfigError
from storage.db.database import open_engine
from storage.model import Probe, Run, RunEnd
from storage.queries import run as queries
from storage.shards import Leases, SharedRunPlan, open_plan, require_server


@dataclass(slots=True)
class StopHandle:
    """Where a worker can be told to end, whether it works, waits for a run, or has not begun."""

    worker: Worker | None = None
    patience: DatabaseRetry | None = None
    over: asyncio.Event = field(default_factory=asyncio.Event)
    ended: RunEnd | None = None

    def stop(self, run_end: RunEnd, why: str) -> None:
        """Start nothing more, and give the shards back."""
        self._end(run_end)
        if self.worker is not None:
            self.worker.stop(run_end, why)

    def abort(self, run_end: RunEnd, why: str) -> None:
        """End at once."""
        self._end(run_end)
        if self.worker is not None:
            self.worker.abort(run_end, why)

    def _end(self, run_end: RunEnd) -> None:
        self.ended = self.ended or run_end
        self.over.set()
        if self.patience is not None:
            self.patience.end()


async def join(
    config: Config, observer: Observer, post: StopHandle, *, name: str = "", wait: bool = False
) -> RunEnd:
    """Work in the run that is open until nothing of it is; return how that ended.

    `wait`: for a run if none is open, and for the next one after that, until told to end.

    Raises:
        ConfigError: this machine's configuration, or its program, is not that of the run.
        StorageError: the database cannot be used, and that will not pass.
    """
    check_times(config)
    post.patience = DatabaseRetry(observer.said)
    engine = await post.patience.call(_open, config)
    try:
        while not post.ended:
            open_run = await post.patience.call(_look, engine)
            if open_run is not None:
                await _work(config, observer, post, open_run, name)
            elif not wait:
                observer.said("no shared run is open")
            if not wait:
                break
            await _rest(post.over, config.sharing.renew)
    finally:
        engine.dispose()
    return post.ended or RunEnd.FINISHED


def _open(config: Config) -> sa.Engine:
    engine = open_engine(config.database.url)  # a worker may be there before the first run
    require_server(engine)
    return engine


async def _work(
    config: Config,
    observer: Observer,
    post: StopHandle,
    open_run: tuple[Run, SharedRunPlan, tuple[Probe, ...]],
    name: str,
) -> None:
    run, plan, probes = open_run
    why = disagreement(plan.terms, config)
    if why is not None:
        raise ConfigError(why)
    terms = plan.terms
    joint = SharedRunSpec(config, terms["command"], tuple(terms["detours"]), terms["cache"], probes)
    observer.planned(plan.targets, plan.lanes)
    post.worker = Worker(joint, run, plan, observer, name)
    try:
        run_end = await post.worker.work()
    finally:
        post.worker = None
    if run_end != RunEnd.FINISHED:
        post.ended = post.ended or run_end


def _look(engine: sa.Engine) -> tuple[Run, SharedRunPlan, tuple[Probe, ...]] | None:
    """The run that has a shard open, with its plan and the probes that hold."""
    open_run = open_plan(engine)
    if open_run is None or not Leases(engine, open_run[0].id, "", "", 0.0).snapshot().shards:
        return None
    run, plan = open_run
    return run, plan, tuple(queries.valid_probes(engine, run.started_at)) if plan.terms["probes"] else ()


async def _rest(over: asyncio.Event, seconds: float) -> None:
    try:
        await asyncio.wait_for(over.wait(), seconds)
    except TimeoutError:
        return
