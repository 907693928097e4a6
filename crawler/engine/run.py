"""A run in one loop: targets go through lanes to findings, and an observer learns of each."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from crawler.engine.context import FindingStore
from crawler.engine.observer import Observer
from crawler.engine.outage import HeldFinding, Outage, OutageHandler
from crawler.engine.second_pass import SecondPass
from crawler.engine.visit import Visitor
from crawler.errors import LaneClosed
from crawler.fetch.base import Fetch, RequestState, Trace
from crawler.lanes import Permit, Scheduler
from storage.errors import StorageError
from storage.frozen import frozen
from storage.model import Finding, RunEnd, Target

log: Final = logging.getLogger(__name__)
STOP_GRACE: Final = 5.0  # seconds that requests under way get to end, once a run is told to stop


@frozen
class RunParts:
    """What a run is made of.

    `outage` makes its outage watch; `renewals` forget which hosts are down and which names are missing;
    `local_fetch` asks in lanes of this process only.
    """

    scheduler: Scheduler[Target]
    visitor: Visitor
    outage: Callable[[OutageHandler], Outage]
    second: SecondPass
    renewals: Sequence[Callable[[], object]]
    local_fetch: Fetch


class CheckRun:
    """One run in one loop: a `Runner`, and the handler of its scheduler's jobs."""

    def __init__(self, parts: RunParts, store: FindingStore, observer: Observer) -> None:
        self.parts = parts
        self._store = store
        self._observer = observer
        self._failure: StorageError | None = None
        self._outage = parts.outage(self)
        self.ended = RunEnd.FINISHED
        self.dropped_count = 0

    async def check(self, targets: Iterable[tuple[str, Target]]) -> None:
        """Check each target in the lane of its key.

        Raises:
            StorageError: findings or images cannot be kept; what was found before is.
        """
        start = asyncio.get_running_loop().time()
        await self.add(targets)
        await self._ask_all()
        if self.ended == RunEnd.FINISHED:
            await self._ask_again(start)
        if self._failure is not None:
            raise self._failure

    async def add(self, targets: Iterable[tuple[str, Target]]) -> None:
        """Put targets into the lanes of their keys, before or while the others are checked."""
        for key, target in targets:
            finding = self.parts.visitor.at_once(target)
            if finding is None:
                self.parts.scheduler.add(key, target)
            else:
                await self._keep(finding)

    async def _ask_all(self) -> None:
        """Ask all that is in the lanes, until nothing is left to ask or to doubt."""
        outage, scheduler = self._outage, self.parts.scheduler
        while True:
            await scheduler.run(self)
            if self.ended == RunEnd.FINISHED:
                await outage.settle()
            else:
                outage.close()
            await self._keep_believed()
            if self.ended != RunEnd.FINISHED or not scheduler.left:
                return

    async def _ask_again(self, start: float) -> None:
        """Ask once more what failed for the time being, each lane when its time has come."""
        scheduler = self.parts.scheduler
        visits = [
            (visit, at)
            for visit, at in self.parts.second.take(start, asyncio.get_running_loop().time())
            if scheduler.lane(visit.lane).closed is None
        ]
        if not visits:
            return
        self._renew()
        self._observer.said(f"{len(visits)} targets failed for the time being and are asked once more")
        for visit, at in visits:
            scheduler.delay_until(scheduler.lane(visit.lane), at)
            scheduler.add(visit.lane, visit.target)
        await self._ask_all()

    async def work(self, target: Target, permit: Permit[Target]) -> None:
        """Check one target, starting with a permit in its lane; a defect costs this target alone."""
        try:
            await self._work(target, permit)
        except Exception:  # noqa: BLE001 - the last resort, which logs it
            await self._keep_crashed(target)

    async def _keep_crashed(self, target: Target) -> None:
        """Keep a finding on a target whose check met the exception that is being handled."""
        finding = self.parts.visitor.crashed(target, Trace())
        if self.parts.second.asks(target.id):
            return  # the finding of the first pass holds
        try:
            await self._store.put(finding)
        except StorageError as exc:
            self._fail(exc, "the database takes no more findings")
        except Exception:
            log.exception("no finding could be kept of target %d", target.id)

    async def _work(self, target: Target, permit: Permit[Target]) -> None:
        parts, lane = self.parts, permit.lane.key
        if parts.second.in_vain(target, lane):
            parts.scheduler.release_unused(permit)
            return
        trace = Trace(state=RequestState(permit=permit, single_attempt=parts.second.asks(target.id)))
        try:
            finding = await parts.visitor.visit(target, trace)
        except StorageError as exc:
            self._fail(exc, "the image cache takes no more images")
            return
        finally:
            if trace.state.permit is not None:
                parts.scheduler.release_unused(permit)
        if self._outage.doubts(finding):
            self._outage.hold(lane, target, finding)
        else:
            await self._believe(lane, target, finding)
        await self._keep_believed()

    def dropped(self, target: Target, reason: LaneClosed) -> None:  # noqa: ARG002 - as the scheduler calls it
        """Leave out a target that was not reached: it stays due, and there is nothing to say of it."""
        if not self.parts.second.asks(target.id):
            self.dropped_count += 1

    async def _keep_believed(self) -> None:
        for settled_finding in self._outage.take_settled():
            self.parts.second.note(
                settled_finding.lane, settled_finding.target, settled_finding.finding, settled_finding.at
            )
            await self._keep(settled_finding.finding)

    async def _believe(self, lane: str, target: Target, finding: Finding) -> None:
        self.parts.second.note(lane, target, finding, asyncio.get_running_loop().time())
        await self._keep(finding)

    async def _keep(self, finding: Finding) -> None:
        """Keep a finding and tell of it once; a store that fails ends the run."""
        outcome = self.parts.second.combined(finding)
        if outcome is None:
            return
        try:
            await self._store.put(outcome)
        except StorageError as exc:
            self._fail(exc, "the database takes no more findings")
        if not self.parts.second.asks(outcome.target):
            self._observer.found(outcome)

    def _fail(self, exc: StorageError, why: str) -> None:
        self._failure = self._failure or exc
        self.stop(RunEnd.FAILED, why)

    def stop(self, run_end: RunEnd, why: str) -> None:
        """Start nothing more; give what is under way a moment to end."""
        if self.ended == RunEnd.FINISHED:
            self.ended = run_end
            self.parts.scheduler.stop(LaneClosed(why))
            asyncio.get_running_loop().call_later(STOP_GRACE, self.parts.scheduler.abort)

    def abort(self, run_end: RunEnd, why: str) -> None:
        """End at once."""
        self.stop(run_end, why)
        self.ended = run_end
        self.parts.scheduler.abort()

    def recheck(self, suspect: HeldFinding) -> None:
        """Check a target anew: this machine was off line, and no longer is."""
        self._renew()
        self.parts.scheduler.add(suspect.lane, suspect.target)

    def _renew(self) -> None:
        for forget in self.parts.renewals:
            forget()

    def give_up(self, reason: str) -> None:
        """End the run: this machine stays off line."""
        self._observer.said(reason)
        self.stop(RunEnd.OUTAGE, reason)
