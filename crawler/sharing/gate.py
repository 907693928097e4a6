"""The gate next to the network: no request without a lease, nor out of turn in a lane that is shared."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from crawler.errors import LaneClosed
from crawler.fetch.base import Answer, Fetch, Request
from crawler.sharing.tenure import Tenure
from crawler.urls import host_of
from storage.errors import LedgerError
from storage.shards import Slots, passing, shard_of

AGAIN: Final = 0.05  # of a lease: the pause before a question to the database is asked once more


class Gate:
    """Lets a request pass if its lane is this worker's, or when its turn has come.

    `interval` tells how many seconds apart the requests of a lane are to be. `threaded` runs a call
    in a thread.
    """

    def __init__(self, tenure: Tenure, slots: Slots, shards: int, interval: Callable[[str], float]) -> None:
        self._tenure, self._slots, self._shards, self._interval = tenure, slots, shards, interval
        self._visited: set[str] = set()

    def visit(self, lane: str) -> None:
        """From now on this lane of ours is shared: each request in it takes its turn."""
        self._visited.add(lane)

    def layer(self, fetch: Fetch, lane_of: Callable[[str], str]) -> Fetch:
        """Ask only what may be asked.

        Raises:
            LaneClosed: the lease has ended.
        """

        async def ask(request: Request) -> Answer:
            lane = lane_of(host_of(request.url))
            number = shard_of(lane, self._shards)
            if not self._tenure.may_ask(number) or lane in self._visited:
                await self._wait_for_turn(lane, number)
            return await fetch(request)

        return ask

    async def _wait_for_turn(self, lane: str, number: int) -> None:
        own = self._tenure.holding(number) is not None
        if own and not self._tenure.may_ask(number):
            raise LaneClosed("the lease of this lane has ended")
        interval = self._interval(lane)
        while interval:
            wait = await self._turn(lane, number, interval)
            if wait is not None:
                await asyncio.sleep(wait)
                break
            await self._rest()
        if self._tenure.left <= 0:
            raise LaneClosed("the leases of this worker have ended")

    async def _turn(self, lane: str, number: int, interval: float) -> float | None:
        """Seconds until a turn; None if there is none yet, or the database is away."""
        try:
            return await asyncio.to_thread(self._slots.take, lane, number, interval)
        except LedgerError as exc:
            if not passing(exc):
                raise LaneClosed(str(exc)) from exc
            return None

    async def _rest(self) -> None:
        if self._tenure.left <= 0:
            raise LaneClosed("the leases of this worker have ended")
        await asyncio.sleep(self._slots.seconds * AGAIN)
