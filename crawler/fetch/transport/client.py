"""One request, one hop: the wall between aiohttp and the rest. No aiohttp error passes it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import field
from typing import Final

import aiohttp
from aiohttp.http_exceptions import HttpProcessingError
from multidict import CIMultiDict
from yarl import URL

from crawler.errors import (
    BadResponse,
    ConnectionReset,
    FetchError,
    FetchTimeout,
    IncompleteResponse,
    ProxyFault,
)
from crawler.fetch.base import Request, Response
from crawler.fetch.transport.address_slots import NoFreeSlot
from crawler.fetch.transport.body import body_fault, payload_cause, read_response
from crawler.fetch.transport.connection_info import CURRENT_CONNECTION, ConnectionInfo
from crawler.fetch.transport.connector import Connector
from crawler.fetch.transport.error_mapping import connect_fault, tls_cause, tls_fault
from crawler.fetch.transport.proxies import ProxySettings
from crawler.fetch.transport.response_limits import MAX_HEAD_BYTES
from crawler.fetch.transport.tls import note_certificate
from crawler.fetch.transport.wire import Wire, WireResponse
from crawler.urls import host_of
from storage.errors import original
from storage.frozen import frozen
from storage.model import Hop

# RFC 9110 names no bound: a head as a whole has one (`response_limits.MAX_HEAD_BYTES`), its lines have none.
MAX_HEADER_LINE_BYTES: Final = MAX_HEAD_BYTES
PROXY_AUTH_REQUIRED: Final = 407
MAX_HEADER_LINES: Final = 8192  # each takes some 400 bytes of memory


@frozen
class ClientSettings:
    """How to ask: the agent's name, seconds between two bytes, proxies, headers for `everywhere`."""

    user_agent: str
    read_timeout: float = 20.0
    proxies: ProxySettings = field(default_factory=ProxySettings)
    everywhere: Mapping[str, str] = field(default_factory=dict)


def open_session(connector: Connector, settings: ClientSettings) -> aiohttp.ClientSession:
    """Return a session that keeps no cookies, follows nothing, decodes nothing, and repeats nothing."""
    session = aiohttp.ClientSession(
        connector=connector,
        headers={"User-Agent": settings.user_agent},
        timeout=aiohttp.ClientTimeout(total=None, sock_read=settings.read_timeout),
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
        max_line_size=MAX_HEADER_LINE_BYTES,
        max_field_size=MAX_HEADER_LINE_BYTES,
        max_headers=MAX_HEADER_LINES,
    )
    # aiohttp would silently send a request again; every request has to be counted.
    session._retry_connection = False  # noqa: SLF001 - there is no public switch
    return session


