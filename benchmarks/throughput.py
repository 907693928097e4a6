"""Targets a second of a whole run, beside a bare aiohttp loop that sends the same requests.

Both ask the same small server (a process of its own) for the same URLs with HEAD, on the same
event loop, with the same number of requests at once; rounds are interleaved, the median counts.
Ours reads records, plans, checks, and keeps every finding in SQLite; the bare loop keeps nothing.

`--tls`: every host is asked over TLS, on connections of its own, and both check its certificate.

    python benchmarks/throughput.py [--targets 20000] [--hosts 400] [--rounds 3] [--tls]
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import os
import resource
import sqlite3
import ssl
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from datetime import datetime
from multiprocessing.synchronize import Event
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from tests import certs  # noqa: E402 - the root of the project goes on the path first

AT_ONCE = 128
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 0\r\n\r\n"


# Nobody waits for politeness here, and no page is looked at twice: the bare loop does neither.
CONFIG = f"""
[network]
concurrency = {AT_ONCE}
[hosts]
interval = 0
join = "host"
[checks]
not_found = false
parked = false
"""


class Server(asyncio.Protocol):
    """Answers every request at once, and looks at none."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way back."""
        self.transport = transport
        self.rest = b""

    def data_received(self, data: bytes) -> None:
        """Answer as many requests as came."""
        data = self.rest + data
        count = data.count(b"\r\n\r\n")
        self.rest = data.rpartition(b"\r\n\r\n")[2]
        self.transport.write(ANSWER * count)  # type: ignore[attr-defined]  # a stream transport


def serve(
    port: multiprocessing.Queue[int],
    over: Event,
    host: str = "127.0.0.1",
    context: ssl.SSLContext | None = None,
) -> None:
    """Serve until told that it is over."""
    import uvloop  # noqa: PLC0415 - both sides use it

    async def main() -> None:
        server = await asyncio.get_running_loop().create_server(Server, host, 0, ssl=context)
        port.put(server.sockets[0].getsockname()[1])
        await asyncio.to_thread(over.wait)
        server.close()

    uvloop.run(main())


BARE = """
import asyncio, ssl, sys, time, aiohttp, uvloop
port, count, hosts, at_once = map(int, sys.argv[1:5])
roots = sys.argv[5]
class Here(aiohttp.abc.AbstractResolver):
    async def resolve(self, host, _port=0, family=0):
        return [{"hostname": host, "host": "127.0.0.1", "port": port, "family": 2, "proto": 0, "flags": 0}]
    async def close(self): pass
async def main():
    scheme, context = ("https", ssl.create_default_context(cafile=roots)) if roots else ("http", True)
    urls = iter([f"{scheme}://h{n % hosts}.bench.example/{n}" for n in range(count)])
    connector = aiohttp.TCPConnector(resolver=Here(), limit=0, keepalive_timeout=10, ssl=context)
    timeout = aiohttp.ClientTimeout(total=60, sock_read=20)
    jar = aiohttp.DummyCookieJar()
    async with aiohttp.ClientSession(connector=connector, timeout=timeout, cookie_jar=jar) as s:
        async def work():
            for url in urls:
                async with s.head(url, allow_redirects=False) as r:
                    assert r.status == 200
        await asyncio.gather(*[work() for _ in range(at_once)])
start = time.perf_counter()
uvloop.run(main())
print(time.perf_counter() - start)
"""


@dataclass(frozen=True, slots=True)
class Measure:
    """Seconds and peak MB of a process, and the seconds from its first answer to its last."""

    seconds: float
    memory: float
    checking: float


def bare(port: int, targets: int, hosts: int, roots: str) -> Measure:
    """The bare loop."""
    words = [sys.executable, "-c", BARE, str(port), str(targets), str(hosts), str(AT_ONCE), roots]
    seconds, memory, out = measured(words, Path())
    return Measure(seconds, memory, float(out))


def ours(port: int, folder: Path) -> Measure:
    """A whole run, the start of the program included."""
    for old in folder.glob("linkhealth.db*"):
        old.unlink()
    words = [
        sys.executable,
        "-m",
        "crawler",
        "-q",
        "audit",
        "--connect-to",
        f"::127.0.0.1:{port}",
        "-o",
        "/dev/null",
    ]
    seconds, memory, _ = measured([*words, "--format", "jsonl"], folder)
    return Measure(seconds, memory, checking(folder))


def checking(folder: Path) -> float:
    """Seconds from the first finding of the newest run to the last, by its database."""
    with sqlite3.connect(folder / "linkhealth.db") as database:
        ends = database.execute("SELECT min(checked_at), max(checked_at) FROM finding").fetchone()
    first, last = (datetime.fromisoformat(end) for end in ends)
    return (last - first).total_seconds()


def measured(words: list[str], folder: Path) -> tuple[float, float, str]:
    """Seconds, peak memory in MB, and standard output of a command."""
    start = time.perf_counter()
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(words, cwd=folder, env=environ, stdout=subprocess.PIPE, text=True)
    out = process.stdout.read() if process.stdout else ""
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"{words[0:4]} ended with {process.returncode}")
    return time.perf_counter() - start, usage.ru_maxrss / 1024, out


def prepare(folder: Path, targets: int, hosts: int, roots: str = "") -> None:
    """Write records of fifty links each, and a configuration that makes nobody wait."""
    scheme = "https" if roots else "http"
    (folder / "seeds").mkdir()
    for first in range(0, targets, 50):
        links = "".join(
            f"  - webUrl: {scheme}://h{n % hosts}.bench.example/{n}\n"
            for n in range(first, min(first + 50, targets))
        )
        (folder / "seeds" / f"{first:07}.md").write_text(f"---\nrelated:\n{links}---\n")
    (folder / "config.toml").write_text(CONFIG.replace("[hosts]", f'ca_file = "{roots}"\n[hosts]'))


def main() -> None:
    """Measure, and print the ratio."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--targets", type=int, default=20_000)
    parser.add_argument("--hosts", type=int, default=400)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--tls", action="store_true")
    options = parser.parse_args()
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    ports: multiprocessing.Queue[int] = multiprocessing.Queue()
    over = multiprocessing.Event()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        roots = certs.roots(folder) if options.tls else ""
        context = certs.server(folder, "good", "*.bench.example") if options.tls else None
        server = multiprocessing.Process(target=serve, args=(ports, over, "127.0.0.1", context), daemon=True)
        server.start()
        port = ports.get()
        prepare(folder, options.targets, options.hosts, roots)
        rounds = [
            (bare(port, options.targets, options.hosts, roots), ours(port, folder))
            for _ in range(options.rounds)
        ]
    over.set()
    server.join(5)
    show(rounds, options.targets)


def show(rounds: list[tuple[Measure, Measure]], targets: int) -> None:
    """Print both sides, and the ratios."""
    for label, side in (("bare aiohttp loop", 0), ("linkhealth audit", 1)):
        seconds = statistics.median(one[side].seconds for one in rounds)
        memory = max(one[side].memory for one in rounds)
        print(f"{label:<18} {targets / seconds:8.0f} targets/s  {seconds:6.2f} s  {memory:5.0f} MB")
    whole = statistics.median(one.seconds / two.seconds for one, two in rounds)
    checking = statistics.median(one.checking / two.checking for one, two in rounds)
    print(f"ratio {checking:.2f} of the bare loop from the first answer to the last")
    print(f"ratio {whole:.2f} of the bare loop, whole processes")


if __name__ == "__main__":
    main()
