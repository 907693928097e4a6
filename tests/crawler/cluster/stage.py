"""A shared run on one machine: a database server, a web, a command that plans, and workers."""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import psycopg

from tests.program import Ended, ended, run, start
from tests.site import Site, Wire, page, serve
from tests.storage import postgres

INTERVAL: Final = 0.25
LEASE: Final = 2.0
RENEW: Final = 0.4
JITTER: Final = 0.15  # seconds by which a busy machine may see one request late
TICK: Final = 0.05
BEAT: Final = 0.01
HOSTS, PAGES = 16, 16


def web(pages: int) -> list[str]:
    """URLs of a web whose hosts have so many pages each."""
    return [f"http://h{host}.example/{number}" for host in range(HOSTS) for number in range(pages)]


URLS: Final = web(PAGES)
HELD: Final = "http://held.example/"  # a page that a test may hold back
ASKED_BY_GET: Final = 1  # a HEAD that is not answered for long gets a GET beside it
CONFIG: Final = """
[network]
connect_timeout = 1
read_timeout = {patience}
[hosts]
interval = {interval}
[retry]
backoff = 0.01
max_wait = 2
[checks]
not_found = false
parked = false
[database]
url = "{url}"
[sharing]
shards = 16
lease = {lease}
renew = {renew}
"""


def config(url: str, interval: float = INTERVAL, lease: float = LEASE, patience: float = 2.0) -> str:
    """A configuration with short leases; `patience` are seconds that an answer may take."""
    return CONFIG.format(url=url, interval=interval, lease=lease, patience=patience, renew=RENEW)


@dataclass(slots=True)
class Stage:
    """What a test plays on; `processes` are those that it started.

    `stall` is the longest time in seconds that this process had to wait for a processor: by as much a
    busy machine may hold up what a worker sends, and what the web sees.
    """

    site: Site
    folder: Path
    url: str
    socket: str
    processes: list[asyncio.subprocess.Process] = field(default_factory=list)
    stall: float = 0.0

    async def run(
        self, *words: str, command: str = "audit", ahead: float = 0.0
    ) -> asyncio.subprocess.Process:
        """Start the command that plans, and works itself; its clock is so many seconds `ahead`."""
        options = ("--shared", "--connect-to", self.site.detour, "-o", "report.txt")
        asked = len(self.site.log)
        process = await self._start(command, *options, *words, ahead=ahead)
        await self.site.hear(asked + 1)
        return process

    async def worker(
        self, name: str, folder: Path | None = None, ahead: float = 0.0
    ) -> asyncio.subprocess.Process:
        """Start a worker that waits for a run, in a folder of its own if its configuration is another."""
        return await self._start("worker", "--wait", "--name", name, folder=folder, ahead=ahead)

    async def _start(
        self, *words: str, folder: Path | None = None, ahead: float = 0.0
    ) -> asyncio.subprocess.Process:
        process = await start(folder or self.folder, *words, ahead=ahead)
        self.processes.append(process)
        return process

    def hold(self, url: str) -> asyncio.Event:
        """Answer this URL no sooner than the event is set: so long, the run goes on."""
        go = asyncio.Event()

        async def step(wire: Wire) -> None:
            await go.wait()
            await page()(wire)

        self.site.add(url, step)
        return go

    async def status(self) -> Ended:
        """What status says."""
        return await run(self.folder, "status")

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """The rows of a query."""
        with psycopg.connect(f"host={self.socket} user={postgres.USER} dbname=postgres") as connection:
            made = connection.execute("SELECT to_regclass('worker')").fetchone()
            return connection.execute(query.encode()).fetchall() if made != (None,) else []

    async def until(self, true: Callable[[], bool], seconds: float = 60) -> None:
        """Wait until something is so."""
        async with asyncio.timeout(seconds):
            # In a thread: a web that stands still while a database answers sees requests late.
            while not await asyncio.to_thread(true):  # noqa: ASYNC110 - it happens in other processes
                await asyncio.sleep(TICK)

    def shards_of(self, name: str) -> int:
        """How many shards a worker has, its lease good or not."""
        query = (
            f"SELECT count(*) FROM shard JOIN worker ON worker.id = owner WHERE NOT done AND name = '{name}'"
        )
        return sum(count for (count,) in self.rows(query))

    async def has_work(self, name: str) -> None:
        """Wait until a worker has shards, and has found something."""
        query = f"SELECT 1 FROM worker WHERE name = '{name}' AND found > 0"
        await self.until(lambda: self.shards_of(name) > 0 and self.rows(query) != [])

    async def silence(self, seconds: float) -> None:
        """Wait until the web has heard nothing for so long."""
        loop = asyncio.get_running_loop()
        await self.until(lambda: loop.time() - self.site.log[-1].at > seconds)

    def times(self) -> dict[str, list[float]]:
        """When each host was asked."""
        found: dict[str, list[float]] = defaultdict(list)
        for one in self.site.log:
            found[one.headers["host"]].append(one.at)
        return found

    def polite(self, interval: float = INTERVAL) -> None:
        """No two requests to a host, nor any row of them, are closer than the interval allows."""
        for host, times in self.times().items():
            for count in (1, 2, 4, 8):
                for earlier, later in zip(times, times[count:], strict=False):
                    least = count * interval - JITTER - self.stall
                    assert later - earlier > least, (host, count, later - earlier)

    async def watch(self) -> None:
        """Note when this process stands still."""
        loop = asyncio.get_running_loop()
        while True:
            before = loop.time()
            await asyncio.sleep(BEAT)
            self.stall = max(self.stall, loop.time() - before - BEAT)

    def check(self, again: int, urls: list[str] = URLS, interval: float = INTERVAL) -> None:
        """What has to be true however a run went: `again` targets at most were asked more than once."""
        found = self.rows("SELECT url, finding.verdict FROM finding JOIN target ON target.id = target_id")
        assert sorted(url for url, _ in found) == sorted(urls)
        assert {verdict for _, verdict in found} == {"ok"}
        asked = Counter(one.url for one in self.site.log)
        assert asked.keys() >= {url for url, _ in found}
        assert asked.total() - len(asked) <= again
        self.polite(interval)
        assert self.rows("SELECT ended FROM run") == [("finished",)]
        assert self.rows("SELECT 1 FROM task") == self.rows("SELECT 1 FROM shard WHERE NOT done") == []


