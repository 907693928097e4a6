"""Contact with the network: who answered last, who fails since, and whether anybody answers still.

A host that refuses, hangs after the connection, or speaks nonsense is contact all the same: bytes
came back. No contact are the failures that a cut cable makes, too.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Final

from crawler.errors import DnsFailure, FetchError, LocalFault, NoSuchHost, Timeout, Unreachable
from crawler.fetch.base import Answer, Fetch, Request, Trail
from crawler.urls import host_of, origin_of

SILENCE: Final = (DnsFailure, LocalFault, NoSuchHost, Unreachable)
UNHEARD: Final = frozenset({"dns", "connect"})  # phases in which a time-out is no contact
LANES: Final = 3  # lanes that fail in a row before anybody wonders
BLIND: Final = 5  # as many, where nobody ever answered and time-outs are all there is
CANARIES: Final = 3
TIMEOUT: Final = 5.0  # seconds for a canary


def is_silence(error: FetchError) -> bool:
    """Whether this failure may be this machine's own."""
    if isinstance(error, Timeout):
        return error.phase in UNHEARD
    return isinstance(error, SILENCE)


class Contact:
    """Sees every hop. `canaries` are URLs; without any, the hosts that answered last are asked.

    `heard` is called when somebody answers after others failed.
    """

    def __init__(self, lane_of: Callable[[str], str], canaries: Sequence[str] = ()) -> None:
        self._lane_of, self._canaries = lane_of, tuple(canaries)
        self._failing: dict[str, FetchError] = {}
        self._answered: dict[str, str] = {}
        self._patience = LANES
        self._http: Fetch | None = None
        self.heard: Callable[[], None] = lambda: None

    def layer(self, fetch: Fetch) -> Fetch:
        """Note what comes back from the network, hop by hop."""
        self._http = fetch

        async def ask(request: Request) -> Answer:
            try:
                answer = await fetch(request)
            except FetchError as exc:
                self._failed(request.url, exc) if is_silence(exc) else self._reached()
                raise
            self._answered_by(request.url)
            return answer

        return ask

    @property
    def doubtful(self) -> bool:
        """Whether nobody was heard since the last failure."""
        return bool(self._failing)

    @property
    def suspicious(self) -> bool:
        """Whether so many lanes failed in a row that the canaries should be asked."""
        return len(self._failing) >= self._patience

    def _failed(self, url: str, error: FetchError) -> None:
        self._failing[self._lane_of(host_of(url))] = error

    def _answered_by(self, url: str) -> None:
        host = host_of(url)
        self._answered.pop(host, None)
        self._answered[host] = url
        if len(self._answered) > CANARIES:
            del self._answered[next(iter(self._answered))]
        self._reached()

    def _reached(self) -> None:
        self._patience = LANES
        if self._failing:
            self._failing.clear()
            self.heard()

    async def alive(self) -> bool | None:
        """Ask the canaries whether this machine is on line; None if nobody can tell."""
        urls = self._canaries or [f"{origin_of(url)}/" for url in self._answered.values()]
        if not urls:
            return False if self._blind() else None
        found = await asyncio.gather(*(self._ask(url) for url in urls))
        if not any(found):
            return False
        # The failures are those of the targets: wonder again only when twice as many fail.
        self._patience = 2 * max(self._patience, len(self._failing))
        self._failing.clear()
        return True

    async def _ask(self, url: str) -> bool:
        if self._http is None:
            raise RuntimeError("the layer is not in its place yet")
        try:
            await self._http(Request(url, "HEAD", trail=Trail(left=TIMEOUT, counted=False)))
        except FetchError as exc:
            return not is_silence(exc)
        return True

    def _blind(self) -> bool:
        """Whether nothing at all was heard in this run, in a way that no list of dead links explains.

        A name that does not exist says nothing here, and a handful of hosts may well hang.
        """
        self._patience = len(self._failing) + 1
        failures = [error for error in self._failing.values() if not isinstance(error, NoSuchHost)]
        own = [error for error in failures if not isinstance(error, Timeout)]
        return len(own) >= LANES or len(failures) >= BLIND
