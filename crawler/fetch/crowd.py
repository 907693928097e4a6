"""One address, many names: never more than so many connections in use to it at a time.

Thousands of small sites live at one address, each politely asked in a lane of its own, and
together they would be a flood. So each connection in use takes a place at the address that it
goes to. A request that finds no place gives its seat back, waits without seat and socket, and
takes a seat anew once it holds a place. Who holds a seat never waits for a place, so nobody can
wait in a circle.
"""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Sequence
from typing import Any

from crawler.fetch.base import Answer, Fetch, Request
from crawler.lanes import Turnstile
from crawler.urls import host_of


class Crowded(Exception):
    """None of these addresses has a place; nothing was sent. It never leaves `crowd`."""

    def __init__(self, addresses: Sequence[str]) -> None:
        super().__init__(f"no place at {', '.join(addresses)}")
        self.addresses = addresses


class Places:
    """Counts the connections in use at each address, `most` at a time; first come, first served."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._used: Counter[str] = Counter()
        self._waiting: dict[str, deque[asyncio.Future[str]]] = defaultdict(deque)

    def __len__(self) -> int:
        """How many places are taken, at all addresses."""
        return self._used.total()

    def take(self, addresses: Sequence[str]) -> list[str]:
        """Take one place at each address that has one; return those addresses."""
        found = [address for address in addresses if self._used[address] < self._most]
        self._used.update(found)
        return found

    async def wait(self, addresses: Sequence[str]) -> str:
        """Wait for a place at one of several addresses; the place is taken."""
        for address in addresses:
            if self.take((address,)):
                return address
        future: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        for address in addresses:
            self._waiting[address].append(future)
        try:
            return await future
        except asyncio.CancelledError:
            if future.done() and not future.cancelled():
                self.free(future.result())
            raise

    def free(self, address: str) -> None:
        """Give a place back: to the first that waits for it, if any."""
        waiting = self._waiting.get(address, ())
        while waiting:
            future = waiting.popleft()
            if not future.done():
                future.set_result(address)
                return
        self._waiting.pop(address, None)
        self._used[address] -= 1
        if not self._used[address]:
            del self._used[address]


def crowd(fetch: Fetch, places: Places, turnstile: Turnstile[Any], lane_of: Callable[[str], str]) -> Fetch:
    """Wait outside for a place at the address of a request, as often as there is none.

    While one request of a lane waits so, the lane starts no new job.
    """

    async def wait(request: Request, addresses: Sequence[str]) -> None:
        lane = turnstile.lane(lane_of(host_of(request.url)))
        lane.crowded += 1
        try:
            request.trail.place = await places.wait(addresses)
        finally:
            lane.crowded -= 1

    async def ask(request: Request) -> Answer:
        while True:
            try:
                return await fetch(request)
            except Crowded as exc:
                addresses = exc.addresses
            finally:
                left, request.trail.place = request.trail.place, None
                if left is not None:
                    places.free(left)
            await wait(request, addresses)

    return ask
