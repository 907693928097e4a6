"""Names to addresses: looked up once, kept for a while, each kind of failure apart."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable, Collection
from contextlib import suppress
from functools import partial
from itertools import chain
from typing import Final

from crawler.errors import DnsFailure, FetchError, NoSuchHost
from crawler.fetch.transport.resolver import Delegations, Renewable, Resolver
from storage.frozen import frozen

RESERVED_NAME_PHASE: Final = "name"  # where a look-up ends that no resolver is asked for
MAX_RECENT_NAMES: Final = 3
NEGATIVE_TTL_SECONDS: Final = 30.0  # seconds it is kept that a name does not exist


@frozen
class _CachedAnswer:
    until: float
    addresses: tuple[str, ...] = ()
    error: FetchError | None = None


class DnsCache:
    """Asks each name once while its answer holds, however many targets need it at a time."""

    def __init__(
        self,
        resolver: Resolver,
        *,
        timeout: float = 10.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._resolver = resolver
        self._timeout = timeout
        self._clock = clock
        self._entries: dict[str, _CachedAnswer] = {}
        self._missing_names: dict[str, _CachedAnswer] = {}
        self._lookups: dict[str, asyncio.Task[_CachedAnswer]] = {}
        self._has_failures = False
        self._retirements: dict[asyncio.Task[None], tuple[asyncio.Task[_CachedAnswer], ...]] = {}
        self._recent_names: deque[str] = deque(maxlen=MAX_RECENT_NAMES)

    def recent_names(self) -> tuple[str, ...]:
        """The names that were found last, so that they are known to exist."""
        return tuple(self._recent_names)

    async def resolve(self, host: str) -> tuple[str, ...]:
        """All addresses of a host.

        Raises:
            NoSuchHost: the name does not exist, or has no address.
            DnsFailure: the resolver failed, or did not answer in time.
        """
        entry = self._entries.get(host) or self._missing_names.get(host)
        if entry is None or entry.until < self._clock():
            entry = await self._ask_once(host)
        if entry.error is not None:
            raise type(entry.error)(str(entry.error), phase=entry.error.phase or "dns")
        return entry.addresses

    async def name_servers(self, domain: str) -> tuple[str, ...]:
        """The names of a registered domain's servers; none where they cannot be had in time."""
        if not isinstance(self._resolver, Delegations):
            return ()
        with suppress(TimeoutError):
            async with asyncio.timeout(self._timeout):
                return await self._resolver.name_servers(domain)
        return ()

    def forget_failures(self) -> None:
        """Look names up anew that were not found: what said so may have been an outage of this machine.

        What is under way is of that outage, too. A resolver that remembers is left for a fresh one, for it
        remembers failures.
        """
        self._missing_names.clear()
        if not self._has_failures:
            return
        self._has_failures = False
        look_ups = tuple(self._lookups.values())
        self._lookups.clear()
        retired_resolver = self._resolver if isinstance(self._resolver, Renewable) else None
        if retired_resolver is not None:
            self._resolver = retired_resolver.fresh()
        retirement = asyncio.create_task(_retire(retired_resolver, look_ups))
        self._retirements[retirement] = look_ups
        retirement.add_done_callback(self._retirements.pop)

    async def close(self) -> None:
        """End the look-ups under way."""
        look_ups = [*self._lookups.values(), *chain.from_iterable(self._retirements.values())]
        for task in look_ups:
            task.cancel()
        await asyncio.gather(*look_ups, return_exceptions=True)
        await asyncio.gather(*self._retirements)
        await self._resolver.close()

    def _ask_once(self, host: str) -> Awaitable[_CachedAnswer]:
        task = self._lookups.get(host)
        if task is None:
            task = self._lookups[host] = asyncio.create_task(self._ask(host))
            task.add_done_callback(partial(self._ended, host))
        # One caller that gives up must not end the look-up of the others.
        return asyncio.shield(task)

    def _ended(self, host: str, task: asyncio.Task[_CachedAnswer]) -> None:
        if self._lookups.get(host) is task:
            del self._lookups[host]

    async def _ask(self, host: str) -> _CachedAnswer:
        try:
            entry = self._entries[host] = await self._look_up(host)
        except NoSuchHost as exc:
            self._has_failures = True
            self._entries.pop(host, None)  # it has ended
            until = self._clock() + NEGATIVE_TTL_SECONDS
            entry = _CachedAnswer(until, error=exc)
            if self._lookups.get(host) is asyncio.current_task():  # else an outage has ended meanwhile
                self._missing_names[host] = entry
        except DnsFailure as exc:
            self._has_failures = True
            # Nothing is known, so nothing is kept: the next attempt has to ask again.
            return _CachedAnswer(self._clock(), error=exc)
        return entry

    async def _look_up(self, host: str) -> _CachedAnswer:
        # RFC 6761, 6.4: "invalid" names never exist; asking anybody for them is in vain.
        if host.rstrip(".").rpartition(".")[2] == "invalid":
            raise NoSuchHost(f"{host} cannot exist: .invalid is reserved", phase=RESERVED_NAME_PHASE)
        try:
            async with asyncio.timeout(self._timeout):
                answer = await self._resolver.resolve(host)
        except TimeoutError as exc:
            raise DnsFailure(f"no answer about {host} in {self._timeout:g} s", phase="dns") from exc
        if not answer.addresses:
            raise NoSuchHost(f"{host} has no address", phase="dns")
        self._recent_names.append(host)
        return _CachedAnswer(self._clock() + answer.ttl, answer.addresses)


async def _retire(resolver: Resolver | None, look_ups: Collection[asyncio.Task[_CachedAnswer]]) -> None:
    """Close a resolver that is asked no more, if there is one, once what it was asked has ended."""
    await asyncio.gather(*look_ups, return_exceptions=True)
    if resolver is not None:
        await resolver.close()
