"""Connections: where they go, what they may reach, and in which phase they fail.

aiohttp's connector asks two questions that it keeps to itself: where is this host, and make me a
connection to one of these addresses. Both are answered here instead, so that every way to a
socket passes the guard, obeys `--connect-to`, and tells connect from handshake.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Final
from weakref import WeakKeyDictionary

import aiohappyeyeballs
import aiohttp
from aiohttp.abc import ResolveResult

from crawler.errors import BlockedAddress, LocalFault
from crawler.fetch.transport.address_guard import AddressGuard
from crawler.fetch.transport.address_slots import AddressSlots, NoFreeSlot
from crawler.fetch.transport.connection_info import CURRENT_CONNECTION, ConnectionInfo
from crawler.fetch.transport.dns_cache import DnsCache
from crawler.fetch.transport.error_mapping import lacks_descriptors, mapped_errors, proxy_fault
from crawler.fetch.transport.idle_connections import IdleBoundedConnector
from crawler.fetch.transport.response_limits import protocol_factory
from crawler.fetch.transport.routes import ConnectorSettings, literal_address, resolve_result
from crawler.fetch.transport.tls import TlsInfo, tls_of

if TYPE_CHECKING:
    from aiohttp.client_proto import ResponseHandler
    from aiohttp.client_reqrep import ClientRequest, ConnectionKey
    from aiohttp.connector import Connection
    from aiohttp.tracing import Trace

HAPPY_EYEBALLS_DELAY: Final = 0.25  # seconds before the other address family is tried too: RFC 8305, 5
KEEP_ALIVE_TIMEOUT: Final = 10.0  # seconds an idle connection is kept
TLS_CLOSE_TIMEOUT: Final = 1.0  # seconds for the other end to close in TLS; asyncio would wait for 30


class Connector(IdleBoundedConnector):
    """A connector whose every connection goes to an address that was checked."""

    def __init__(
        self,
        dns_cache: DnsCache,
        guard: AddressGuard,
        settings: ConnectorSettings,
        context: ssl.SSLContext,
        slots: AddressSlots,
    ) -> None:
        super().__init__(
            ssl=context,
            limit=0,
            keepalive_timeout=KEEP_ALIVE_TIMEOUT,
            happy_eyeballs_delay=HAPPY_EYEBALLS_DELAY,
        )
        self._dns_cache = dns_cache
        self._guard = guard
        self._settings = settings
        self._slots = slots
        self._factory = protocol_factory(self._loop)
        self._slot_addresses: WeakKeyDictionary[ResponseHandler, str] = WeakKeyDictionary()
        self._tls: WeakKeyDictionary[ResponseHandler, TlsInfo] = WeakKeyDictionary()

    async def connect(
        self,
        req: ClientRequest,
        traces: list[Trace],
        timeout: aiohttp.ClientTimeout,  # noqa: ASYNC109 - the signature is aiohttp's
    ) -> Connection:
        """Find a connection, kept or new, and a slot at its address for as long as it is in use.

        Raises:
            NoFreeSlot: every address of the host is in use to the full.
        """
        info = CURRENT_CONNECTION.get()
        try:
            connection = await super().connect(req, traces, timeout)
        except BaseException:
            self._free(info)
            raise
        if info.slot_addresses:
            address = info.address if info.address in info.slot_addresses else info.slot_addresses[0]
            self._free(info, but=address)
            connection.add_callback(partial(self._slots.free, address))
            if connection.protocol is not None:
                self._slot_addresses[connection.protocol] = address
        if req.is_ssl():
            info.tls = self._tls_of(connection.protocol)
        return connection

    def _tls_of(self, protocol: ResponseHandler | None) -> TlsInfo | None:
        """Return what a connection says of its TLS, read once for all its requests."""
        if protocol is None:
            return None
        tls = self._tls.get(protocol) or tls_of(protocol.transport)
        if tls is not None:
            self._tls[protocol] = tls
        return tls

    def _free(self, info: ConnectionInfo, but: str | None = None) -> None:
        for address in info.slot_addresses:
            if address != but:
                self._slots.free(address)
        info.slot_addresses.clear()

    async def _resolve_host(
        self,
        host: str,
        port: int,
        traces: Sequence[Trace] | None = None,  # noqa: ARG002 - aiohttp's
    ) -> list[ResolveResult]:
        """Find the addresses of a host, and pass only if every one of them may be asked."""
        info = CURRENT_CONNECTION.get()
        info.phase = "dns"
        route = self._settings.route(host, port)
        literal = literal_address(route.host)
        addresses = (literal,) if literal else await self._dns_cache.resolve(route.host)
        if not route.trusted:
            self._check(route.host, addresses)
            addresses = self._with_slot(info, addresses) if info.takes_slots else addresses
        info.phase = "connect"
        return [resolve_result(host, address, route.port) for address in addresses]

    def _check(self, host: str, addresses: Sequence[str]) -> None:
        for address in addresses:
            if not self._guard.passes(address):
                subject = address if host == address else f"{host} is at {address}, which"
                raise BlockedAddress(f"{subject} is not a public address", phase="guard")

    def _with_slot(self, info: ConnectionInfo, addresses: Sequence[str]) -> tuple[str, ...]:
        """Return the addresses that have a slot, which is taken at each until one is chosen."""
        info.slot_addresses += self._slots.take(
            [address for address in addresses if address not in info.slot_addresses]
        )
        usable = tuple(address for address in addresses if address in info.slot_addresses)
        if not usable:
            raise NoFreeSlot(addresses)
        return usable

    async def _get(self, key: ConnectionKey, traces: list[Trace]) -> Connection | None:
        connection = await super()._get(key, traces)
        if connection is None or connection.protocol is None:
            return connection
        info = CURRENT_CONNECTION.get()
        info.reused = True
        info.phase = "read"
        info.address = _peer_address(connection.transport)
        address = self._slot_addresses.get(connection.protocol)
        if address is not None and info.takes_slots and address not in info.slot_addresses:
            info.slot_addresses += self._slots.take((address,))
            if address not in info.slot_addresses:
                connection.release()
                raise NoFreeSlot((address,))
        return connection

    async def _create_proxy_connection(
        self,
        req: ClientRequest,
        traces: list[Trace],
        timeout: aiohttp.ClientTimeout,  # noqa: ASYNC109 - the signature is aiohttp's
    ) -> tuple[asyncio.BaseTransport, ResponseHandler]:
        """Connect by way of a proxy, which resolves the name: so the name is checked before.

        Raises:
            ProxyFault: it cannot be reached, or does not lead on.
        """
        host = req.url.raw_host or ""
        if not self._guard.passes_name(host):
            raise BlockedAddress(f"{host} is not a public host", phase="guard")
        info = CURRENT_CONNECTION.get()
        info.at_proxy = True
        try:
            connection = await super()._create_proxy_connection(req, traces, timeout)
        except NoFreeSlot:
            raise
        except Exception as exc:
            if not info.at_proxy:
                raise
            raise proxy_fault(exc) from exc
        info.at_proxy = False
        return connection

    async def _start_tls_connection(
        self,
        underlying_transport: asyncio.Transport,
        req: ClientRequest,
        timeout: aiohttp.ClientTimeout,  # noqa: ASYNC109 - the signature is aiohttp's
        client_error: type[Exception] = aiohttp.ClientConnectorError,
    ) -> tuple[asyncio.BaseTransport, ResponseHandler]:
        """Shake hands with the target, to which the proxy leads."""
        info = CURRENT_CONNECTION.get()
        info.at_proxy = False
        info.phase = "tls"
        return await super()._start_tls_connection(underlying_transport, req, timeout, client_error)

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
        info = CURRENT_CONNECTION.get()
        sock = await self._open_socket(addr_infos)
        info.phase = "tls" if kwargs.get("ssl") else "read"
        transport, protocol = await self._shake_hands(sock, args, kwargs)
        info.phase = "read"
        info.address = _peer_address(transport)
        return transport, protocol

    async def _open_socket(self, addr_infos: list[aiohappyeyeballs.AddrInfoType]) -> socket.socket:
        """Connect; where too many files are open, close an idle connection and try again."""
        while True:
            try:
                return await self._open_one_socket(addr_infos)
            except LocalFault as exc:
                if not lacks_descriptors(exc) or not self.close_idle():
                    raise
            await asyncio.sleep(0)  # the loop closes what was aborted

    async def _open_one_socket(self, addr_infos: list[aiohappyeyeballs.AddrInfoType]) -> socket.socket:
        with mapped_errors("connect", self._settings.connect_timeout):
            async with asyncio.timeout(self._settings.connect_timeout):
                return await aiohappyeyeballs.start_connection(
                    addr_infos, happy_eyeballs_delay=HAPPY_EYEBALLS_DELAY, interleave=1, loop=self._loop
                )

    async def _shake_hands(
        self, sock: socket.socket, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[asyncio.Transport, ResponseHandler]:
        if kwargs.get("ssl"):
            kwargs["ssl_shutdown_timeout"] = TLS_CLOSE_TIMEOUT
        with mapped_errors("tls", self._settings.tls_timeout):
            async with asyncio.timeout(self._settings.tls_timeout):
                return await self._loop.create_connection(*args, **kwargs, sock=sock)


def _peer_address(transport: asyncio.BaseTransport | None) -> str | None:
    peer = transport.get_extra_info("peername") if transport is not None else None
    return str(peer[0]) if peer else None
