"""How one request came to its connection: written by the connector, read by the client."""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Final

from crawler.fetch.transport.tls import TlsInfo


@dataclass(slots=True)
class ConnectionInfo:
    """The connection of one request.

    `slot_addresses` are those at which it holds an address slot, if it `takes_slots`; `phase` is how
    far it has come: dns, connect, tls or read; `reused` that another request had the connection
    before; `at_proxy` that what goes wrong is the proxy's fault.
    """

    slot_addresses: list[str] = field(default_factory=list)
    takes_slots: bool = True
    tls: TlsInfo | None = None
    phase: str = "connect"
    reused: bool = False
    address: str | None = None
    at_proxy: bool = False


CURRENT_CONNECTION: Final[ContextVar[ConnectionInfo]] = ContextVar("CURRENT_CONNECTION")
