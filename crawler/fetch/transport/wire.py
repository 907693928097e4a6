"""One request over one connection: a head as bytes, and the answer as its parser reads it.

A session of aiohttp does the same and more (cookies, redirects, traces, retries), for twice the time;
nothing of that is wanted here, since all of it is done above. Requests by way of a proxy go through the
session still, which knows how to speak to one.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Final

import aiohttp
from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

from crawler.urls import origin_of

if TYPE_CHECKING:
    from aiohttp.connector import Connection
    from aiohttp.http import RawResponseMessage
    from aiohttp.streams import StreamReader

MAX_KNOWN_ORIGINS: Final = 1024  # origins whose part of a request is kept
MAX_KNOWN_HEADS: Final = 256  # sets of headers whose bytes are kept
READ_BUFFER_BYTES: Final = 65_536
FORBIDDEN_LETTERS: Final = re.compile(r"[\r\n\0]")  # of a head: they would begin another line


class WireResponse:
    """An answer whose head was read; its connection is given back when its body has ended."""

    __slots__ = ("_connection", "content", "headers", "reason", "status")

    def __init__(self, connection: Connection, message: RawResponseMessage, content: StreamReader) -> None:
        self._connection: Connection | None = connection
        self.status: int = message.code
        self.reason: str | None = message.reason
        self.headers: CIMultiDictProxy[str] = message.headers
        self.content = content
        content.on_eof(self._end)

    @property
    def content_length(self) -> int | None:
        """The bytes that the body has by its head; None where it does not say."""
        length = self.headers.get("Content-Length")
        return None if length is None else int(length)

    async def read(self) -> bytes:
        """The rest of the body."""
        return await self.content.read()

    def close(self) -> None:
        """End the connection, unless the body has ended and others use it."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _end(self) -> None:
        connection = self._connection
        if connection is not None and connection.protocol is not None and not connection.protocol.upgraded:
            connection.release()
            self._connection = None


class Wire:
    """Sends requests over the connections of a session's connector."""

    def __init__(self, session: aiohttp.ClientSession, line_bytes: int, lines: int) -> None:
        self._session = session
        self._line_bytes = line_bytes
        self._lines = lines
        self._origin_request = lru_cache(maxsize=MAX_KNOWN_ORIGINS)(self._new_origin_request)
        self._head_of = lru_cache(maxsize=MAX_KNOWN_HEADS)(self._new_head)

    async def send(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        timeout: aiohttp.ClientTimeout,  # noqa: ASYNC109 - as aiohttp names it
    ) -> WireResponse:
        """Send a request, and read the head of its answer.

        Raises:
            aiohttp.ClientError, HttpProcessingError, OSError, TimeoutError: there is none.
            ValueError: the request cannot be written.
        """
        origin = origin_of(url)
        origin_request = self._origin_request(origin)
        head = self._head(method, url[len(origin) :] or "/", origin_request, headers)
        connector = self._session.connector
        if connector is None:
            raise aiohttp.ClientConnectionError("the session is closed")
        connection = await connector.connect(origin_request, [], timeout)
        try:
            return await self._exchange(connection, head, method, timeout.sock_read)
        except BaseException:
            connection.close()
            raise

    async def _exchange(
        self, connection: Connection, head: bytes, method: str, read_timeout: float | None
    ) -> WireResponse:
        protocol, transport = connection.protocol, connection.transport
        if protocol is None or transport is None or transport.is_closing():
            raise aiohttp.ClientConnectionResetError("the connection was closed before the request")
        protocol.set_response_params(
            skip_payload=method == "HEAD",
            read_until_eof=True,
            auto_decompress=False,
            read_timeout=read_timeout,
            read_bufsize=READ_BUFFER_BYTES,
            max_line_size=self._line_bytes,
            max_field_size=self._line_bytes,
            max_headers=self._lines,
        )
        transport.write(head)
        protocol.start_timeout()
        message, content = await protocol.read()
        return WireResponse(connection, message, content)

    def _head(
        self, method: str, path: str, origin_request: aiohttp.ClientRequest, headers: Mapping[str, str]
    ) -> bytes:
        host, lines = self._head_of(tuple(headers.items()))
        host = host or origin_request.headers["Host"]
        beginning = f"{method} {path if path.startswith('/') else f'/{path}'} HTTP/1.1\r\nHost: {host}"
        if FORBIDDEN_LETTERS.search(path) or FORBIDDEN_LETTERS.search(host):
            raise ValueError("a line end in a request")
        return f"{beginning}\r\n{lines}\r\n".encode()

    def _new_head(self, items: tuple[tuple[str, str], ...]) -> tuple[str | None, str]:
        """The Host that headers name, if so, and the lines of the others, in the order of a session."""
        headers = CIMultiDict(self._session.headers)
        headers.update(items)
        for name, value in aiohttp.ClientRequest.DEFAULT_HEADERS.items():
            headers.setdefault(name, value)
        host = headers.pop("Host", None)
        if any(FORBIDDEN_LETTERS.search(f"{name}{value}") for name, value in headers.items()):
            raise ValueError("a line end in a header")
        return host, "".join(f"{name}: {value}\r\n" for name, value in headers.items())

    def _new_origin_request(self, origin: str) -> aiohttp.ClientRequest:
        """What a connector asks of a request: to which origin it goes."""
        loop = asyncio.get_running_loop()
        return aiohttp.ClientRequest(
            "GET", URL(origin, encoded=True), loop=loop, ssl=True, session=self._session
        )
