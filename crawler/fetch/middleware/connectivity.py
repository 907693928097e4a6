"""Contact with the network: which hosts answered last, and which lanes failed since.

A host that refuses or speaks nonsense is contact all the same: bytes came back. No contact are the
failures that a cut cable makes, too, time-outs in every phase among them, nor an answer of what
stands between (RFC 6585, 6: 511).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Final

from crawler.errors import DnsFailure, FetchError, FetchTimeout, LocalFault, NoSuchHost, Unreachable
from crawler.fetch.base import Fetch, Middleware, Request, RequestState, Response, Trace
from crawler.fetch.transport.canary import CanaryNetwork
from crawler.fetch.transport.dns_cache import RESERVED_NAME_PHASE
from crawler.urls import host_of, origin_of

NO_CONTACT_FAULTS: Final = (DnsFailure, FetchTimeout, LocalFault, NoSuchHost, Unreachable)
CAPTIVE_PORTAL_STATUS: Final = 511
SUSPICIOUS_LANES: Final = 3  # lanes that fail in a row before canaries are asked at once
MUTE_LANES: Final = 5  # as many, where no host ever answered and time-outs are all there is
MAX_CANARIES: Final = 3  # hosts
MAX_LOOK_UPS: Final = 50  # at a time, of names that failed
CANARY_TIMEOUT: Final = 5.0  # seconds
# Names that exist as long as there is a domain name system (RFC 1035; root-servers.org).
CONTROL_NAMES: Final = ("a.root-servers.net", "f.root-servers.net", "k.root-servers.net")

OpenCanary = Callable[[], AbstractAsyncContextManager[CanaryNetwork]]


class Connectivity:
    """Counts contacts and failures of every hop, and asks control questions.

    `open_canary` opens a network of its own for them, with connections and look-ups that are new.
    `canaries` are URLs; without any, the hosts that answered last are asked. `recent_names` are names
    that are known to exist; without any, names that must exist are looked up.
    """

    def __init__(
        self,
        open_canary: OpenCanary,
        lane_of: Callable[[str], str],
        canaries: Sequence[str] = (),
        recent_names: Callable[[], Sequence[str]] = tuple,
    ) -> None:
        self._open_canary = open_canary
        self._lane_of = lane_of
        self._canaries = tuple(canaries)
        self._recent_names = recent_names
        self._failures: dict[str, FetchError] = {}
        self._answered: dict[str, str] = {}
        self._reserved_hosts: set[str] = set()
        self._patience = SUSPICIOUS_LANES

    @property
    def suspicious(self) -> bool:
        """Whether so many lanes failed in a row that control questions should be asked at once."""
        return len(self._failures) >= self._patience

    def is_reserved(self, url: str) -> bool:
        """Whether the host of a URL failed without any question to the network."""
        return host_of(url) in self._reserved_hosts

    def failed(self, url: str, error: FetchError) -> None:
        """Note a request that came to no response."""
        host = host_of(url)
        if error.phase == RESERVED_NAME_PHASE:
            self._reserved_hosts.add(host)
        elif isinstance(error, NO_CONTACT_FAULTS):
            self._failures[self._lane_of(host)] = error
        else:
            self._note_contact()

    def answered(self, url: str, status: int) -> None:
        """Note a request that was answered."""
        if status == CAPTIVE_PORTAL_STATUS:
            self._failures[self._lane_of(host_of(url))] = LocalFault("the network wants a login")
            return
        host = host_of(url)
        self._answered.pop(host, None)
        self._answered[host] = url
        if len(self._answered) > MAX_CANARIES:
            del self._answered[next(iter(self._answered))]
        self._note_contact()

    def _note_contact(self) -> None:
        self._patience = SUSPICIOUS_LANES
        self._failures.clear()

    async def alive(self, *, names: bool) -> bool | None:
        """Ask whether this machine is on line; None if there is no way to tell.

        `names`: whether names are found is in doubt, too.
        """
        async with self._open_canary() as network:
            hosts_answer, names_exist = await asyncio.gather(
                self._hosts_answer(network.fetch), self._names_exist(network) if names else _unasked()
            )
        if hosts_answer is False or names_exist is False:
            return False
        if hosts_answer is None and self._mute(names_exist=names_exist is True):
            return False
        if hosts_answer is None and names_exist is None:
            return None
        # The failures are those of the targets: wonder again only when twice as many fail.
        self._patience = 2 * max(self._patience, len(self._failures))
        self._failures.clear()
        return True

    async def existing_names(self, hosts: Collection[str]) -> frozenset[str]:
        """Look names up anew, and return those that are found; none where names are a proxy's affair."""
        async with self._open_canary() as network:
            if network.resolve is None:
                return frozenset()
            look_ups = asyncio.Semaphore(MAX_LOOK_UPS)
            exist = await asyncio.gather(*(_exists(network.resolve, host, look_ups) for host in hosts))
        return frozenset(host for host, exists in zip(hosts, exist, strict=True) if exists)

    async def _hosts_answer(self, fetch: Fetch) -> bool | None:
        urls = self._canaries or [f"{origin_of(url)}/" for url in self._answered.values()]
        if not urls:
            return None
        return any(await asyncio.gather(*(_is_contact(fetch, url) for url in urls)))

    async def _names_exist(self, network: CanaryNetwork) -> bool | None:
        if network.resolve is None:
            return None
        names = self._recent_names() or [host_of(url) for url in self._canaries] or CONTROL_NAMES
        replies = await asyncio.gather(*(network.resolve(name) for name in names), return_exceptions=True)
        return not all(isinstance(reply, FetchError) for reply in replies)

    def _mute(self, *, names_exist: bool) -> bool:
        """Whether no host answered in this run, in a way that no list of dead links explains.

        A name that does not exist says nothing here, and a handful of hosts may well hang; nor does
        one whose servers fail, where others are found.
        """
        self._patience = len(self._failures) + 1
        dns_faults = (NoSuchHost, DnsFailure) if names_exist else (NoSuchHost,)
        failures = [error for error in self._failures.values() if not isinstance(error, dns_faults)]
        local = [error for error in failures if not isinstance(error, FetchTimeout)]
        silent = [
            error for error in failures if not (isinstance(error, FetchTimeout) and error.phase == "read")
        ]
        return len(local) >= SUSPICIOUS_LANES or len(silent) >= MUTE_LANES


async def _unasked() -> None:
    """Ask nothing."""


async def _exists(
    resolve: Callable[[str], Awaitable[object]], host: str, look_ups: asyncio.Semaphore
) -> bool:
    try:
        async with look_ups:
            await resolve(host)
    except FetchError:
        return False
    return True


async def _is_contact(fetch: Fetch, url: str) -> bool:
    state = RequestState(time_left=CANARY_TIMEOUT, takes_slots=False)
    try:
        response = await fetch(Request(url, "HEAD", trace=Trace(state=state)))
    except FetchError as exc:
        return not isinstance(exc, NO_CONTACT_FAULTS)
    return response.status != CAPTIVE_PORTAL_STATUS


def connectivity(contact: Connectivity) -> Middleware:
    """Note what comes back from the network, hop by hop."""

    def wrap(fetch: Fetch) -> Fetch:
        async def ask(request: Request) -> Response:
            try:
                response = await fetch(request)
            except FetchError as exc:
                contact.failed(request.url, exc)
                raise
            contact.answered(request.url, response.status)
            return response

        return ask

    return wrap
