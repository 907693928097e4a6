"""A shared run as its command sees it: the same as one on its own, but others may help."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from functools import partial
from typing import Final

import sqlalchemy as sa

from crawler.errors import ConfigError
from crawler.run import Observer, Running, Store
from crawler.sharing.clock import Clock, now
from crawler.sharing.patience import Patience
from crawler.sharing.plan import planned
from crawler.sharing.terms import Joint, check_times, disagreement
from crawler.sharing.worker import Worker
from crawler.urls import without_credentials
from crawler.wiring import open_running, pace_for
from storage.errors import LedgerError, LockHeld
from storage.model import Run, Target
from storage.shards import Leases, Plan, Scene, moment, open_plan, passing, put_plan, require_server

NOBODY: Final = ""  # the name of who only looks


class Sharing:
    """Plans, works as one of many, and waits until no shard is open.

    `works`: whether it asks itself, or leaves that to the other workers. `still` is called now and
    then, and raises LockHeld if the run is another's by now.
    """

    def __init__(  # noqa: PLR0917 - made once
        self,
        joint: Joint,
        engine: sa.Engine,
        run: Run,
        store: Store,
        observer: Observer,
        still: Callable[[], None],
        *,
        works: bool = True,
    ) -> None:
        self._joint, self._engine, self._run, self._store = joint, engine, run, store
        self._observer, self._still, self._works = observer, still, works
        self._patience = Patience(observer.said)
        self._worker: Worker | None = None
        self._running: Running | None = None
        self._over = asyncio.Event()
        self.ended = "finished"

    async def check(self, targets: Iterable[tuple[str, Target]]) -> None:
        """Have each target checked in the lane of its key, here or elsewhere.

        Raises:
            StorageError: the database or the cache cannot be used, or the run is another's by now.
            ConfigError: the open run was planned under other terms.
        """
        pairs = list(targets)
        secret = [pair for pair in pairs if without_credentials(pair[1].url)[1] is not None]
        own = {target.id for _, target in secret}
        plan = await self._patience.call(self._open, [pair for pair in pairs if pair[1].id not in own])
        watching = asyncio.create_task(self._watch())
        try:
            await self._work(plan)
        finally:
            watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
        if not watching.cancelled() and (fault := watching.exception()) is not None:
            raise fault
        if self.ended == "finished" and secret:
            await self._ask_myself(secret)

    def _open(self, pairs: list[tuple[str, Target]]) -> Plan:
        """The plan of the run: the one it has, or a new one."""
        found = open_plan(self._engine)
        if found is not None and found[0].id == self._run.id:
            why = disagreement(found[1].terms, self._joint.config)
            if why is not None:
                raise ConfigError(f"run {self._run.id} goes on, but {why}")
            return found[1]
        config = self._joint.config
        new = planned(pairs, config.sharing.shards, partial(pace_for, config), self._joint.terms())
        put_plan(self._engine, self._run, new.plan, new.shares, new.tasks)
        return new.plan

    async def _work(self, plan: Plan) -> None:
        if self._works and not self._over.is_set():
            self._worker = Worker(self._joint, self._run, plan, self._observer)
            ended = await self._worker.work()
            self.ended = ended if self.ended == "finished" else self.ended
            self._worker = None
        while self.ended == "finished" and not self._over.is_set():
            scene = await self._patience.call(self._scene)
            self._observer.left(scene.targets, scene.workers)
            if scene.ended or not scene.shards:
                return
            await self._rest()

    def _scene(self) -> Scene:
        seconds = self._joint.config.sharing.lease
        return Leases(self._engine, self._run.id, NOBODY, NOBODY, seconds).scene()

    async def _rest(self) -> None:
        try:
            await asyncio.wait_for(self._over.wait(), self._joint.config.sharing.renew)
        except TimeoutError:
            return

    async def _watch(self) -> None:
        """See that this run is still ours; a database that is away tells nothing."""
        while not self._over.is_set():
            await self._rest()
            try:
                await asyncio.to_thread(self._still)
            except LockHeld as exc:
                self.abort("taken over", str(exc))
                raise
            except LedgerError as exc:
                if not passing(exc):
                    raise

    async def _ask_myself(self, pairs: list[tuple[str, Target]]) -> None:
        """Ask what carries credentials, which no other machine is told, once all lanes are at rest."""
        config, detours = self._joint.config, self._joint.detours
        sent = now()
        clock = Clock((await self._patience.call(moment, self._engine)).timestamp(), sent)
        async with open_running(config, detours, self._store, self._observer, now=clock) as running:
            self._running = running
            turnstile = running.parts.turnstile
            for key in {key for key, _ in pairs}:
                lane = turnstile.lane(key)
                turnstile.hold(lane, turnstile.now() + lane.interval)
            try:
                await running.check(pairs)
            finally:
                self._running = None
            self.ended = running.ended

    def stop(self, ended: str, why: str) -> None:
        """Start nothing more, here or, a moment later, elsewhere; what is under way may end."""
        self._end(ended)
        for one in (self._worker, self._running):
            if one is not None:
                one.stop(ended, why)

    def abort(self, ended: str, why: str) -> None:
        """End at once."""
        self._end(ended)
        for one in (self._worker, self._running):
            if one is not None:
                one.abort(ended, why)

    def _end(self, ended: str) -> None:
        if self.ended == "finished":
            self.ended = ended
        self._over.set()
        self._patience.end()


@asynccontextmanager
async def open_sharing(  # noqa: PLR0917 - made once
    joint: Joint,
    engine: sa.Engine,
    run: Run,
    store: Store,
    observer: Observer,
    still: Callable[[], None],
    *,
    works: bool = True,
) -> AsyncIterator[Sharing]:
    """A run that machines share, ready to be told its targets.

    Raises:
        LedgerError: the database is SQLite.
        ConfigError: a lease would end by one late word.
    """
    require_server(engine)
    check_times(joint.config)
    if joint.cache and "://" not in joint.config.images.cache:
        observer.said("[images] cache is a folder: all workers have to share it, as one disk or mount")
    yield Sharing(joint, engine, run, store, observer, still, works=works)
