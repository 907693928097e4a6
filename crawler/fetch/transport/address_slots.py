"""Slots at addresses: how many connections one address may have at once."""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict, deque
from collections.abc import Sequence


class NoFreeSlot(Exception):
    """None of these addresses has a free slot; nothing was sent. It never leaves `address_limit`."""

    def __init__(self, addresses: Sequence[str]) -> None:
        super().__init__(f"no free slot at {', '.join(addresses)}")
        self.addresses = addresses


class AddressSlots:
    """Counts the connections in use at each address, up to a limit; first come, first served."""

    def __init__(self, slots_per_address: int) -> None:
        self._slots_per_address = slots_per_address
        self._used: Counter[str] = Counter()
        self._waiting: dict[str, deque[asyncio.Future[str]]] = defaultdict(deque)

    def __len__(self) -> int:
        """How many slots are taken, at all addresses."""
        return self._used.total()

    def take(self, addresses: Sequence[str]) -> list[str]:
        """Take one slot at each address that has a free one; return those addresses."""
        free_addresses = [address for address in addresses if self._used[address] < self._slots_per_address]
        self._used.update(free_addresses)
        return free_addresses

    async def wait(self, addresses: Sequence[str]) -> str:
        """Wait for a slot at one of several addresses; the slot is taken."""
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
        """Give a slot back: to the first that waits for it, if any."""
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
