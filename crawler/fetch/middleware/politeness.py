"""Politeness: every request takes a permit in the lane of its own host, redirects included."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from crawler.errors import ConnectionReset, FetchTimeout, HostPostponed
from crawler.fetch.base import Fetch, Middleware, Request, Response
from crawler.fetch.middleware.host_delays import HostDelays
from crawler.fetch.transport.address_slots import NoFreeSlot
from crawler.lanes import Permit, Scheduler, Signal
from crawler.urls import host_of
from storage.frozen import frozen
from storage.model import Target

OVERLOAD_STATUSES: Final = frozenset({420, 429, 503, 529})  # they tell to slow down


@frozen
class Politeness:
    """Which lane a host belongs to, the longest wait in seconds a run accepts, and UTC as seconds."""

    lane_of: Callable[[str], str]
    max_wait: float
    now: Callable[[], float]


def politeness(scheduler: Scheduler[Target], policy: Politeness) -> Middleware:
    """Acquire a permit, ask, release the permit with what the response says of the lane.

    A host that asked for a wait rests without a permit; the rest of its lane goes on.

    Raises:
        LaneClosed: the lane or the run takes no more requests.
        HostPostponed: the host asked to come back later than this run waits.
    """
    delays = HostDelays(policy.max_wait, policy.now, scheduler.now)

    def wrap(fetch: Fetch) -> Fetch:
        async def ask(request: Request) -> Response:
            permit = await _permit(request, scheduler, policy, delays)
            signal: Signal | None = Signal.NEUTRAL
            try:
                response = await fetch(request)
                signal = Signal.OVERLOADED if response.status in OVERLOAD_STATUSES else Signal.OK
                delays.note(request, response)
            except (ConnectionReset, FetchTimeout) as exc:
                signal = Signal.NEUTRAL if request.is_no_evidence(exc) else Signal.OVERLOADED
                raise
            except NoFreeSlot:
                signal = None
                raise
            finally:
                if signal is None:
                    scheduler.release_unused(permit)
                else:
                    scheduler.release(permit, signal)
            return response

        return ask

    return wrap


async def _permit(
    request: Request, scheduler: Scheduler[Target], policy: Politeness, delays: HostDelays
) -> Permit[Target]:
    """The permit that the visit was started with, if lane and host allow it now; else another."""
    key = policy.lane_of(host_of(request.url))
    permit = request.trace.state.permit
    request.trace.state.permit = None
    while True:
        if permit is None:
            await _wait_for_host(request.url, scheduler, delays)
            permit = await scheduler.acquire(key)
        if permit.lane.key == key and delays.of(request.url) is None:
            return permit
        scheduler.release_unused(permit)
        permit = None


async def _wait_for_host(url: str, scheduler: Scheduler[Target], delays: HostDelays) -> None:
    """Wait until a host may be asked, without a permit."""
    while (delay := delays.of(url)) is not None:
        if delay.postponed is not None:
            raise HostPostponed(str(delay.postponed), delay.postponed.until)
        await scheduler.sleep(delay.until - scheduler.now())
