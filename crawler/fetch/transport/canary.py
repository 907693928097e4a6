"""A network for control questions: no kept connection, no remembered look-up."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from crawler.fetch.base import Fetch
from crawler.fetch.transport.address_guard import AddressGuard
from crawler.fetch.transport.address_slots import AddressSlots
from crawler.fetch.transport.client import ClientSettings, HttpClient, open_session
from crawler.fetch.transport.connector import Connector
from crawler.fetch.transport.dns_cache import DnsCache
from crawler.fetch.transport.resolver import Resolver
from crawler.fetch.transport.routes import ConnectorSettings
from storage.frozen import frozen


@frozen
class CanaryNetwork:
    """A fetch of one hop, and a look-up of one name, unless names are no affair of this machine."""

    fetch: Fetch
    resolve: Callable[[str], Awaitable[object]] | None = None


@frozen
class CanarySettings:
    """What a run is asked with, to ask its control questions in the same way."""

    open_resolver: Callable[[], Resolver]
    guard: AddressGuard
    connector: ConnectorSettings
    tls: ssl.SSLContext
    client: ClientSettings


@asynccontextmanager
async def open_canary_network(settings: CanarySettings, timeout: float) -> AsyncIterator[CanaryNetwork]:  # noqa: ASYNC109 - of a look-up
    """Open a network of its own for the questions of one moment, and close it; `timeout` in seconds."""
    dns_cache = DnsCache(settings.open_resolver(), timeout=timeout)
    slots = AddressSlots(1)
    connector = Connector(dns_cache, settings.guard, settings.connector, settings.tls, slots)
    resolve = None if settings.client.proxies.hosts() else dns_cache.resolve
    try:
        async with open_session(connector, settings.client) as session:
            yield CanaryNetwork(HttpClient(session, settings.client), resolve)
    finally:
        await dns_cache.close()
