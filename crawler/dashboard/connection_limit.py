"""What stands between a socket and aiohttp: it counts connections, and ends those that only hold on.

aiohttp bounds the size of a request and the pause between two. It waits for ever for the first byte
of the first, and for a client that does not read what it asked for.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final, Self

from aiohttp import web

from crawler.dashboard.access import Handler

MAX_CONNECTIONS: Final = 256  # connections at once
FIRST_REQUEST_TIMEOUT: Final = 10.0  # seconds for the first request to be there
UNREAD_TIMEOUT: Final = 30.0  # seconds that a client may leave what it asked for unread
BUSY_RESPONSE: Final = (
    b"HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nRetry-After: 5\r\n"
    b"Content-Type: text/plain\r\nContent-Length: 31\r\n\r\nToo many connections; try later"
)


class ConnectionCount:
    """How many connections there are, and how many there may be."""

    def __init__(self, limit: int = MAX_CONNECTIONS) -> None:
        self.limit = limit
        self.taken = 0


class LimitedConnection(asyncio.Protocol):
    """One connection; all that comes goes on to the protocol behind it."""

    def __init__(
        self,
        inner: asyncio.Protocol,
        count: ConnectionCount,
        *,
        first_timeout: float,
        unread_timeout: float,
    ) -> None:
        self._inner = inner
        self._count = count
        self._first_timeout = first_timeout
        self._unread_timeout = unread_timeout
        self._transport: asyncio.Transport | None = None
        self._timer: asyncio.TimerHandle | None = None

    @classmethod
    def at(
        cls,
        runner: web.AppRunner,
        *,
        limit: int = MAX_CONNECTIONS,
        first_timeout: float = FIRST_REQUEST_TIMEOUT,
        unread_timeout: float = UNREAD_TIMEOUT,
    ) -> Callable[[], Self]:
        """Return the factory of limited connections to a server."""
        server, count = runner.server, ConnectionCount(limit)
        if server is None:
            raise RuntimeError("the runner is not set up")
        return lambda: cls(server(), count, first_timeout=first_timeout, unread_timeout=unread_timeout)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Accept the connection if the limit allows it, and wait for its first request."""
        self._count.taken += 1
        self._transport = transport if isinstance(transport, asyncio.Transport) else None
        self._inner.connection_made(transport)
        if self._count.taken > self._count.limit and self._transport is not None:
            self._transport.write(BUSY_RESPONSE)
            self._transport.close()
            return
        self._start_timer(self._first_timeout)

    def request_received(self) -> None:
        """Stop the clock of the first request: it has come."""
        self._stop_timer()

    def data_received(self, data: bytes) -> None:
        """Pass the bytes on."""
        self._inner.data_received(data)

    def eof_received(self) -> bool | None:
        """Pass on the end of what the client sends."""
        return self._inner.eof_received()

    def pause_writing(self) -> None:
        """The client does not read: give it a while."""
        self._start_timer(self._unread_timeout)
        self._inner.pause_writing()

    def resume_writing(self) -> None:
        """The client reads again."""
        self._stop_timer()
        self._inner.resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        """Free the place of the connection."""
        self._count.taken -= 1
        self._stop_timer()
        self._inner.connection_lost(exc)

    def _start_timer(self, seconds: float) -> None:
        self._stop_timer()
        if self._transport is not None:
            self._timer = asyncio.get_running_loop().call_later(seconds, self._transport.abort)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


@web.middleware
async def note_request(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Tell the connection that a request has come."""
    connection = request.transport.get_protocol() if request.transport is not None else None
    if isinstance(connection, LimitedConnection):
        connection.request_received()
    return await handler(request)
