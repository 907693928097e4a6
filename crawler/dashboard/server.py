"""The server: its connections, their timeouts, and how it ends."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from functools import partial
from typing import Final

from aiohttp import web

from crawler.dashboard.app import build
from crawler.dashboard.connection_limit import LimitedConnection
from crawler.dashboard.settings import DashboardSettings
from crawler.runtime import stop_signals
from storage.errors import system_reason
from storage.model import RunEnd

IDLE_TIMEOUT: Final = 30.0  # seconds that a connection may wait for its next request
SHUTDOWN_TIMEOUT: Final = 3.0  # seconds that open requests have to end in a shutdown
MAX_HEADER_BYTES: Final = 8192  # bytes of one header line, and of one field
LISTEN_BACKLOG: Final = 128
INTERRUPTED_EXIT_CODE: Final = RunEnd.INTERRUPTED.exit_code


class CannotListen(Exception):
    """The server cannot listen there; the text says why, and what to do."""


async def serve(settings: DashboardSettings, tell: Callable[[str], None]) -> int:
    """Serve until SIGTERM or Ctrl-C; `tell` gets the URL once it listens. Returns the exit code.

    Raises:
        Unbound: the port is taken, or the address is not one of this machine.
    """
    over: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    runner = web.AppRunner(
        build(settings),
        access_log=None,
        keepalive_timeout=IDLE_TIMEOUT,
        lingering_time=1.0,
        max_line_size=MAX_HEADER_BYTES,
        max_field_size=MAX_HEADER_BYTES,
        shutdown_timeout=SHUTDOWN_TIMEOUT,
    )
    await runner.setup()
    try:
        listener = await _listen(settings, LimitedConnection.at(runner))
        tell(url_of(settings, listener))
        async with listener:
            with stop_signals(partial(_end, over, 0), partial(_end, over, INTERRUPTED_EXIT_CODE)):
                return await over
    finally:
        await runner.cleanup()


async def _listen(
    settings: DashboardSettings, protocol_factory: Callable[[], asyncio.Protocol]
) -> asyncio.Server:
    host = settings.host.strip("[]")
    try:
        return await asyncio.get_running_loop().create_server(
            protocol_factory, host, settings.port, backlog=LISTEN_BACKLOG
        )
    except socket.gaierror as exc:
        raise CannotListen(f"[dashboard] host {host} is no address or name of this machine") from exc
    except OSError as exc:
        raise CannotListen(
            f"cannot listen on {host} port {settings.port}: {system_reason(exc)}; take another with --port, "
            "or --port 0 for any that is free"
        ) from exc


def url_of(settings: DashboardSettings, listener: asyncio.Server) -> str:
    """Where the dashboard is, with the port that it really got."""
    port = listener.sockets[0].getsockname()[1]
    host = settings.host.strip("[]")
    return f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"


def _end(over: asyncio.Future[int], code: int) -> None:
    if not over.done():
        over.set_result(code)
