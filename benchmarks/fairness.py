"""Does one slow host delay the others? The real program and its peers, measured at the server.

The list: 200 URLs of half a second on one host come first, then 20 of five hosts that accept and
never answer, then 2,000 quick ones on 200 hosts. Every host has a loopback address of its own, so
that all tools get the same URLs. Every tool is told the same limits as far as it has options: 2 at
once at a host, 128 in all, 5 s of patience, no interval.

The program runs twice: what failed for the time being it asks once more at the end of a run, 60 s
later, and no other tool does. The limits are for the first row, without that pass. Probes for
"not found" pages are off in both: they would be requests that no other tool makes.

The bound of the whole is the slow host under its own limit, or one time-out: the larger. Who is
quicker asked the slow host more at once than it was told; the table says how many.

    python -m benchmarks.fairness [--peers lychee,linkchecker,linkinator] [--grouped] [--rounds 1]
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import socket
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Final

from benchmarks import peers

SLOW: Final = "127.1.0.1"
HANGING: Final = tuple(f"127.2.0.{n}" for n in range(1, 6))
QUICK: Final = tuple(f"127.3.0.{n}" for n in range(1, 201))
DELAY: Final = 0.5
SLOW_URLS, HANGING_URLS, QUICK_URLS = 200, 4, 10
FIRST_LIMIT, WHOLE_LIMIT = 1.0, 1.15
SETTINGS: Final = peers.Settings(timeout=5.0, seats=128, at_once=2, patience=240.0)
ANSWER: Final = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 0\r\n\r\n"


@dataclass(slots=True)
class Seen:
    """What the server saw of one run; times are monotonic seconds."""

    first: dict[str, float] = field(default_factory=dict)
    last: float = 0.0
    requests: int = 0
    most: dict[str, int] = field(default_factory=dict)
    under_way: Counter[str] = field(default_factory=Counter)

    def begin(self, host: str) -> None:
        """A request came."""
        self.first.setdefault(host, time.monotonic())
        self.requests += 1
        self.under_way[host] += 1
        self.most[host] = max(self.most.get(host, 0), self.under_way[host])

    def end(self, host: str) -> None:
        """It was answered, or its client went away."""
        self.last = time.monotonic()
        self.under_way[host] -= 1

    @property
    def wait(self) -> float:
        """Seconds until the last of the quick hosts got its first request; infinite if one got none."""
        start = min(self.first.values())
        return max(self.first.get(host, float("inf")) for host in QUICK) - start


class Server(asyncio.Protocol):
    """Quick, slow or silent, as the address says that was dialled."""

    def __init__(self, seen: Callable[[], Seen]) -> None:
        self._seen = seen()
        self._open = 0
        self._rest = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Learn which host is asked."""
        self._host: str = transport.get_extra_info("sockname")[0]
        self._transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        """What was under way has ended."""
        del exc
        for _ in range(self._open):
            self._end()

    def data_received(self, data: bytes) -> None:
        """Answer each request in its time."""
        *heads, self._rest = (self._rest + data).split(b"\r\n\r\n")
        for _ in heads:
            self._open += 1
            self._seen.begin(self._host)
            if self._host == SLOW:
                asyncio.get_running_loop().call_later(DELAY, self._answer)
            elif self._host not in HANGING:
                self._answer()

    def _answer(self) -> None:
        if self._open:
            self._transport.write(ANSWER)  # type: ignore[attr-defined]  # a stream transport
            self._end()

    def _end(self) -> None:
        self._open -= 1
        self._seen.end(self._host)


def serve(pipe: Connection) -> None:
    """Serve, and hand out what was seen since the last time, until the pipe is closed."""

    async def main() -> None:
        seen = Seen()
        loop = asyncio.get_running_loop()
        with socket.create_server((SLOW, 0)) as probe:
            port = probe.getsockname()[1]
        hosts = [SLOW, *HANGING, *QUICK]
        await loop.create_server(lambda: Server(lambda: seen), hosts, port, backlog=1024)
        pipe.send(port)
        with suppress(EOFError):
            while True:
                await asyncio.to_thread(pipe.recv)
                pipe.send(seen)
                seen = Seen()

    asyncio.run(main())


