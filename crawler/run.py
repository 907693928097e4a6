"""A run: targets through lanes to findings, and word of each to an observer."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final, Protocol

from crawler.errors import LaneClosed
from crawler.fetch.base import Trail
from crawler.lanes import Seat, Turnstile
from crawler.outage import Held, Outage
from crawler.second_pass import SecondPass
from crawler.visit import Visitor
from storage.errors import StorageError
from storage.model import Finding, Target

GRACE: Final = 5.0  # seconds that requests under way get to end, once a run is told to stop


class Observer(Protocol):
    """Who wants to see a run as it goes; every call is quick and never raises."""

    def read(self, records: int, links: int) -> None:
        """So many records and links were read by now."""

    def planned(self, total: int, lanes: int) -> None:
        """So many targets in so many lanes are due."""

    def found(self, finding: Finding) -> None:
        """One target was checked."""

    def left(self, targets: int, workers: int) -> None:
        """So many targets are left of a run that others help with; `workers` counts all at it."""

    def judging(self) -> None:
        """Nothing is asked any more; links are judged now."""

    def said(self, text: str) -> None:
        """Something that a person should know, one sentence."""


class Store(Protocol):
    """Where findings go."""

    async def put(self, finding: Finding) -> None:
        """Keep one finding."""


@dataclass(frozen=True, slots=True)
class Parts:
    """What a run is made of; `renew` forgets which hosts are down."""

    turnstile: Turnstile[Target]
    visitor: Visitor
    outage: Outage
    second: SecondPass
    renew: Callable[[], None]


class Running:
    """One run under way; `assemble` is called once, by the composition root."""

    def __init__(self, store: Store, observer: Observer) -> None:
        self._store, self._observer = store, observer
        self._turned_away: list[Finding] = []
        self._failure: StorageError | None = None
        self._parts: Parts | None = None
        self.ended = "finished"

    def assemble(self, parts: Parts) -> None:
        """Take the parts, which know this run themselves."""
        self._parts = parts
        parts.outage.again = self._check_anew
        parts.outage.over = self._off_line

    @property
    def parts(self) -> Parts:
        """The parts of this run."""
        if self._parts is None:
            raise RuntimeError("the run has no parts yet")
        return self._parts

    async def check(self, targets: Iterable[tuple[str, Target]]) -> None:
        """Check each target in the lane of its key.

        Raises:
            StorageError: findings or images cannot be kept; what was found before is.
        """
        started = asyncio.get_running_loop().time()
        await self.add(targets)
        await self._ask_all()
        if self.ended == "finished":
            await self._ask_again(started)
        turned_away, self._turned_away = self._turned_away, []
        for finding in turned_away:
            await self._keep(finding)
        if self._failure is not None:
            raise self._failure

    async def add(self, targets: Iterable[tuple[str, Target]]) -> None:
        """Put targets into the lanes of their keys, before or while the others are checked."""
        for key, target in targets:
            finding = self.parts.visitor.at_once(target)
            if finding is None:
                self.parts.turnstile.add(key, target)
            else:
                await self._keep(finding)

    async def _ask_all(self) -> None:
        """Ask all that is in the lanes, until nothing is left to ask or to doubt."""
        outage, turnstile = self.parts.outage, self.parts.turnstile
        while True:
            await turnstile.run()
            if self.ended == "finished":
                await outage.settle()
            else:
                outage.close()
            await self._keep_believed()
            if self.ended != "finished" or not turnstile.left:
                return

    async def _ask_again(self, started: float) -> None:
        """Ask once more what failed for the time being, each lane when its time has come."""
        turnstile = self.parts.turnstile
        failed = list(self.parts.second.take(started, asyncio.get_running_loop().time()))
        failed = [(one, at) for one, at in failed if turnstile.lane(one.lane).closed is None]
        if not failed:
            return
        self.parts.renew()
        self._observer.said(f"{len(failed)} targets failed for the time being and are asked once more")
        for one, at in failed:
            turnstile.hold(turnstile.lane(one.lane), at)
            turnstile.add(one.lane, one.target)
        await self._ask_all()

    async def work(self, target: Target, seat: Seat[Target]) -> None:
        """Check one target, starting with a seat in its lane."""
        parts, lane = self.parts, seat.lane.key
        if parts.second.in_vain(target, lane):
            parts.turnstile.return_(seat)
            return
        trail = Trail(seat=seat, once=parts.second.asks(target.id))
        try:
            finding = await parts.visitor.visit(target, trail)
        except StorageError as exc:
            self._fail(exc, "the image cache takes no more images")
            return
        finally:
            if trail.seat is not None:
                parts.turnstile.return_(seat)
        if parts.outage.doubts(finding):
            parts.outage.hold(Held(lane, target, finding))
        else:
            await self._believe(lane, target, finding)
        await self._keep_believed()

    def dropped(self, target: Target, why: LaneClosed) -> None:
        """Note a target whose lane was closed; one that a stopped run did not reach needs none."""
        if why.until is not None:
            self._turned_away.append(self.parts.visitor.dropped(target, why))

    async def _keep_believed(self) -> None:
        for held in self.parts.outage.believed():
            await self._believe(held.lane, held.target, held.finding)

    async def _believe(self, lane: str, target: Target, finding: Finding) -> None:
        self.parts.second.note(lane, target, finding, asyncio.get_running_loop().time())
        await self._keep(finding)

    async def _keep(self, finding: Finding) -> None:
        """Keep a finding and tell of it once; a store that fails ends the run."""
        word = self.parts.second.word(finding)
        if word is None:
            return
        try:
            await self._store.put(word)
        except StorageError as exc:
            self._fail(exc, "the database takes no more findings")
        if not self.parts.second.asks(word.target):
            self._observer.found(word)

    def _fail(self, exc: StorageError, why: str) -> None:
        self._failure = self._failure or exc
        self.stop("failed", why)

    def stop(self, ended: str, why: str) -> None:
        """Start nothing more; give what is under way a moment to end."""
        if self.ended == "finished":
            self.ended = ended
            self.parts.turnstile.stop(LaneClosed(why))
            asyncio.get_running_loop().call_later(GRACE, self.parts.turnstile.abort)

    def abort(self, ended: str, why: str) -> None:
        """End at once."""
        self.stop(ended, why)
        self.ended = ended
        self.parts.turnstile.abort()

    def _check_anew(self, held: Held) -> None:
        self.parts.renew()
        self.parts.turnstile.add(held.lane, held.target)

    def _off_line(self, sentence: str) -> None:
        self._observer.said(sentence)
        self.stop("outage", sentence)
