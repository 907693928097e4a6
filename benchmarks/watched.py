"""How much a run is slowed by a dashboard that 50 visitors read at once, all of them without a pause.

A real `linkhealth run` asks a small server of this machine, paced by its manners (half a second between two
requests to one host), and writes its findings; `linkhealth serve` shows the same database. Rounds with and
without visitors are interleaved; the median of the ratios of the seconds counts. Visitors ask for every page.

    python benchmarks/watched.py [--hosts 200] [--each 60] [--rounds 3] [--visitors 50]
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import os
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.synchronize import Event
from pathlib import Path

import aiohttp

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.throughput import prepare  # noqa: E402 - the root of the project goes on the path first

CONFIG = """
[hosts]
interval = 0.5
join = "host"
[checks]
not_found = false
parked = false
"""
PAGES = (
    "/",
    "/links",
    "/links?class=any&sort=host",
    "/links?search=77",
    "/records",
    "/hosts",
    "/hosts?sort=p95",
    "/images",
    "/images?show=suspect",
    "/runs",
    "/target?url=http://h7.bench.example/7",
    "/record?path=seeds/0000000.md",
    "/api/overview",
    "/api/links?class=any",
)
ANSWER = "HTTP/1.1 {}\r\nContent-Type: text/html\r\nContent-Length: 0\r\n\r\n"
LIMIT = 1.05  # of the seconds of a run that nobody watches
PROGRAM = (sys.executable, "-m", "crawler")


class Server(asyncio.Protocol):
    """Does not know every tenth page, and answers at once."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way back."""
        self.transport, self.rest = transport, b""

    def data_received(self, data: bytes) -> None:
        """Answer as many requests as came."""
        *heads, self.rest = (self.rest + data).split(b"\r\n\r\n")
        for head in heads:
            gone = head.split(b" ", 2)[1].endswith(b"7")
            self.transport.write(ANSWER.format("404 Gone" if gone else "200 OK").encode())  # type: ignore[attr-defined]


def serve(port: multiprocessing.Queue[int], over: Event) -> None:
    """Serve until told that it is over."""

    async def main() -> None:
        server = await asyncio.get_running_loop().create_server(Server, "127.0.0.1", 0)
        port.put(server.sockets[0].getsockname()[1])
        await asyncio.to_thread(over.wait)
        server.close()

    asyncio.run(main())


@dataclass(slots=True)
class Visits:
    """What visitors saw: how many answers of each status, and the seconds of each."""

    statuses: Counter[str] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Round:
    """One run: seconds by the clock and of the processor."""

    seconds: float
    processor: float


def visit(origin: str, visitors: int, over: Event, told: multiprocessing.Queue[Visits]) -> None:
    """Ask for one page after the other, `visitors` at once, until told that it is over."""
    os.nice(10)  # they would be on machines of their own

    async def visitor(client: aiohttp.ClientSession, first: int, visits: Visits) -> None:
        number = first
        while not over.is_set():
            began = time.perf_counter()
            try:
                async with client.get(origin + PAGES[number % len(PAGES)]) as answer:
                    await answer.read()
                    visits.statuses[str(answer.status)] += 1
            except (aiohttp.ClientError, TimeoutError) as exc:
                visits.statuses[type(exc).__name__] += 1
            visits.seconds.append(time.perf_counter() - began)
            number += 1

    async def main() -> None:
        visits = Visits()
        connector = aiohttp.TCPConnector(limit=0)
        async with aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(60)) as client:
            await asyncio.gather(*(visitor(client, number, visits) for number in range(visitors)))
        told.put(visits)

    asyncio.run(main())


@contextmanager
def dashboard(folder: Path) -> Iterator[str]:
    """Serve the database of a folder; gives the origin."""
    process = subprocess.Popen(
        [*PROGRAM, "serve", "--port", "0"], cwd=folder, env=_environ(), stderr=subprocess.PIPE, text=True
    )
    assert process.stderr is not None
    found = re.search(r"http://127\.0\.0\.1:\d+", process.stderr.readline())
    assert found
    try:
        yield found[0]
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(30)


@contextmanager
def visited(origin: str, visitors: int) -> Iterator[Visits]:
    """Visitors as long as this lasts; what they saw is there afterwards."""
    over, told = multiprocessing.Event(), multiprocessing.Queue()
    process = multiprocessing.Process(target=visit, args=(origin, visitors, over, told), daemon=True)
    process.start()
    seen = Visits()
    try:
        yield seen
    finally:
        over.set()
        last = told.get(timeout=90)
        seen.statuses, seen.seconds = last.statuses, last.seconds
        process.join(10)


def run(folder: Path, port: int) -> Round:
    """One run over all records, whether due or not."""
    began = time.perf_counter()
    words = (*PROGRAM, "-q", "run", "--force", "--connect-to", f"::127.0.0.1:{port}")
    process = subprocess.Popen(words, cwd=folder, env=_environ(), stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode in {0, 1}, process.returncode
    return Round(time.perf_counter() - began, usage.ru_utime + usage.ru_stime)


def _environ() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT)}


def main() -> None:
    """Measure, and print the ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hosts", type=int, default=200)
    parser.add_argument("--each", type=int, default=60)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--visitors", type=int, default=50)
    said = parser.parse_args()
    ports, over = multiprocessing.Queue(), multiprocessing.Event()
    server = multiprocessing.Process(target=serve, args=(ports, over), daemon=True)
    server.start()
    port = ports.get()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        prepare(folder, said.hosts * said.each, said.hosts)
        (folder / "config.toml").write_text(CONFIG)
        run(folder, port)
        ratios = [measure(folder, port, said.visitors) for _ in range(said.rounds)]
    over.set()
    server.join(5)
    print(
        f"median ratio of the seconds of a run with visitors to one without: {statistics.median(ratios):.3f}"
    )


def measure(folder: Path, port: int, visitors: int) -> float:
    """A run alone, and one with visitors; says what came of both, and gives the ratio of their seconds."""
    with dashboard(folder) as origin:
        alone = run(folder, port)
        with visited(origin, visitors) as seen:
            watched = run(folder, port)
    spent = sorted(seen.seconds)
    for name, one in (("alone", alone), ("watched", watched)):
        print(f"{name}: {one.seconds:.1f} s, {one.processor:.1f} s of the processor")
    print(f"visitors: {dict(seen.statuses)}, {len(spent) / watched.seconds:.0f} pages/s, median ", end="")
    late = spent[len(spent) * 95 // 100]
    print(f"{statistics.median(spent):.2f} s, 95 % {late:.2f} s, last {spent[-1]:.2f} s", flush=True)
    if set(seen.statuses) != {"200"}:
        sys.exit("a visitor saw an error")
    return watched.seconds / alone.seconds


if __name__ == "__main__":
    main()
