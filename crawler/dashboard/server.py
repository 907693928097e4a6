"""The server: who may connect, for how long, and how it ends."""

from __future__ import annotations

import asyncio
import signal
import socket
from collections.abc import Callable
from typing import Final

from aiohttp import web

from crawler.dashboard.app import build
from crawler.dashboard.door import Door
from crawler.dashboard.house import House

IDLE: Final = 30.0  # seconds that a connection may wait for its next request
LEAVE: Final = 3.0  # seconds that requests have to end once the server is told to
HEADER: Final = 8192  # bytes of one header line, and of one field
BACKLOG: Final = 128


class Unbound(Exception):
    """The server cannot listen there; the text says why, and what to do."""


async def serve(house: House, tell: Callable[[str], None]) -> int:
    """Serve until SIGTERM or Ctrl-C; `tell` gets the URL once it listens. Returns the exit code.

    Raises:
        Unbound: the port is taken, or the address is not one of this machine.
    """
    over: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    runner = web.AppRunner(
        build(house),
        access_log=None,
        keepalive_timeout=IDLE,
        lingering_time=1.0,
        max_line_size=HEADER,
        max_field_size=HEADER,
        shutdown_timeout=LEAVE,
    )
    await runner.setup()
    try:
        listener = await _listen(house, Door.at(runner))
        tell(url_of(house, listener))
        async with listener:
            with _Signals(over):
                return await over
    finally:
        await runner.cleanup()


async def _listen(house: House, door: Callable[[], asyncio.Protocol]) -> asyncio.Server:
    host = house.host.strip("[]")
    try:
        return await asyncio.get_running_loop().create_server(door, host, house.port, backlog=BACKLOG)
    except socket.gaierror as exc:
        raise Unbound(f"[dashboard] host {host} is no address or name of this machine") from exc
    except OSError as exc:
        raise Unbound(
            f"cannot listen on {host} port {house.port}: {_reason(exc)}; take another with --port, "
            "or --port 0 for any that is free"
        ) from exc


def _reason(exc: OSError) -> str:
    return (exc.strerror or str(exc)).lower()


def url_of(house: House, listener: asyncio.Server) -> str:
    """Where the dashboard is, with the port that it really got."""
    port = listener.sockets[0].getsockname()[1]
    host = house.host.strip("[]")
    return f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"


class _Signals:
    """Lets SIGTERM end the server with 0, and Ctrl-C with 130."""

    CODES: Final = {signal.SIGTERM: 0, signal.SIGINT: 130}

    def __init__(self, over: asyncio.Future[int]) -> None:
        self._over = over

    def __enter__(self) -> None:
        loop = asyncio.get_running_loop()
        for number, code in self.CODES.items():
            loop.add_signal_handler(number, self._end, code)

    def __exit__(self, *_: object) -> None:
        loop = asyncio.get_running_loop()
        for number in self.CODES:
            loop.remove_signal_handler(number)

    def _end(self, code: int) -> None:
        if not self._over.done():
            self._over.set_result(code)