def install(folder: Path, version: str) -> None:
    """Make Python find that version of the program where it looks into this folder first."""
    told = folder / f"linkhealth-{version}.dist-info"
    told.mkdir()
    (told / "METADATA").write_text(f"Metadata-Version: 2.1\nName: linkhealth\nVersion: {version}\n")


def write_records(folder: Path, urls: list[str]) -> None:
    """One record that names them all."""
    (folder / "seeds").mkdir(parents=True)
    lines = "".join(f"  - webUrl: {url}\n" for url in urls)
    (folder / "seeds" / "a.md").write_text(f"---\nrelated:\n{lines}---\n")


@asynccontextmanager
async def staged(
    server: postgres.Server, folder: Path, urls: list[str] = URLS, patience: float = 2.0
) -> AsyncIterator[Stage]:
    """A stage, cleared at the end."""
    url = f"postgresql://{postgres.USER}@/postgres?host={server.folder}"
    write_records(folder, urls)
    (folder / "config.toml").write_text(config(url, patience=patience))
    async with serve() as site:
        site.fallback = page()
        stage = Stage(site, folder, url, server.folder)
        watching = asyncio.create_task(stage.watch())
        try:
            yield stage
        finally:
            watching.cancel()
            for process in stage.processes:
                if process.returncode is None:
                    process.kill()
                    await process.communicate()


async def over(first: asyncio.subprocess.Process, *workers: asyncio.subprocess.Process) -> list[int]:
    """How a run ends by itself, and then its workers, once they are told to; 0 and 4 if all is well."""
    done = await ended(first)
    for worker in workers:
        worker.terminate()
    said = [done, *[await ended(worker) for worker in workers]]
    assert not any("Traceback" in one.err or "defect" in one.err for one in said), said
    return [one.code for one in said]


class Line:
    """A way to the database that can be cut: what comes in at one socket goes out at another."""

    def __init__(self, folder: Path, server: str) -> None:
        self.url = f"postgresql://{postgres.USER}@/postgres?host={folder}"
        self._here, self._there = folder / NAME, f"{server}/{NAME}"
        self._writers: list[asyncio.StreamWriter] = []
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def mend(self) -> None:
        """Let through what comes."""
        self._server = await asyncio.start_unix_server(self._relay, self._here)

    async def cut(self) -> None:
        """End every connection, and take none."""
        if self._server is not None:
            self._server.close()
        for writer in self._writers:
            writer.transport.abort()
        self._writers.clear()
        self._here.unlink(missing_ok=True)
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far, away = await asyncio.open_unix_connection(self._there)
        self._writers += [writer, away]
        for one, other in ((reader, away), (far, writer)):
            task = asyncio.create_task(_pump(one, other))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)


NAME: Final = ".s.PGSQL.5432"


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
    except OSError:
        return
    finally:
        writer.close()
