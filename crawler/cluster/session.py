"""One session of a worker: shards come and go, and their targets are asked as in any run.

It ends with the work, or when the leases ended before they were renewed: then nothing that is
under way goes on, and another session begins anew.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import Final

from crawler.cluster.assignments import Assignments
from crawler.cluster.held_leases import HeldShard, RenewalResult
from crawler.cluster.lease_gate import LeaseGate
from crawler.cluster.leased_store import LeasedStore, fenced_writer
from crawler.cluster.rebalance import surplus, wanted
from crawler.cluster.worker_context import WorkerContext, picture_check_of
from crawler.engine.context import RunContext
from crawler.engine.revisit import planned_freshness
from crawler.engine.run import CheckRun
from crawler.policies import evidence, lanes_of
from crawler.verdicts.states import advance
from crawler.wiring import new_scheduler, open_run
from storage.errors import LedgerError
from storage.frozen import frozen
from storage.ledger import Ledger
from storage.model import RunEnd
from storage.shards import FencedWriter, RunSnapshot

LEASES_LOST: Final = "the database was not reached before the leases of this worker ended"


@frozen
class SessionParts:
    """What a session is made of."""

    run: CheckRun
    assignments: Assignments
    ledger: Ledger
    writer: FencedWriter
    gate: LeaseGate


class Session:
    """Asks what its worker has leased."""

    def __init__(self, context: WorkerContext, parts: SessionParts) -> None:
        self._context = context
        self._parts = parts
        self._held_leases = context.held_leases
        self._assignments = parts.assignments
        self.run = parts.run
        self._claiming = asyncio.Lock()
        self._woken = asyncio.Event()
        self._agreeing: set[asyncio.Task[None]] = set()

    @property
    def ended(self) -> RunEnd | None:
        """How the run here ended, if that ends the worker, too: None where another session goes on."""
        run_end = self.run.ended
        if run_end is RunEnd.OVER:
            return RunEnd.FINISHED
        return None if run_end in {RunEnd.FINISHED, RunEnd.LOST} else run_end

    def wake(self) -> None:
        """Look at once whether there is something to do."""
        self._woken.set()

    def give_up(self) -> None:
        """Wait no longer for a database that is away."""
        self._parts.writer.abandon()

    async def work(self) -> bool:
        """Ask wave after wave; return whether no shard of the run is open.

        Raises:
            StorageError: the database or the cache cannot be used, and that will not pass.
        """
        watching = asyncio.create_task(self._watch())
        try:
            while self.run.ended == RunEnd.FINISHED:
                snapshot = await self._take()
                if self._held_leases.holdings():
                    await self._wave()
                elif snapshot.ended or not snapshot.shards:
                    return True
                else:
                    await self._pause()
        finally:
            watching.cancel()
        return False

    async def _watch(self) -> None:
        """End at once when the leases are over: no request may outlive them."""
        while (seconds := self._held_leases.left) > 0:  # noqa: ASYNC110 - only the clock tells when that is
            await asyncio.sleep(seconds)
        self.run.abort(RunEnd.LOST, LEASES_LOST)

    async def _wave(self) -> None:
        """Ask all that is there, and what comes meanwhile; then the shards are done."""
        self._context.idle = False
        over = asyncio.Event()
        tending = asyncio.create_task(self._tend(over))
        try:
            await self.run.check(())
        finally:
            # Not cancelled: a claim that is not awaited would leave a shard that no worker asks.
            over.set()
            self.wake()
            await tending
        if self.run.ended == RunEnd.FINISHED:
            await self._finish()
        self._context.idle = True

    async def _tend(self, over: asyncio.Event) -> None:
        """Take more, and give back what is too much, as long as a wave goes on."""
        await self._pause()
        while not over.is_set() and self.run.ended == RunEnd.FINISHED:
            snapshot = await self._take()
            shards = self._held_leases.holdings()
            open_targets = {shard.lease.number: len(shard.open) for shard in shards if not shard.leaving}
            for number in surplus(snapshot, open_targets):
                shard = self._held_leases.holding(number)
                if shard is not None:
                    self._assignments.withdraw(shard)
            shards = self._held_leases.holdings()
            await self._release(
                [shard for shard in shards if shard.leaving and self._assignments.quiet(shard)]
            )
            await self._pause()

    async def _take(self) -> RunSnapshot:
        """Lease the shards that this worker should have beside its own, and put them into the lanes."""
        context = self._context
        async with self._claiming:
            snapshot = await context.retry.call(context.leases.snapshot)
            context.workers = snapshot.workers
            context.observer.left(snapshot.targets, snapshot.workers)
            counts = [len(shard.open) for shard in self._held_leases.holdings() if shard.open]
            budget, max_shards = wanted(snapshot, len(counts), sum(counts))
            if max_shards and not snapshot.ended:
                for shard in await context.retry.call(self._held_leases.claim, budget, max_shards):
                    await self._lay(shard)
        return snapshot

    async def _lay(self, shard: HeldShard) -> None:
        work = await self._context.retry.call(self._context.leases.work, shard.lease)
        pairs = self._assignments.lay(shard, work)
        for lane in work.visited:
            self._parts.gate.visit(lane)
        await self.run.add(pairs)

    async def _finish(self) -> None:
        """Mark finished shards as done; those that have open targets all the same are given back."""
        await self._parts.ledger.flush()
        shards = self._held_leases.holdings()
        forgone = self._assignments.closed(shards)
        complete = [shard for shard in shards if not shard.leaving and shard.open <= set(forgone)]
        epochs = self._held_leases.drop([shard.lease.number for shard in complete])
        await self._context.retry.call(self._context.leases.finish, epochs, forgone)
        await self._release([shard for shard in shards if shard not in complete])

    async def _release(self, shards: list[HeldShard]) -> None:
        """Give shards back, once all findings in them are written."""
        if not shards:
            return
        await self._parts.ledger.flush()
        epochs = {shard.lease.number: shard.lease.epoch for shard in shards}
        await self._context.retry.call(self._parts.writer.park, epochs)
        self._held_leases.drop(epochs)
        await self._context.retry.call(self._context.leases.release, epochs)

    async def leave(self) -> None:
        """Give everything back, in good order if the leases are still good."""
        for shard in self._held_leases.holdings():
            self._assignments.withdraw(shard)
        await self._release(self._held_leases.holdings())

    async def _pause(self) -> None:
        self._woken.clear()
        try:
            await asyncio.wait_for(self._woken.wait(), self._context.look_interval)
        except TimeoutError:
            return

    def note_renewal(self, renewal: RenewalResult) -> None:
        """Act on the result of a renewal."""
        self._assignments.forget(renewal.lost)
        if renewal.ended:
            self.run.stop(RunEnd.OVER, "the run has ended")
        waits: dict[str, tuple[int, float]] = {}
        for lane, number in renewal.visited:
            shard = self._held_leases.holding(number)
            if shard is not None:
                self._parts.gate.visit(lane)
                waits[lane] = (shard.lease.epoch, self._assignments.wait_of(lane))
        if waits:
            task = asyncio.create_task(self._agree(waits))
            self._agreeing.add(task)
            task.add_done_callback(self._agreeing.discard)

    async def _agree(self, waits: dict[str, tuple[int, float]]) -> None:
        with suppress(LedgerError):  # the next renewal tells of them again
            await asyncio.to_thread(self._context.turns.agree, waits)


@asynccontextmanager
async def open_session(context: WorkerContext) -> AsyncIterator[Session]:
    """A session, with all that it needs of network, cache and database."""
    config, shards = context.spec.config, context.plan.shards
    lane_of = lanes_of(config)
    scheduler = new_scheduler(config)
    assignments = Assignments(context.held_leases, scheduler, shards, lane_of)
    gate = LeaseGate(
        context.held_leases, context.turns, shards, lane_of, lambda lane: scheduler.lane(lane).interval
    )
    intervals = await asyncio.to_thread(planned_freshness, context.engine, config, context.run.started_at)
    judge = partial(advance, evidence=evidence(config), freshness=intervals)
    writer = fenced_writer(context, assignments, scheduler, judge)
    async with (
        Ledger(context.engine, context.run, judge, writer=writer) as ledger,
        picture_check_of(context) as image_check,
    ):
        store = LeasedStore(context, assignments, ledger)
        run_context = RunContext(
            config,
            store,
            store,
            context.spec.detours,
            context.spec.probes,
            image_check,
            scheduler=scheduler,
            lease_gate=gate.middleware,
            now=context.held_leases.clock,
        )
        async with open_run(run_context) as run:
            yield Session(context, SessionParts(run, assignments, ledger, writer, gate))
