"""Where a request goes: its own host, or the one that the operator put in its place."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from ipaddress import ip_address

from aiohttp.abc import ResolveResult

from crawler.fetch.transport.connect_to import ConnectTo
from storage.frozen import frozen


@frozen
class Route:
    """Where a request goes; `trusted` when the operator wrote the host."""

    host: str
    port: int
    trusted: bool = False


@frozen
class ConnectorSettings:
    """How to connect: seconds for the connection and for the handshake, redirections, trusted hosts."""

    connect_timeout: float = 10.0
    tls_timeout: float = 10.0
    connect_to: Sequence[ConnectTo] = ()
    trusted: frozenset[str] = frozenset()

    def route(self, host: str, port: int) -> Route:
        """Return the way to a host: by the first `connect_to` that fits, as curl does."""
        for rule in self.connect_to:
            if rule.matches(host, port):
                to_host = host if rule.to_host is None else rule.to_host
                to_port = port if rule.to_port is None else rule.to_port
                return Route(to_host, to_port, trusted=rule.to_host is not None)
        return Route(host, port, trusted=host in self.trusted)


def literal_address(host: str) -> str | None:
    """Return the address that a host already is, or None."""
    try:
        return str(ip_address(host.partition("%")[0]))
    except ValueError:
        return None


def resolve_result(name: str, address: str, port: int) -> ResolveResult:
    """Return an address as aiohttp's resolvers give it."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    return ResolveResult(
        hostname=name,
        host=address,
        port=port,
        family=family,
        proto=0,
        flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
    )
