"""A small name server that answers by script, over UDP and TCP on loopback."""

from __future__ import annotations

import asyncio
import struct
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Final, cast

FAMILIES: Final = {1: "A", 2: "NS", 5: "CNAME", 28: "AAAA"}
CODES: Final = {name: code for code, name in FAMILIES.items()}
TRUNCATED: Final = 0x0200
ANSWER: Final = 0x8180  # a response, recursion desired and available
OK, SERVFAIL, NXDOMAIN, REFUSED = 0, 2, 3, 5


@dataclass(frozen=True, slots=True)
class Entry:
    """One resource record: its owner ("" stands for the name asked), type, data, seconds to live."""

    kind: str
    data: str
    ttl: int = 300
    owner: str = ""


@dataclass(frozen=True, slots=True)
class Reply:
    """What to say to one question; `over_tcp` says it over TCP only, `silent` says nothing."""

    entries: tuple[Entry, ...] = ()
    code: int = OK
    silent: bool = False
    over_tcp: bool = False


def at(*addresses: str, ttl: int = 300) -> Reply:
    """An answer with these addresses."""
    kinds = {4: "A", 6: "AAAA"}
    return Reply(tuple(Entry(kinds[ip_address(one).version], one, ttl) for one in addresses))


NOTHING: Final = Reply()
SILENCE: Final = Reply(silent=True)


@dataclass(slots=True)
class Names:
    """The server: `add` names, let the program ask, look at the `log` of (name, type, transport)."""

    port: int = 0
    outage: Reply | None = None  # what is said to every question, whatever the script
    log: list[tuple[str, str, str]] = field(default_factory=list)
    _scripts: dict[tuple[str, str], tuple[Reply, ...]] = field(default_factory=dict)
    _hits: Counter[tuple[str, str]] = field(default_factory=Counter)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)
    _heard: asyncio.Event = field(default_factory=asyncio.Event)

    def add(self, name: str, kind: str, *replies: Reply) -> None:
        """Script the answers to one question, the last one again and again."""
        self._scripts[name, kind] = replies

    def asked(self, name: str) -> list[str]:
        """The types that were asked of a name, in order."""
        return [kind for one, kind, _ in self.log if one == name]

    async def hear(self, count: int) -> None:
        """Wait until so many questions have come."""
        async with asyncio.timeout(20):
            while len(self.log) < count:
                self._heard.clear()
                await self._heard.wait()

    def answer(self, query: bytes, transport: str) -> bytes | None:
        """The bytes to send back; a name without a script does not exist."""
        name, end = _read_name(query)
        kind = FAMILIES.get(struct.unpack_from("!H", query, end)[0], "other")
        self.log.append((name, kind, transport))
        self._heard.set()
        replies = (self.outage,) if self.outage else self._scripts.get((name, kind), (Reply(code=NXDOMAIN),))
        reply = replies[min(self._hits[name, kind], len(replies) - 1)]
        if reply.silent:
            return None
        cut = reply.over_tcp and transport == "udp"
        if not cut:
            self._hits[name, kind] += 1
        entries = () if cut else reply.entries
        flags = ANSWER | reply.code | (TRUNCATED if cut else 0)
        head = query[:2] + struct.pack("!5H", flags, 1, len(entries), 0, 0)
        return head + query[12 : end + 4] + b"".join(_wire(one, name) for one in entries)

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer the questions of one TCP connection."""
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        with suppress(asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            while True:
                size = struct.unpack("!H", await reader.readexactly(2))[0]
                answer = self.answer(await reader.readexactly(size), "tcp")
                if answer is not None:
                    writer.write(struct.pack("!H", len(answer)) + answer)
        writer.transport.abort()
        self._tasks.discard(task)

    async def close(self) -> None:
        """End every connection."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, names: Names) -> None:
        self._names = names

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way back."""
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """Answer one question."""
        answer = self._names.answer(data, "udp")
        if answer is not None:
            self._transport.sendto(answer, addr)


def _read_name(query: bytes) -> tuple[str, int]:
    """The name of the question, in lower case, and where it ends."""
    labels, place = [], 12
    while size := query[place]:
        labels.append(query[place + 1 : place + 1 + size].decode("ascii").lower())
        place += size + 1
    return ".".join(labels), place + 1


def _write_name(name: str) -> bytes:
    return b"".join(bytes([len(label)]) + label.encode() for label in name.split(".")) + b"\0"


def _wire(entry: Entry, asked: str) -> bytes:
    data = _write_name(entry.data) if entry.kind in {"CNAME", "NS"} else ip_address(entry.data).packed
    head = struct.pack("!HHIH", CODES[entry.kind], 1, entry.ttl, len(data))
    return _write_name(entry.owner or asked) + head + data


@asynccontextmanager
async def serve() -> AsyncIterator[Names]:
    """Open a name server on a free port of loopback, the same for UDP and TCP."""
    names = Names()
    loop = asyncio.get_running_loop()
    server = await asyncio.start_server(names.handle, "127.0.0.1", 0)
    names.port = server.sockets[0].getsockname()[1]
    datagrams, _ = await loop.create_datagram_endpoint(
        lambda: _Datagrams(names), local_addr=("127.0.0.1", names.port)
    )
    try:
        yield names
    finally:
        datagrams.close()
        server.close()
        await names.close()
        await server.wait_closed()
