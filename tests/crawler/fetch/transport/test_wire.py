"""The wire below a session: the same bytes, the same connections, and no line that a header could begin."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Final

import aiohttp
import pytest
from multidict import CIMultiDict
from yarl import URL

from crawler.fetch.transport.wire import Wire

pytestmark = pytest.mark.libraries

ANSWER: Final = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
TIMEOUT: Final = aiohttp.ClientTimeout(total=None, sock_read=5)


class _Server:
    """Keeps the heads that it was sent, and the connections that they came by; answers with `answer`."""

    def __init__(self, answer: bytes) -> None:
        self.answer = answer
        self.heads: list[bytes] = []
        self.connections = 0
        self.closed = asyncio.Event()
        self.tasks = set[asyncio.Task[None] | None]()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer until the other end has enough."""
        self.connections += 1
        self.tasks.add(asyncio.current_task())
        try:
            while True:
                self.heads.append(await reader.readuntil(b"\r\n\r\n"))
                is_head = self.heads[-1].startswith(b"HEAD ")
                writer.write(self.answer.partition(b"hello")[0] if is_head else self.answer)
        except (asyncio.IncompleteReadError, ConnectionError):
            self.closed.set()
        finally:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()


@asynccontextmanager
async def _served(answer: bytes = ANSWER) -> AsyncIterator[tuple[_Server, str, aiohttp.ClientSession, Wire]]:
    site = _Server(answer)
    async with await asyncio.start_server(site.serve, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        async with aiohttp.ClientSession(headers={"User-Agent": "test/1"}, auto_decompress=False) as session:
            yield site, f"http://127.0.0.1:{port}", session, Wire(session, 8190, 128)
        await asyncio.gather(*filter(None, site.tasks))


@pytest.mark.parametrize(
    ("method", "path", "headers"),
    [
        ("HEAD", "/", {}),
        ("GET", "/a%20b/c;d?x=1&y=%2F", {"Accept": "text/html", "Range": "bytes=0-2047"}),
        ("GET", "/", {"accept": "x/y", "Cookie": "a=b; c=d", "Accept-Encoding": "gzip"}),
        ("GET", "/", {"Host": "other.example:81", "user-agent": "another/2"}),
        ("GET", "/", CIMultiDict([("X-Many", "1"), ("Authorization", "Basic eDp5")])),
    ],
)
async def test_a_request_has_the_bytes_that_a_session_would_send(
    method: str, path: str, headers: Mapping[str, str]
) -> None:
    """Line for line, and in the same order."""
    async with _served() as (site, origin, session, wire):
        async with session.request(method, URL(origin + path, encoded=True), headers=headers) as response:
            await response.read()
        answer = await wire.send(method, origin + path, headers, TIMEOUT)
        assert (answer.status, answer.content_length) == (200, 5)
        assert await answer.read() == (b"" if method == "HEAD" else b"hello")
        answer.close()
    assert site.heads[0] == site.heads[1]
    assert site.connections == 1  # which the session had kept, and the wire took


async def test_a_path_that_is_not_written_is_the_root() -> None:
    """A query may stand right behind a host."""
    async with _served() as (site, origin, _, wire):
        (await wire.send("HEAD", f"{origin}?q=1", {}, TIMEOUT)).close()
    assert site.heads[0].startswith(b"HEAD /?q=1 HTTP/1.1\r\n")


async def test_a_body_that_is_not_wanted_ends_its_connection() -> None:
    """What is still on its way would stand before the next answer."""
    async with _served(ANSWER.replace(b": 5", b": 50")) as (site, origin, _, wire):
        (await wire.send("GET", f"{origin}/", {}, TIMEOUT)).close()
        await asyncio.wait_for(site.closed.wait(), 5)
        (await wire.send("GET", f"{origin}/", {}, TIMEOUT)).close()
    assert site.connections == 2


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/a\r\nX: y", {}),
        ("/", {"X": "a\nb"}),
        ("/", {"X": "a\r"}),
        ("/", {"X\r\nY": "a"}),
        ("/", {"X": "a\0"}),
        ("/", {"Host": "a\nb"}),
    ],
)
async def test_no_header_begins_another_line(path: str, headers: dict[str, str]) -> None:
    """Whatever a record or a configuration says, a request is one request; nothing is sent of it."""
    async with _served() as (site, origin, _, wire):
        with pytest.raises(ValueError, match="a line end in"):
            await wire.send("GET", origin + path, headers, TIMEOUT)
        assert site.heads == []


async def test_an_answer_that_does_not_come_is_a_timeout() -> None:
    """After the seconds that a request gives between two bytes."""
    async with _served(b"") as (_, origin, _, wire):
        with pytest.raises(aiohttp.SocketTimeoutError):
            await wire.send("GET", f"{origin}/", {}, aiohttp.ClientTimeout(total=None, sock_read=0.05))
