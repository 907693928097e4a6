"""The gate next to the network: no request without a lease, nor out of turn in a lane that is shared."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from crawler.cluster.held_leases import HeldLeases
from crawler.errors import LaneClosed
from crawler.fetch.base import Fetch, Request, Response
from crawler.urls import host_of
from storage.errors import LedgerError
from storage.shards import LaneTurns, is_transient, shard_of

TURN_RETRY_SHARE: Final = 0.05  # of a lease: the pause before a question to the database is asked once more


class LeaseGate:
    """Lets a request pass if its lane is this worker's, or when its turn has come.

    `lane_of` gives the lane of a host, `interval` the seconds between two requests of a lane.
    """

    def __init__(
        self,
        held_leases: HeldLeases,
        turns: LaneTurns,
        shards: int,
        lane_of: Callable[[str], str],
        interval: Callable[[str], float],
    ) -> None:
        self._held_leases = held_leases
        self._turns = turns
        self._shards = shards
        self._lane_of = lane_of
        self._interval = interval
        self._visited: set[str] = set()

    def visit(self, lane: str) -> None:
        """From now on this lane of ours is shared: each request in it takes its turn."""
        self._visited.add(lane)

    def middleware(self, fetch: Fetch) -> Fetch:
        """Ask only what may be asked.

        Raises:
            LaneClosed: the lease has ended.
        """

        async def ask(request: Request) -> Response:
            lane = self._lane_of(host_of(request.url))
            number = shard_of(lane, self._shards)
            if not self._held_leases.may_ask(number) or lane in self._visited:
                await self._wait_for_turn(lane, number)
            return await fetch(request)

        return ask

    async def _wait_for_turn(self, lane: str, number: int) -> None:
        shard = self._held_leases.holding(number)
        if shard is not None and not self._held_leases.may_ask(number):
            raise LaneClosed("the lease of this lane has ended")
        interval = self._interval(lane)
        while interval:
            wait = await self._turn(lane, number, interval)
            if wait is not None:
                await asyncio.sleep(wait)
                break
            await self._rest()
        if self._held_leases.left <= 0:
            raise LaneClosed("the leases of this worker have ended")

    async def _turn(self, lane: str, number: int, interval: float) -> float | None:
        """Seconds until a turn; None if there is none yet, or the database is away."""
        try:
            return await asyncio.to_thread(self._turns.take, lane, number, interval)
        except LedgerError as exc:
            if not is_transient(exc):
                raise LaneClosed(str(exc)) from exc
            return None

    async def _rest(self) -> None:
        if self._held_leases.left <= 0:
            raise LaneClosed("the leases of this worker have ended")
        await asyncio.sleep(self._turns.seconds * TURN_RETRY_SHARE)