def urls(port: int, *, grouped: bool) -> list[str]:
    """The list, the slow host first; the quick ones in turns, or host by host."""

    def of(hosts: tuple[str, ...], count: int) -> list[str]:
        pairs = [(host, n) for n in range(count) for host in hosts]
        return [f"http://{host}:{port}/{n}" for host, n in (sorted(pairs) if grouped else pairs)]

    return [*of((SLOW,), SLOW_URLS), *of(HANGING, HANGING_URLS), *of(QUICK, QUICK_URLS)]


def ours(given: list[str], folder: Path, settings: peers.Settings, *, again: bool = False) -> peers.Ended:
    """The real program, from its start to its report; `again` with its second pass."""
    (folder / "seeds").mkdir()
    links = "".join(f"  - webUrl: {url}\n" for url in given)
    (folder / "seeds" / "links.md").write_text(f"---\nrelated:\n{links}---\n")
    (folder / "config.toml").write_text(
        f"[network]\nconcurrency = {settings.seats}\nread_timeout = {settings.timeout}\n"
        'allow_networks = ["127.0.0.0/8"]\n'
        f'[hosts]\nper_host = {settings.at_once}\ninterval = 0\njoin = "host"\n'
        "[checks]\nnot_found = false\n" + ("" if again else "[retry]\nsecond_pass = 0\n")
    )
    return peers.run([*peers.OURS, "-o", "/dev/null"], folder, settings, lambda _: ())


Tool = Callable[[list[str], Path, peers.Settings], peers.Ended]


def measured(tool: Tool, given: list[str], pipe: Connection) -> tuple[peers.Ended, Seen]:
    """One run of a tool, and what the server saw of it."""
    with tempfile.TemporaryDirectory() as name:
        ended = tool(given, Path(name), SETTINGS)
    pipe.send("report")
    seen: Seen = pipe.recv()
    return ended, seen


def row(name: str, rounds: list[tuple[peers.Ended, Seen]], bound: float) -> tuple[float, float]:
    """Print the medians of one tool; return the wait and the ratio to the bound."""
    wait = statistics.median(seen.wait for _, seen in rounds)
    whole = statistics.median(ended.seconds for ended, _ in rounds)
    most = max(max(seen.most.values()) for _, seen in rounds)
    requests = statistics.median(seen.requests for _, seen in rounds)
    ended = "" if all(ended.finished for ended, _ in rounds) else "  ended by force"
    print(f"{name:<20}{wait:>12.2f} s{whole:>10.1f} s{whole / bound:>8.2f}{most:>10}{requests:>10.0f}{ended}")
    return wait, whole / bound


def main() -> None:
    """Print a table; fail if the program misses one of its limits."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--peers", default="lychee,linkchecker,linkinator", help="names; empty: none")
    parser.add_argument("--grouped", action="store_true", help="list the quick URLs host by host")
    parser.add_argument("--rounds", type=int, default=1)
    options = parser.parse_args()
    pipe, other = multiprocessing.Pipe()
    multiprocessing.Process(target=serve, args=(other,), daemon=True).start()
    given = urls(pipe.recv(), grouped=options.grouped)
    tools: dict[str, Tool] = {"linkhealth": ours, "and its second pass": partial(ours, again=True)}
    for peer in peers.installed(options.peers.split(",")):
        tools[peer.label] = partial(_run, peer)
    rounds = [
        {name: measured(tool, given, pipe) for name, tool in tools.items()} for _ in range(options.rounds)
    ]
    bound = max(SLOW_URLS * DELAY / SETTINGS.at_once, SETTINGS.timeout)
    print(f"{len(given)} URLs; cannot end before {bound:.0f} s: {SLOW} has {SLOW_URLS}, 2 at once")
    print(f"{'':<20}{'quick hosts':>14}{'whole':>12}{'/bound':>8}{'at once':>10}{'requests':>10}")
    figures = [row(name, [one[name] for one in rounds], bound) for name in tools]
    wait, ratio = figures[0]
    print(f"limits: {FIRST_LIMIT} s, {WHOLE_LIMIT}")
    sys.exit(wait > FIRST_LIMIT or ratio > WHOLE_LIMIT)


def _run(peer: peers.Peer, given: list[str], folder: Path, settings: peers.Settings) -> peers.Ended:
    return peer.run(given, folder, settings)


if __name__ == "__main__":
    main()
