"""A small web that misbehaves by script, on real sockets, in the test's own event loop.

One port answers for all host names. A page is a script of steps, taken in turn by each hit, the
last one again and again; a step may be kept for one method. A step writes any bytes it likes.
"""

from __future__ import annotations

import asyncio
import itertools
import socket
import ssl
import struct
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Final

MOST: Final = 65_536  # bytes of a request head


@dataclass(frozen=True, slots=True)
class Asked:
    """One request as the site saw it; `at` is monotonic seconds."""

    method: str
    url: str
    headers: dict[str, str]
    at: float
    under_way: int


NO_REQUEST: Final = Asked("", "", {}, 0.0, 0)


@dataclass(slots=True)
class Wire:
    """One connection, with the request that came on it; `keep` tells whether it lives on."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    asked: Asked
    closing: asyncio.Event
    keep: bool = True

    async def send(self, data: bytes) -> None:
        """Write bytes."""
        self.writer.write(data)
        await self.writer.drain()


Step = Callable[[Wire], Awaitable[None]]


def answer(status: int = 200, body: bytes = b"", reason: str = "Said", **headers: str) -> Step:
    """A well-formed answer; underscores in header names stand for dashes, "" leaves one out."""

    async def step(wire: Wire) -> None:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        named.setdefault("Content-Length", str(len(body)))
        lines = [f"HTTP/1.1 {status} {reason}"]
        lines += [f"{name}: {value}" for name, value in named.items() if value]
        head = "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n"
        await wire.send(head if wire.asked.method == "HEAD" else head + body)

    return step


def page(text: str = "<!doctype html><title>A page</title>", **headers: str) -> Step:
    """An HTML page."""
    return answer(200, text.encode(), **{"Content_Type": "text/html", **headers})


def redirect(status: int, location: str) -> Step:
    """A redirect."""
    return answer(status, Location=location)


def raw(data: bytes) -> Step:
    """Any bytes, then the end of the connection."""

    async def step(wire: Wire) -> None:
        wire.keep = False
        await wire.send(data)

    return step


async def close(wire: Wire) -> None:
    """Close without a word."""
    wire.keep = False


def cut(data: bytes) -> Step:
    """Send the beginning of an answer, and reset the connection."""

    async def step(wire: Wire) -> None:
        wire.keep = False
        await wire.send(data)
        sock = wire.writer.get_extra_info("socket")
        # Without it, closing sends a FIN, as any server does whose answer has ended.
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        wire.writer.transport.abort()

    return step


reset: Final = cut(b"")


def hang(data: bytes = b"") -> Step:
    """Send the beginning, if any, and then nothing more until the other side has gone."""

    async def step(wire: Wire) -> None:
        wire.keep = False
        await wire.send(data)
        await wire.reader.read()

    return step


def endless(head: bytes, chunk: bytes) -> Step:
    """Send a head, and then the same bytes for ever."""

    async def step(wire: Wire) -> None:
        wire.keep = False
        await wire.send(head)
        while not wire.closing.is_set():
            await wire.send(chunk)

    return step


def drip(head: bytes, again: bytes, every: float = 1.0, size: int = 1) -> Step:
    """Send a head, and then the same bytes over and over, `size` of them in so many seconds."""

    async def step(wire: Wire) -> None:
        wire.keep = False
        await wire.send(head)
        gone = asyncio.ensure_future(wire.reader.read())
        try:
            for at in itertools.cycle(range(0, len(again), size)):
                await asyncio.wait({gone}, timeout=every)
                if gone.done():
                    return
                await wire.send(again[at : at + size])
        finally:
            gone.cancel()

    return step


@dataclass(slots=True)
class Script:
    """The steps of one URL, by method ("" for all others), and how often each was hit."""

    steps: dict[str, tuple[Step, ...]] = field(default_factory=dict)
    hits: Counter[str] = field(default_factory=Counter)

    def next(self, method: str) -> Step:
        """The step of the next hit."""
        name = method if method in self.steps else ""
        steps = self.steps.get(name) or (answer(404),)
        self.hits[name] += 1
        return steps[min(self.hits[name], len(steps)) - 1]


class Site:
    """The web: `add` pages, let the program ask, look at the `log`."""

    def __init__(self) -> None:
        self.log: list[Asked] = []
        self.port = 0
        self.most: Counter[str] = Counter()
        self._under_way: Counter[str] = Counter()
        self._scripts: dict[str, Script] = {}
        self._closing = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self.fallback: Step = answer(404)
        self.greeting: Step | None = None  # all that a connection gets, with no word of HTTP read
        self._heard = asyncio.Event()

    def add(self, url: str, *steps: Step, method: str = "") -> None:
        """Script a URL, for one method or for all that have no script of their own."""
        self._scripts.setdefault(url, Script()).steps[method] = steps

    def asked(self, url: str) -> list[str]:
        """The methods by which a URL was asked, in order."""
        return [one.method for one in self.log if one.url == url]

    @property
    def detour(self) -> str:
        """What leads every host here, as in --connect-to."""
        return f"::127.0.0.1:{self.port}"

    async def hear(self, count: int) -> None:
        """Wait until so many requests have come."""
        async with asyncio.timeout(60):  # a busy machine starts a program slowly
            while len(self.log) < count:
                self._heard.clear()
                await self._heard.wait()

    async def deserted(self) -> None:
        """Wait until the other side has closed every connection."""
        async with asyncio.timeout(20):
            await asyncio.gather(*self._tasks)

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer the requests of one connection."""
        task = asyncio.current_task()
        if task is not None:
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError, ssl.SSLError, TimeoutError):
                if self.greeting is not None:
                    await self.greeting(Wire(reader, writer, NO_REQUEST, self._closing))
                while self.greeting is None and await self._one(reader, writer):
                    pass
            writer.close()
            with suppress(ConnectionError, ssl.SSLError, TimeoutError):
                await writer.wait_closed()
        except asyncio.CancelledError:
            # The site closes: whoever still listens has heard enough.
            writer.transport.abort()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        first, *lines = head.split("\r\n")
        method, path, _ = first.split(" ", 2)
        headers: dict[str, str] = {}
        for name, _, value in (line.partition(": ") for line in lines if line):
            # RFC 9110, 5.3: what is sent twice is one list.
            headers[name.lower()] = ", ".join(filter(None, [headers.get(name.lower()), value]))
        secure = writer.get_extra_info("ssl_object") is not None
        host = headers.get("host", "")
        url = f"{'https' if secure else 'http'}://{host}{path}"
        self._under_way[host] += 1
        self.most[host] = max(self.most[host], self._under_way[host])
        asked = Asked(method, url, headers, time.monotonic(), self._under_way[host])
        self.log.append(asked)
        self._heard.set()
        wire = Wire(reader, writer, asked, self._closing)
        try:
            script = self._scripts.get(url)
            await (script.next(method) if script else self.fallback)(wire)
        finally:
            self._under_way[host] -= 1
        return wire.keep

    async def close(self) -> None:
        """End every connection."""
        self._closing.set()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


@asynccontextmanager
async def serve(tls: ssl.SSLContext | None = None) -> AsyncIterator[Site]:
    """Open a site on a free port of loopback, and close it without a trace."""
    site = Site()
    server = await asyncio.start_server(site.handle, "127.0.0.1", 0, limit=MOST, ssl=tls)
    site.port = server.sockets[0].getsockname()[1]
    try:
        yield site
    finally:
        server.close()
        await site.close()
        await server.wait_closed()
