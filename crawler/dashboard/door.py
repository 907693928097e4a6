"""What stands between a socket and aiohttp: it counts connections, and ends those that only hold on.

aiohttp bounds the size of a request and the pause between two. It waits for ever for the first byte
of the first, and for a client that does not read what it asked for.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final, Self

from aiohttp import web

from crawler.dashboard.guard import Handler

MOST: Final = 256  # connections at once
HEAD: Final = 10.0  # seconds for the first request to be there
STUCK: Final = 30.0  # seconds that a client may leave what it asked for unread
BUSY: Final = (
    b"HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nRetry-After: 5\r\n"
    b"Content-Type: text/plain\r\nContent-Length: 31\r\n\r\nToo many connections; try later"
)


class Rooms:
    """How many connections there are, and how many there may be."""

    def __init__(self, most: int = MOST) -> None:
        self.most, self.taken = most, 0


class Door(asyncio.Protocol):
    """One connection; all that comes goes on to the protocol behind it."""

    def __init__(self, inner: asyncio.Protocol, rooms: Rooms, *, head: float, stuck: float) -> None:
        self._inner, self._rooms, self._head, self._stuck = inner, rooms, head, stuck
        self._transport: asyncio.Transport | None = None
        self._timer: asyncio.TimerHandle | None = None

    @classmethod
    def at(
        cls, runner: web.AppRunner, *, most: int = MOST, head: float = HEAD, stuck: float = STUCK
    ) -> Callable[[], Self]:
        """The factory of doors to a server."""
        server, rooms = runner.server, Rooms(most)
        if server is None:
            raise RuntimeError("the runner is not set up")
        return lambda: cls(server(), rooms, head=head, stuck=stuck)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Let in whom there is room for, and wait for the first request."""
        self._rooms.taken += 1
        self._transport = transport if isinstance(transport, asyncio.Transport) else None
        self._inner.connection_made(transport)
        if self._rooms.taken > self._rooms.most and self._transport is not None:
            self._transport.write(BUSY)
            self._transport.close()
            return
        self._set(self._head)

    def began(self) -> None:
        """A request is there: whoever sent it is no longer waited for."""
        self._unset()

    def data_received(self, data: bytes) -> None:
        """Hand on what came."""
        self._inner.data_received(data)

    def eof_received(self) -> bool | None:
        """Hand on that no more comes."""
        return self._inner.eof_received()

    def pause_writing(self) -> None:
        """The client does not read: give it a while."""
        self._set(self._stuck)
        self._inner.pause_writing()

    def resume_writing(self) -> None:
        """The client reads again."""
        self._unset()
        self._inner.resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        """Make room."""
        self._rooms.taken -= 1
        self._unset()
        self._inner.connection_lost(exc)

    def _set(self, seconds: float) -> None:
        self._unset()
        if self._transport is not None:
            self._timer = asyncio.get_running_loop().call_later(seconds, self._transport.abort)

    def _unset(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


@web.middleware
async def greet(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Tell the door that its client has asked for something."""
    door = request.transport.get_protocol() if request.transport is not None else None
    if isinstance(door, Door):
        door.began()
    return await handler(request)
