"""Connections: where they go, what they may reach, and in which phase they fail.

aiohttp's connector asks two questions that it keeps to itself: where is this host, and make me a
connection to one of these addresses. Both are answered here instead, so that every way to a
socket passes the guard, takes the operator's detours, and tells connect from handshake.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import partial
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any, Final
from weakref import WeakKeyDictionary

import aiohappyeyeballs
import aiohttp
from aiohttp.abc import ResolveResult

from crawler.errors import BlockedAddress, FetchError, Timeout
from crawler.fetch.bounds import listener
from crawler.fetch.crowd import Crowded, Places
from crawler.fetch.detour import Detour
from crawler.fetch.dns import AddressBook
from crawler.fetch.faults import connect_fault, tls_fault
from crawler.fetch.guard import Guard
from crawler.fetch.tls import Tls, tls_of

if TYPE_CHECKING:
    from aiohttp.client_proto import ResponseHandler
    from aiohttp.client_reqrep import ClientRequest, ConnectionKey
    from aiohttp.connector import Connection
    from aiohttp.tracing import Trace

EYEBALLS: Final = 0.25  # seconds before the other address family is tried too: RFC 8305, 5

FAREWELL: Final = 1.0  # seconds for the other end to say goodbye in TLS; asyncio would wait for 30


@dataclass(slots=True)
class Dial:
    """How one request came to its connection; the connector writes, `Http` reads.

    `places` are the addresses at which it holds a place, if it is `counted`.
    """

    places: list[str] = field(default_factory=list)
    counted: bool = True
    tls: Tls | None = None
    phase: str = "connect"
    reused: bool = False
    address: str | None = None


DIAL: Final[ContextVar[Dial]] = ContextVar("DIAL")


@dataclass(frozen=True, slots=True)
class Way:
    """Where a request goes; `trusted` when the operator wrote the host."""

    host: str
    port: int
    trusted: bool = False


@dataclass(frozen=True, slots=True)
class Dialling:
    """How to dial: seconds for the connection and for the handshake, detours, trusted hosts."""

    connect_timeout: float = 10.0
    tls_timeout: float = 10.0
    detours: Sequence[Detour] = ()
    trusted: frozenset[str] = frozenset()
    headers: Mapping[str, str] = field(default_factory=dict)

    def way(self, host: str, port: int) -> Way:
        """Take the first detour that fits, as curl does."""
        for detour in self.detours:
            if detour.takes(host, port):
                to_host = host if detour.to_host is None else detour.to_host
                to_port = port if detour.to_port is None else detour.to_port
                return Way(to_host, to_port, trusted=detour.to_host is not None)
        return Way(host, port, trusted=host in self.trusted)


def literal(host: str) -> str | None:
    """The address that a host already is, or None."""
    try:
        return str(ip_address(host.partition("%")[0]))
    except ValueError:
        return None


class Dialer(aiohttp.TCPConnector):
    """A connector whose every connection goes to an address that was checked."""

    def __init__(
        self,
        book: AddressBook,
        guard: Guard,
        dialling: Dialling,
        context: ssl.SSLContext,
        places: Places,
    ) -> None:
        super().__init__(ssl=context, limit=0, keepalive_timeout=10, happy_eyeballs_delay=EYEBALLS)
        self._book, self._guard, self._dialling = book, guard, dialling
        self._places = places
        self._factory = listener(self._loop)
        self._counted: WeakKeyDictionary[ResponseHandler, str] = WeakKeyDictionary()
        self._tls: WeakKeyDictionary[ResponseHandler, Tls] = WeakKeyDictionary()

    async def connect(
        self,
        req: ClientRequest,
        traces: list[Trace],
        timeout: aiohttp.ClientTimeout,  # noqa: ASYNC109 - the signature is aiohttp's
    ) -> Connection:
        """Find a connection, kept or new, and a place at its address for as long as it is in use.

        Raises:
            Crowded: there is no place.
        """
        dial = DIAL.get()
        try:
            connection = await super().connect(req, traces, timeout)
        except BaseException:
            self._free(dial)
            raise
        if dial.places:
            place = dial.address if dial.address in dial.places else dial.places[0]
            self._free(dial, but=place)
            connection.add_callback(partial(self._places.free, place))
            if connection.protocol is not None:
                self._counted[connection.protocol] = place
        if req.is_ssl():
            dial.tls = self._tls_of(connection.protocol)
        return connection

    def _tls_of(self, protocol: ResponseHandler | None) -> Tls | None:
        """What a connection says of its TLS, read once for all its requests."""
        if protocol is None:
            return None
        known = self._tls.get(protocol) or tls_of(protocol.transport)
        if known is not None:
            self._tls[protocol] = known
        return known

    def _free(self, dial: Dial, but: str | None = None) -> None:
        for address in dial.places:
            if address != but:
                self._places.free(address)
        dial.places.clear()

    async def _resolve_host(
        self,
        host: str,
        port: int,
        traces: Sequence[Trace] | None = None,  # noqa: ARG002 - aiohttp's
    ) -> list[ResolveResult]:
        """Find the addresses of a host, and pass only if every one of them may be asked."""
        dial = DIAL.get()
        dial.phase = "dns"
        way = self._dialling.way(host, port)
        address = literal(way.host)
        found = (address,) if address else await self._book.resolve(way.host)
        if not way.trusted:
            self._check(way.host, found)
            found = self._with_place(dial, found) if dial.counted else found
        dial.phase = "connect"
        return [_result(host, one, way.port) for one in found]

    def _check(self, host: str, addresses: Sequence[str]) -> None:
        for address in addresses:
            if not self._guard.passes(address):
                named = address if host == address else f"{host} is at {address}, which"
                raise BlockedAddress(f"{named} is not a public address", phase="guard")

    def _with_place(self, dial: Dial, found: Sequence[str]) -> tuple[str, ...]:
        """Those of the addresses that have a place, which is taken at each until one is chosen."""
        dial.places += self._places.take([one for one in found if one not in dial.places])
        usable = tuple(one for one in found if one in dial.places)
        if not usable:
            raise Crowded(found)
        return usable

    async def _get(self, key: ConnectionKey, traces: list[Trace]) -> Connection | None:
        connection = await super()._get(key, traces)
        if connection is None or connection.protocol is None:
            return connection
        dial = DIAL.get()
        dial.reused, dial.phase = True, "read"
        dial.address = _peer(connection.transport)
        place = self._counted.get(connection.protocol)
        if place is not None and dial.counted and place not in dial.places:
            dial.places += self._places.take((place,))
            if place not in dial.places:
                connection.release()
                raise Crowded((place,))
        return connection

    async def _wrap_create_connection(
        self,
        *args: Any,
        addr_infos: list[aiohappyeyeballs.AddrInfoType],
        req: ClientRequest,  # noqa: ARG002 - the signature is aiohttp's
        timeout: aiohttp.ClientTimeout,  # noqa: ARG002, ASYNC109 - as above
        client_error: type[Exception] = aiohttp.ClientConnectorError,  # noqa: ARG002 - as above
        **kwargs: Any,
    ) -> tuple[asyncio.Transport, ResponseHandler]:
        """Connect, then shake hands, each in its own time; raise our own errors."""
        dial = DIAL.get()
        sock = await self._connect(addr_infos)
        dial.phase = "tls" if kwargs.get("ssl") else "read"
        made = await self._shake_hands(sock, args, kwargs)
        dial.phase, dial.address = "read", _peer(made[0])
        return made

    async def _connect(self, addr_infos: list[aiohappyeyeballs.AddrInfoType]) -> socket.socket:
        with _faults("connect", self._dialling.connect_timeout):
            async with asyncio.timeout(self._dialling.connect_timeout):
                return await aiohappyeyeballs.start_connection(
                    addr_infos, happy_eyeballs_delay=EYEBALLS, interleave=1, loop=self._loop
                )

    async def _shake_hands(
        self, sock: socket.socket, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[asyncio.Transport, ResponseHandler]:
        if kwargs.get("ssl"):
            kwargs["ssl_shutdown_timeout"] = FAREWELL
        with _faults("tls", self._dialling.tls_timeout):
            async with asyncio.timeout(self._dialling.tls_timeout):
                made = await self._loop.create_connection(*args, **kwargs, sock=sock)
        return made


@contextmanager
def _faults(phase: str, seconds: float) -> Iterator[None]:
    """Name what went wrong in one phase of a connection."""
    try:
        yield
    except FetchError:
        raise
    except TimeoutError as exc:
        raise Timeout(f"{phase}: nothing within {seconds:g} s", phase=phase) from exc
    except (ssl.SSLError, ssl.CertificateError) as exc:
        raise tls_fault(exc) from exc
    except OSError as exc:
        raise connect_fault(exc, phase) from exc


def _result(name: str, address: str, port: int) -> ResolveResult:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    return ResolveResult(
        hostname=name,
        host=address,
        port=port,
        family=family,
        proto=0,
        flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
    )


def _peer(transport: asyncio.BaseTransport | None) -> str | None:
    peer = transport.get_extra_info("peername") if transport is not None else None
    return str(peer[0]) if peer else None
