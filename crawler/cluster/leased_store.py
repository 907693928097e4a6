"""Where the findings of a worker go: to the database, under the lease that each target was asked under."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from crawler.cluster.assignments import Assignments
from crawler.cluster.worker_context import WorkerContext
from crawler.engine.observer import NullObserver
from crawler.lanes import Scheduler
from storage.ledger import Advance, Ledger
from storage.ledger.writer import LedgerWriter
from storage.model import Finding, Target
from storage.shards import FencedWriter, WorkerHooks


class LeasedStore(NullObserver):
    """Store and observer of a worker's run: keeps what closes one of its targets, and reports that alone."""

    def __init__(self, context: WorkerContext, assignments: Assignments, ledger: Ledger) -> None:
        self._context = context
        self._assignments = assignments
        self._ledger = ledger

    async def put(self, finding: Finding) -> None:
        """Keep a finding, if it closes an open target of this worker."""
        if self._assignments.takes(finding):
            await self._ledger.put(finding)
            self._context.finding_count += 1
            self._context.observer.found(finding)

    def said(self, text: str) -> None:
        """Hand a sentence over."""
        self._context.observer.said(text)


class DatabaseBrake:
    """Starts nothing while findings have to wait: what is not written may have to be asked again."""

    def __init__(self, scheduler: Scheduler[Target]) -> None:
        self._scheduler = scheduler
        self._waits = False

    def set(self, *, waits: bool) -> None:
        """Pause or resume the run."""
        if waits == self._waits:
            return
        self._waits = waits
        if waits:
            self._scheduler.pause()
        else:
            self._scheduler.resume()


def fenced_writer(
    context: WorkerContext, assignments: Assignments, scheduler: Scheduler[Target], judge: Advance
) -> FencedWriter:
    """What writes the findings of a worker; it calls back from its thread into the loop of this one."""
    loop = asyncio.get_running_loop()
    brake = DatabaseBrake(scheduler)

    def lost(epochs: Mapping[int, int]) -> None:
        loop.call_soon_threadsafe(assignments.forget, epochs)

    def stuck(waits: bool) -> None:  # noqa: FBT001 - a callback
        loop.call_soon_threadsafe(lambda: brake.set(waits=waits))

    hooks = WorkerHooks(assignments.lease_of, assignments.pauses, lost, stuck)
    inner = LedgerWriter(context.engine, context.run, judge)
    return FencedWriter(context.engine, context.run.id, inner, context.leases.seconds, hooks)
