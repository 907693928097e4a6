"""A run: targets through lanes to findings, and word of each to an observer."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Final, Protocol

from crawler.errors import LaneClosed
from crawler.fetch.base import Trail
from crawler.lanes import Seat, Turnstile
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

    def said(self, text: str) -> None:
        """Something that a person should know, one sentence."""


class Store(Protocol):
    """Where findings go."""

    async def put(self, finding: Finding) -> None:
        """Keep one finding."""


class Running:
    """One run under way: `turnstile` and `visitor` are set once, by the composition root."""

    turnstile: Turnstile[Target]
    visitor: Visitor

    def __init__(self, store: Store, observer: Observer) -> None:
        self._store, self._observer = store, observer
        self._turned_away: list[Finding] = []
        self._failure: StorageError | None = None
        self.ended = "finished"

    async def check(self, targets: Iterable[tuple[str, Target]]) -> None:
        """Check each target in the lane of its key.

        Raises:
            StorageError: findings cannot be kept; what was found before is.
        """
        for key, target in targets:
            finding = self.visitor.at_once(target)
            if finding is None:
                self.turnstile.add(key, target)
            else:
                await self.found(finding)
        await self.turnstile.run()
        for finding in self._turned_away:
            await self.found(finding)
        if self._failure is not None:
            raise self._failure

    async def work(self, target: Target, seat: Seat[Target]) -> None:
        """Check one target, starting with a seat in its lane."""
        trail = Trail(seat=seat)
        finding = await self.visitor.visit(target, trail)
        if trail.seat is not None:
            self.turnstile.return_(seat)
        await self.found(finding)

    def dropped(self, target: Target, why: LaneClosed) -> None:
        """Note a target whose lane was closed; one that a stopped run did not reach needs none."""
        if why.until is not None:
            self._turned_away.append(self.visitor.dropped(target, why))

    async def found(self, finding: Finding) -> None:
        """Keep a finding and tell of it; a store that fails ends the run."""
        try:
            await self._store.put(finding)
        except StorageError as exc:
            self._failure = self._failure or exc
            self.stop("failed", "the database takes no more findings")
        self._observer.found(finding)

    def stop(self, ended: str, why: str) -> None:
        """Start nothing more; give what is under way a moment to end."""
        if self.ended == "finished":
            self.ended = ended
            self.turnstile.stop(LaneClosed(why))
            asyncio.get_running_loop().call_later(GRACE, self.turnstile.abort)

    def abort(self, ended: str, why: str) -> None:
        """End at once."""
        self.stop(ended, why)
        self.ended = ended
        self.turnstile.abort()
