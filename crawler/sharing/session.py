"""One set of parts of a worker: shards come and go, and their targets are asked as in any run.

It ends with the work, or when the leases ended before they were renewed: then nothing that is
under way goes on, and another session begins anew.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import Final

from crawler.history import advance
from crawler.run import Running
from crawler.sharing.crew import Crew, picture_check_of
from crawler.sharing.desk import Desk
from crawler.sharing.gate import Gate
from crawler.sharing.policy import surplus, wanted
from crawler.sharing.tenure import Holding, Word
from crawler.wiring import evidence, freshness, lanes_of, open_running
from storage.errors import LedgerError
from storage.ledger import Advance, Ledger
from storage.ledger.writer import Writer
from storage.model import Finding
from storage.shards import FencedWriter, Scene, Ties

LOST: Final = "lost"  # how a session ends whose leases did
OVER: Final = "over"  # how it ends when the whole run did, elsewhere
WHY_LOST: Final = "the database was not reached before the leases of this worker ended"


class Session:
    """Asks what the crew has leased; to its run, it is store and observer."""

    def __init__(self, crew: Crew) -> None:
        self._crew = crew
        self._loop = asyncio.get_running_loop()
        self.gate = Gate(crew.tenure, crew.slots, crew.plan.shards, self._interval)
        self._running: Running | None = None
        self._desk: Desk | None = None
        self._ledger: Ledger | None = None
        self._writer: FencedWriter | None = None
        self._fed = asyncio.Lock()
        self._waits = False
        self._stirred = asyncio.Event()
        self._agreeing: set[asyncio.Task[None]] = set()

    def equip(self, running: Running, judge: Advance) -> FencedWriter:
        """Take the parts, which know this session themselves; return what writes its findings."""
        crew = self._crew
        desk = Desk(crew.tenure, running.parts.turnstile, crew.plan.shards, lanes_of(crew.joint.config))
        inner = Writer(crew.engine, crew.run, judge)

        def lost(epochs: Mapping[int, int]) -> None:
            self._loop.call_soon_threadsafe(desk.forget, epochs)

        def stuck(waits: bool) -> None:  # noqa: FBT001 - a callback
            self._loop.call_soon_threadsafe(self._wait_for_database, waits)

        ties = Ties(desk.lease_of, desk.pauses, lost, stuck)
        writer = FencedWriter(crew.engine, crew.run.id, inner, crew.leases.seconds, ties)
        self._running, self._desk, self._writer = running, desk, writer
        return writer

    def write_to(self, ledger: Ledger) -> None:
        """Where findings go."""
        self._ledger = ledger

    @property
    def running(self) -> Running:
        """The run that asks."""
        if self._running is None:
            raise RuntimeError("the session has no parts yet")
        return self._running

    @property
    def desk(self) -> Desk:
        """What is to be asked."""
        if self._desk is None:
            raise RuntimeError("the session has no parts yet")
        return self._desk

    def _interval(self, lane: str) -> float:
        return self.running.parts.turnstile.lane(lane).interval

    async def put(self, finding: Finding) -> None:
        """Keep a finding, if it is a word on a target of ours."""
        if self._ledger is not None and self.desk.takes(finding):
            await self._ledger.put(finding)
            self._crew.found += 1
            self._crew.observer.found(finding)

    def found(self, finding: Finding) -> None:
        """Tell nobody: `put` has told what is kept."""

    def said(self, text: str) -> None:
        """Hand a sentence over."""
        self._crew.observer.said(text)

    def read(self, records: int, links: int) -> None:
        """Nothing is read here."""

    def planned(self, total: int, lanes: int) -> None:
        """Nothing is planned here."""

    def left(self, targets: int, workers: int) -> None:
        """The run here knows of its own part only."""

    def judging(self) -> None:
        """Nothing is judged here."""

    @property
    def ended(self) -> str:
        """How the run here ended, if that ends the worker, too: "" where another session goes on."""
        ended = self.running.ended
        return "finished" if ended == OVER else "" if ended in {"finished", LOST} else ended

    def _wait_for_database(self, waits: bool) -> None:  # noqa: FBT001 - a callback
        """Start nothing while findings have to wait: what is not written may have to be asked again."""
        if waits != self._waits:
            self._waits = waits
            turnstile = self.running.parts.turnstile
            (turnstile.pause if waits else turnstile.resume)()

    def stir(self) -> None:
        """Look at once whether there is something to do."""
        self._stirred.set()

    def give_up(self) -> None:
        """Wait no longer for a database that is away."""
        if self._writer is not None:
            self._writer.give_up()

    async def work(self) -> bool:
        """Ask wave after wave; return whether no shard of the run is open.

        Raises:
            StorageError: the database or the cache cannot be used, and that will not pass.
        """
        watching = asyncio.create_task(self._watch())
        try:
            while self.running.ended == "finished":
                scene = await self._take()
                if self._crew.tenure.holdings():
                    await self._wave()
                elif scene.ended or not scene.shards:
                    return True
                else:
                    await self._pause()
        finally:
            watching.cancel()
        return False

    async def _watch(self) -> None:
        """End at once when the leases are over: nothing that was sent may outlive them."""
        while (left := self._crew.tenure.left) > 0:  # noqa: ASYNC110 - only the clock tells when that is
            await asyncio.sleep(left)
        self.running.abort(LOST, WHY_LOST)

    async def _wave(self) -> None:
        """Ask all that is there, and what comes meanwhile; then the shards are done."""
        self._crew.idle = False
        over = asyncio.Event()
        tending = asyncio.create_task(self._tend(over))
        try:
            await self.running.check(())
        finally:
            # Not cancelled: a claim that nobody waits for would leave a shard that nobody asks.
            over.set()
            self._stirred.set()
            await tending
        if self.running.ended == "finished":
            await self._finish()
        self._crew.idle = True

    async def _tend(self, over: asyncio.Event) -> None:
        """Take more, and give back what is too much, as long as a wave goes on."""
        await self._pause()
        while not over.is_set() and self.running.ended == "finished":
            scene = await self._take()
            held = {
                one.lease.number: len(one.open) for one in self._crew.tenure.holdings() if not one.leaving
            }
            for number in surplus(scene, held):
                holding = self._crew.tenure.holding(number)
                if holding is not None:
                    self.desk.withdraw(holding)
            await self._release([one for one in self._leaving() if self.desk.quiet(one)])
            await self._pause()

    def _leaving(self) -> list[Holding]:
        return [one for one in self._crew.tenure.holdings() if one.leaving]

    async def _take(self) -> Scene:
        """Lease what this worker should have more, and put it into the lanes."""
        crew = self._crew
        async with self._fed:
            scene = await crew.patience.call(crew.leases.scene)
            crew.workers = scene.workers
            crew.observer.left(scene.targets, scene.workers)
            held = crew.tenure.holdings()
            open_ = [len(one.open) for one in held if one.open]
            budget, most = wanted(scene, len(open_), sum(open_))
            if most and not scene.ended:
                for holding in await crew.patience.call(crew.tenure.claim, budget, most):
                    await self._lay(holding)
        return scene

    async def _lay(self, holding: Holding) -> None:
        work = await self._crew.patience.call(self._crew.leases.work, holding.lease)
        pairs = self.desk.lay(holding, work)
        for lane in work.visited:
            self.gate.visit(lane)
        await self.running.add(pairs)

    async def _finish(self) -> None:
        """Call done what is done; what is open all the same is given back."""
        if self._ledger is not None:
            await self._ledger.flush()
        holdings = self._crew.tenure.holdings()
        forgone = self.desk.closed(holdings)
        whole = [one for one in holdings if not one.leaving and one.open <= set(forgone)]
        done = self._crew.tenure.drop([one.lease.number for one in whole])
        await self._crew.patience.call(self._crew.leases.finish, done, forgone)
        await self._release([one for one in holdings if one not in whole])

    async def _release(self, holdings: list[Holding]) -> None:
        """Give shards back, once all that is known of them is written."""
        if not holdings or self._ledger is None or self._writer is None:
            return
        await self._ledger.flush()
        epochs = {one.lease.number: one.lease.epoch for one in holdings}
        await self._crew.patience.call(self._writer.park, epochs)
        self._crew.tenure.drop(epochs)
        await self._crew.patience.call(self._crew.leases.release, epochs)

    async def leave(self) -> None:
        """Give everything back, in good order if the leases are still good."""
        for holding in self._crew.tenure.holdings():
            self.desk.withdraw(holding)
        await self._release(self._crew.tenure.holdings())

    async def _pause(self) -> None:
        self._stirred.clear()
        try:
            await asyncio.wait_for(self._stirred.wait(), self._crew.every)
        except TimeoutError:
            return

    def hear(self, word: Word) -> None:
        """Do what a renewal told."""
        self.desk.forget(word.lost)
        if word.ended:
            self.running.stop(OVER, "the run has ended")
        agreed: dict[str, tuple[int, float]] = {}
        for lane, number in word.visited:
            holding = self._crew.tenure.holding(number)
            if holding is not None:
                self.gate.visit(lane)
                agreed[lane] = (holding.lease.epoch, self.desk.wait_of(lane))
        if agreed:
            task = asyncio.create_task(self._agree(agreed))
            self._agreeing.add(task)
            task.add_done_callback(self._agreeing.discard)

    async def _agree(self, waits: dict[str, tuple[int, float]]) -> None:
        with suppress(LedgerError):  # the next renewal tells of them again
            await asyncio.to_thread(self._crew.slots.agree, waits)


@asynccontextmanager
async def open_session(crew: Crew) -> AsyncIterator[Session]:
    """A session, with all that it needs of network, cache and database."""
    joint, session = crew.joint, Session(crew)
    async with (
        picture_check_of(crew) as image,
        open_running(
            joint.config,
            joint.detours,
            session,
            session,
            image=image,
            gate=session.gate.layer,
            probes=joint.probes,
            now=crew.tenure.clock,
        ) as running,
    ):
        judge = partial(advance, evidence=evidence(joint.config), freshness=freshness(joint.config))
        writer = session.equip(running, judge)
        async with Ledger(crew.engine, crew.run, judge, writer=writer) as ledger:
            session.write_to(ledger)
            yield session
