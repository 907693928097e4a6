"""Names to addresses: asked once, kept for a while, and every failure told apart."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, Protocol, runtime_checkable

from crawler.errors import DnsFailure, FetchError, NoSuchHost

KEPT: Final = 300.0  # seconds an answer without a time to live is kept
KEPT_SHORTLY: Final = 30.0  # seconds it is kept that a name does not exist
THREADS: Final = 32  # look-ups at once where the system's resolver is used

# Each of these says that the name does not exist, or has no address of any family.
ABSENT: Final = frozenset({socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME)})


@dataclass(frozen=True, slots=True)
class Addresses:
    """What the resolver says of one name, and for how many seconds it holds."""

    addresses: tuple[str, ...]
    ttl: float = KEPT


class Resolver(Protocol):
    """Looks one name up.

    Raises NoSuchHost where the name has no address, DnsFailure where nothing is known.
    """

    async def resolve(self, host: str) -> Addresses:
        """Ask for all addresses of a name."""

    async def close(self) -> None:
        """Let go of sockets and threads."""


@runtime_checkable
class Delegations(Protocol):
    """A resolver that can tell who serves a domain; that of the system cannot."""

    async def name_servers(self, domain: str) -> tuple[str, ...]:
        """The names of a registered domain's servers, lower case; none where nobody tells."""


class SystemResolver:
    """The system's own resolver, in threads of its own: a slow look-up holds up nothing else."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(THREADS, "dns")

    async def resolve(self, host: str) -> Addresses:
        """Ask getaddrinfo."""
        loop = asyncio.get_running_loop()
        try:
            found = await loop.run_in_executor(self._threads, _getaddrinfo, host)
        except socket.gaierror as exc:
            raise _explain(host, exc.errno or 0, exc.strerror or "") from exc
        except UnicodeError as exc:
            raise NoSuchHost(f"{host} is no host name") from exc
        return Addresses(found)

    async def close(self) -> None:
        """Forget the look-ups that still run."""
        self._threads.shutdown(wait=False, cancel_futures=True)


def open_resolver() -> Resolver:
    """The best resolver of this machine; call it on the running event loop.

    Name servers are asked directly where aiodns is installed and the system names a server;
    otherwise the system resolves.
    """
    system = SystemResolver()
    try:
        from crawler.fetch.aio_dns import open_dns  # noqa: PLC0415 - it is not installed everywhere
    except ImportError:
        return system
    return open_dns(system)


def _getaddrinfo(host: str) -> tuple[str, ...]:
    found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return tuple(dict.fromkeys(str(entry[4][0]) for entry in found))


def _explain(host: str, code: int, reason: str) -> FetchError:
    if code in ABSENT:
        return NoSuchHost(f"{host} does not exist or has no address", phase="dns")
    return DnsFailure(f"{host} could not be looked up: {reason}", phase="dns")


@dataclass(frozen=True, slots=True)
class _Kept:
    until: float
    addresses: tuple[str, ...] = ()
    error: FetchError | None = None


class AddressBook:
    """Asks each name once while its answer holds, however many targets need it at a time."""

    def __init__(
        self,
        resolver: Resolver,
        *,
        timeout: float = 10.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._resolver, self._timeout, self._clock = resolver, timeout, clock
        self._kept: dict[str, _Kept] = {}
        self._asked: dict[str, asyncio.Task[_Kept]] = {}

    async def resolve(self, host: str) -> tuple[str, ...]:
        """All addresses of a host.

        Raises:
            NoSuchHost: the name does not exist, or has no address.
            DnsFailure: the resolver failed, or did not answer in time.
        """
        kept = self._kept.get(host)
        if kept is None or kept.until < self._clock():
            kept = await self._ask_once(host)
        if kept.error is not None:
            raise type(kept.error)(str(kept.error), phase="dns")
        return kept.addresses

    async def name_servers(self, domain: str) -> tuple[str, ...]:
        """The names of a registered domain's servers; none where nobody tells in time."""
        if not isinstance(self._resolver, Delegations):
            return ()
        with suppress(TimeoutError):
            async with asyncio.timeout(self._timeout):
                return await self._resolver.name_servers(domain)
        return ()

    async def close(self) -> None:
        """End the look-ups under way."""
        for task in self._asked.values():
            task.cancel()
        await asyncio.gather(*self._asked.values(), return_exceptions=True)
        await self._resolver.close()

    def _ask_once(self, host: str) -> Awaitable[_Kept]:
        task = self._asked.get(host)
        if task is None:
            task = self._asked[host] = asyncio.create_task(self._ask(host))
            task.add_done_callback(lambda _: self._asked.pop(host, None))
        # One caller that gives up must not end the look-up of the others.
        return asyncio.shield(task)

    async def _ask(self, host: str) -> _Kept:
        try:
            kept = await self._look_up(host)
        except NoSuchHost as exc:
            kept = _Kept(self._clock() + KEPT_SHORTLY, error=exc)
        except DnsFailure as exc:
            # Nothing is known, so nothing is kept: the next attempt has to ask again.
            return _Kept(self._clock(), error=exc)
        self._kept[host] = kept
        return kept

    async def _look_up(self, host: str) -> _Kept:
        # RFC 6761, 6.4: "invalid" names never exist; asking anybody for them is in vain.
        if host.rstrip(".").rpartition(".")[2] == "invalid":
            raise NoSuchHost(f"{host} cannot exist: .invalid is reserved", phase="dns")
        try:
            async with asyncio.timeout(self._timeout):
                found = await self._resolver.resolve(host)
        except TimeoutError as exc:
            raise DnsFailure(f"no answer about {host} in {self._timeout:g} s", phase="dns") from exc
        if not found.addresses:
            raise NoSuchHost(f"{host} has no address", phase="dns")
        return _Kept(self._clock() + found.ttl, found.addresses)
