"""A worker on any machine: it finds the run that is open, and works in it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

import sqlalchemy as sa

from crawler.config import Config
from crawler.errors import ConfigError
from crawler.run import Observer
from crawler.sharing.patience import Patience
from crawler.sharing.terms import Joint, check_times, disagreement
from crawler.sharing.worker import Worker
from storage import queries
from storage.database import open_engine
from storage.model import Probe, Run
from storage.shards import Leases, Plan, open_plan, require_server


@dataclass(slots=True)
class Post:
    """Where a worker can be told to end, whether it works, waits for a run, or has not begun."""

    worker: Worker | None = None
    patience: Patience | None = None
    over: asyncio.Event = field(default_factory=asyncio.Event)
    ended: str = ""

    def stop(self, ended: str, why: str) -> None:
        """Start nothing more, and give the shards back."""
        self._end(ended)
        if self.worker is not None:
            self.worker.stop(ended, why)

    def abort(self, ended: str, why: str) -> None:
        """End at once."""
        self._end(ended)
        if self.worker is not None:
            self.worker.abort(ended, why)

    def _end(self, ended: str) -> None:
        self.ended = self.ended or ended
        self.over.set()
        if self.patience is not None:
            self.patience.end()


async def join(config: Config, observer: Observer, post: Post, *, name: str = "", wait: bool = False) -> str:
    """Work in the run that is open until nothing of it is; return how that ended.

    `wait`: for a run if none is open, and for the next one after that, until told to end.

    Raises:
        ConfigError: this machine's configuration, or its program, is not that of the run.
        StorageError: the database cannot be used, and that will not pass.
    """
    check_times(config)
    post.patience = Patience(observer.said)
    engine = await post.patience.call(_open, config)
    try:
        while not post.ended:
            found = await post.patience.call(_look, engine)
            if found is not None:
                await _work(config, observer, post, found, name)
            elif not wait:
                observer.said("no shared run is open")
            if not wait:
                break
            await _rest(post.over, config.sharing.renew)
    finally:
        engine.dispose()
    return post.ended or "finished"


def _open(config: Config) -> sa.Engine:
    engine = open_engine(config.database.url)  # a worker may be there before the first run
    require_server(engine)
    return engine


async def _work(
    config: Config, observer: Observer, post: Post, found: tuple[Run, Plan, tuple[Probe, ...]], name: str
) -> None:
    run, plan, probes = found
    why = disagreement(plan.terms, config)
    if why is not None:
        raise ConfigError(why)
    terms = plan.terms
    joint = Joint(config, terms["command"], tuple(terms["detours"]), terms["cache"], probes)
    observer.planned(plan.targets, plan.lanes)
    post.worker = Worker(joint, run, plan, observer, name)
    try:
        ended = await post.worker.work()
    finally:
        post.worker = None
    if ended != "finished":
        post.ended = post.ended or ended


def _look(engine: sa.Engine) -> tuple[Run, Plan, tuple[Probe, ...]] | None:
    """The run that has a shard open, with its plan and the probes that hold."""
    found = open_plan(engine)
    if found is None or not Leases(engine, found[0].id, "", "", 0.0).scene().shards:
        return None
    run, plan = found
    return run, plan, tuple(queries.probes(engine, run.started_at)) if plan.terms["probes"] else ()


async def _rest(over: asyncio.Event, seconds: float) -> None:
    try:
        await asyncio.wait_for(over.wait(), seconds)
    except TimeoutError:
        return