class HttpClient:
    """Sends a request and reads as much of the answer as it asks for."""

    def __init__(self, session: aiohttp.ClientSession, settings: ClientSettings | None = None) -> None:
        self._session = session
        self._proxies = settings.proxies if settings else ProxySettings()
        self._everywhere = settings.everywhere if settings else {}
        self._default_timeout = session.timeout
        self._wire = Wire(session, MAX_HEADER_LINE_BYTES, MAX_HEADER_LINES)

    async def __call__(self, request: Request) -> Response:
        """Send once; send again at once if a kept connection turns out to be closed, or not clean.

        Raises:
            FetchError: any of its leaves but those of redirects.
        """
        try:
            return await self._send(request)
        except (ConnectionReset, BadResponse) as exc:
            # RFC 9112, 9.3.1: a server may close an idle connection at any time. And what it sent
            # too much, such as a body after HEAD, stands before the answer. Neither says anything
            # about the target.
            if not CURRENT_CONNECTION.get().reused or exc.phase == "body":
                raise
        return await self._send(request)

    async def _send(self, request: Request) -> Response:
        state = request.trace.state
        info = ConnectionInfo([state.address_slot] if state.address_slot else [], state.takes_slots)
        state.address_slot = None
        CURRENT_CONNECTION.set(info)
        start = time.monotonic()
        try:
            answer = await self._send_in_time(request, info)
        except NoFreeSlot:
            raise
        except BaseException as exc:
            error = type(exc).__name__ if isinstance(exc, FetchError) else None
            _add_hop(request, info, None, error, time.monotonic() - start)
            raise
        _add_hop(request, info, answer.status, None, time.monotonic() - start)
        return answer

    async def _send_in_time(self, request: Request, info: ConnectionInfo) -> Response:
        """Send within the time that the attempt has left, and map what goes wrong."""
        try:
            async with asyncio.timeout(request.trace.state.time_left):
                return await self._exchange(request, info)
        except FetchError:
            raise
        except TimeoutError as exc:
            raise FetchTimeout(_timeout_reason(info, exc), phase=info.phase) from exc
        except (aiohttp.ClientError, HttpProcessingError, OSError, ValueError) as exc:
            # Behind a proxy the handshake is aiohttp's; TLS 1.3 refuses a client after its own.
            cause = tls_cause(exc)
            raise (tls_fault(cause) if cause else _client_fault(exc, info)) from exc

    async def _exchange(self, request: Request, info: ConnectionInfo) -> Response:
        proxy = self._proxies.of(request.url)
        headers, timeout = self._headers_of(request), self._timeout_of(request)
        response: aiohttp.ClientResponse | WireResponse
        if proxy is None:
            response = await self._wire.send(request.method, request.url, headers, timeout)
        else:
            response = await self._session.request(
                request.method,
                URL(request.url, encoded=True),
                headers=headers,
                allow_redirects=False,
                timeout=timeout,
                proxy=proxy,
            )
        info.phase = "read"
        try:
            if proxy is not None and response.status == PROXY_AUTH_REQUIRED:
                raise ProxyFault("the proxy answers 407: it wants a user and a password", phase="proxy")
            return await read_response(request, response)
        finally:
            response.close()

    def _headers_of(self, request: Request) -> Mapping[str, str]:
        """Return the headers of a request; a configured one replaces ours, however it is written."""
        if not request.private and not self._everywhere:
            return request.headers
        headers = CIMultiDict(request.headers)
        headers.update(self._everywhere)
        headers.update(request.private)
        return headers

    def _timeout_of(self, request: Request) -> aiohttp.ClientTimeout:
        if request.first_byte_timeout is None:
            return self._default_timeout
        return aiohttp.ClientTimeout(total=None, sock_read=request.first_byte_timeout)


def _add_hop(
    request: Request, info: ConnectionInfo, status: int | None, error: str | None, seconds: float
) -> None:
    trace = request.trace
    if info.tls is not None:
        note_certificate(trace.evidence, host_of(request.url), info.tls)
    trace.state.time_left = max(0.0, trace.state.time_left - seconds)
    hop = Hop(request.url, request.method, status, error, seconds, trace.attempts, info.address)
    trace.hops.append(hop)


def _timeout_reason(info: ConnectionInfo, exc: TimeoutError) -> str:
    if isinstance(exc, aiohttp.SocketTimeoutError):
        return "read: nothing more came in time"
    return f"{info.phase}: the time for one attempt was over"


def _client_fault(exc: Exception, info: ConnectionInfo) -> FetchError:
    """Map aiohttp's errors and the system's to ours, most specific first."""
    if isinstance(exc, aiohttp.ServerDisconnectedError):
        return _disconnect_fault(exc)
    if isinstance(exc, aiohttp.ClientPayloadError):
        return body_fault(exc, f"the body broke off{payload_cause(exc)}")
    if isinstance(exc, (aiohttp.ClientResponseError, HttpProcessingError)):
        return BadResponse(f"not HTTP{original(exc.message)}", phase="read")
    if isinstance(exc, OSError):
        return connect_fault(exc, info.phase)
    if isinstance(exc, aiohttp.ClientConnectionError):
        return ConnectionReset(f"{info.phase}: the connection failed{original(exc)}", phase=info.phase)
    return BadResponse(f"what came cannot be read{original(exc)}", phase=info.phase)


def _disconnect_fault(exc: aiohttp.ServerDisconnectedError) -> FetchError:
    if isinstance(exc.message, str):
        return ConnectionReset("closed before any byte of an answer", phase="read")
    return IncompleteResponse("closed in the middle of the headers", phase="read")
