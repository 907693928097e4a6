"""One address, many names: a limit on the connections in use to it at a time.

Thousands of small sites live at one address, each politely asked in a lane of its own, and
together they would be a flood. So each connection in use takes a slot of the address that it
goes to. A request that finds no slot gives its permit back, waits without permit and socket, and
acquires a permit anew once it holds a slot. A request that holds a permit never waits for a slot,
so there is no deadlock.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from crawler.fetch.base import Fetch, Middleware, Request, Response
from crawler.fetch.transport.address_slots import AddressSlots, NoFreeSlot
from crawler.lanes import Scheduler
from crawler.urls import host_of
from storage.model import Target


def address_limit(
    slots: AddressSlots, scheduler: Scheduler[Target], lane_of: Callable[[str], str]
) -> Middleware:
    """Wait above the permit for a slot at the address of a request, as often as there is none.

    While one request of a lane waits so, the lane starts no new job.
    """

    async def wait_for_slot(request: Request, addresses: Sequence[str]) -> None:
        lane = scheduler.lane(lane_of(host_of(request.url)))
        lane.waiting_for_address += 1
        try:
            request.trace.state.address_slot = await slots.wait(addresses)
        finally:
            lane.waiting_for_address -= 1

    def wrap(fetch: Fetch) -> Fetch:
        async def ask(request: Request) -> Response:
            while True:
                try:
                    return await fetch(request)
                except NoFreeSlot as exc:
                    addresses = exc.addresses
                finally:
                    address = request.trace.state.address_slot
                    request.trace.state.address_slot = None
                    if address is not None:
                        slots.free(address)
                await wait_for_slot(request, addresses)

        return ask

    return wrap
