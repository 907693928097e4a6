"""One seeded run on one process, on two, and on a Ray cluster of two nodes; then with three kills.

The web has a heavy tail: few hosts have most pages. Some pages are gone, some have moved. It answers on
loopback from a process of its own, which keeps a log. No order can end before the bound: the longest lane,
one request an interval. The makespan is from the first request to the last, as the web saw them; what
comes before is start-up, what comes after is the report.

In the last run three times a worker dies: twice the one that has the heaviest shard of those that Ray placed
is killed, then one of the two nodes. Until no shard is a dead worker's, the kill was not noticed; the limit
is that much later.

    python -m benchmarks.machines [--largest 320] [--interval 0.25] [--lease 10] [--only whole|killed]
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import multiprocessing
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Final, TypeAlias

import sqlalchemy as sa

from benchmarks.tail import DELAYS, tail, web
from storage.db import schema
from storage.db.database import open_engine
from storage.db.transactions import reading
from tests.crawler.cluster.ray.cluster import LOOPBACK, Cluster, clustered
from tests.site import Asked
from tests.storage import postgres

ROOT: Final = Path(__file__).parents[1]
LIMIT, LIMIT_KILLED, AGAIN = 1.10, 1.15, 0.05
KILLS: Final = (0.10, 0.25, 0.40)  # when workers die, in parts of the bound
SEATS: Final = 128  # requests under way at once in a run
SQLITE: Final = "sqlite:///linkhealth.db"
TICK: Final = 0.1
WORKERS: Final = (
    "SELECT w.name, max(s.weight) FROM worker AS w JOIN shard AS s ON s.owner = w.id "
    "WHERE NOT s.done AND s.lease_until > timezone('utc', clock_timestamp()) GROUP BY 1 ORDER BY 2 DESC, 1"
)
OWNERS: Final = "SELECT DISTINCT w.name FROM worker AS w JOIN shard AS s ON s.owner = w.id WHERE NOT s.done"
CONFIG: Final = """
[hosts]
interval = {interval}
[checks]
not_found = false
parked = false
[database]
url = "{url}"
[sharing]
lease = {lease}
renew = {renew}
"""
Log: TypeAlias = list[Asked]
Verdicts: TypeAlias = dict[str, tuple[str, int | None]]


@dataclass(slots=True)
class Run:
    """What a run took, what the web saw of it, and what it found. Times are seconds."""

    start: float
    end: float
    log: Log
    verdicts: Verdicts
    twice: int
    noticed: list[float] = field(default_factory=list)

    @property
    def makespan(self) -> float:
        """From the first request to the last."""
        return self.log[-1].at - self.log[0].at

    @property
    def needed(self) -> Counter[str]:
        """How many different requests each host got."""
        return Counter(
            host for host, _, _ in {(one.headers["host"], one.method, one.url) for one in self.log}
        )

    @property
    def again(self) -> int:
        """How many requests were sent more than once."""
        return len(self.log) - self.needed.total()

    def closest(self) -> float:
        """The least seconds between two requests to one host."""
        times: dict[str, list[float]] = defaultdict(list)
        for one in self.log:
            times[one.headers["host"]].append(one.at)
        return min(b - a for some in times.values() for a, b in itertools.pairwise(some))


class Bench:
    """Runs the program in folders of its own, against one web."""

    def __init__(self, options: argparse.Namespace, pipe: Connection) -> None:
        self.options, self._pipe, self._detour = options, pipe, pipe.recv()

    def first(self, urls: list[str]) -> tuple[Run, float]:
        """The run on one process that others are compared with, and the bound of all."""
        first = self.run(urls, SQLITE)
        longest = (max(first.needed.values()) - 1) * self.options.interval
        bound = max(longest, first.needed.total() * sum(DELAYS) / 2 / SEATS)
        print(f"{len(urls)} targets, {len(first.needed)} lanes; cannot end before {bound:.1f} s")
        print(
            f"{'':<18}{'start':>7}{'makespan':>10}{'end':>7}{'/bound':>9}{'limit':>8}{'requests':>10}", end=""
        )
        print(f"{'again':>8}{'lost':>6}{'twice':>7}{'verdicts':>10}{'closest':>9} noticed after")
        return first, bound

    def run(self, urls: list[str], url: str, *words: str) -> Run:
        """One run to its end."""
        return asyncio.run(self._run(urls, url, words, None))

    async def on_ray(self, urls: list[str], url: str, bound: float | None) -> Run:
        """One run on a cluster of two nodes; with a bound, three times a worker dies."""
        async with clustered() as cluster:
            killer = None if bound is None else Killer(url, bound, cluster)
            return await self._run(urls, url, ("--ray", cluster.address, "--workers", "2"), killer)

    async def _run(self, urls: list[str], url: str, words: tuple[str, ...], killer: Killer | None) -> Run:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            self._prepare(folder, urls, url)
            start, process = time.monotonic(), self._start(folder, words)
            noticed = [] if killer is None else await killer.kill_three(process)
            code = await asyncio.to_thread(process.wait)
            end = time.monotonic()
            if code not in {0, 1} or (killer and len(noticed) < len(KILLS)):
                sys.exit(f"{' '.join(words)} ended with {code}:\n{(folder / 'said').read_text()}")
            verdicts, rows = found(url.replace("sqlite:///", f"sqlite:///{folder}/"))
        self._pipe.send("report")
        return Run(start, end, self._pipe.recv(), verdicts, rows - len(verdicts), noticed)

    def _prepare(self, folder: Path, urls: list[str], url: str) -> None:
        (folder / "seeds").mkdir()
        links = "".join(f"  - webUrl: {one}\n" for one in urls)
        (folder / "seeds" / "links.md").write_text(f"---\nrelated:\n{links}---\n")
        lease = self.options.lease
        said = CONFIG.format(interval=self.options.interval, url=url, lease=lease, renew=lease / 6)
        (folder / "config.toml").write_text(said)

    def _start(self, folder: Path, words: tuple[str, ...]) -> subprocess.Popen[bytes]:
        command = (sys.executable, "-m", "crawler", "audit", "--connect-to", self._detour, "-o", "report.txt")
        environ = {**os.environ, **LOOPBACK, "PYTHONPATH": str(ROOT)}
        with (folder / "said").open("wb") as said:
            return subprocess.Popen([*command, *words], cwd=folder, env=environ, stderr=said)


class Over(Exception):
    """The run has ended."""


class Killer:
    """Ends workers of Ray's: twice the one with the heaviest shard, then all of the second node."""

    def __init__(self, url: str, bound: float, cluster: Cluster) -> None:
        self._engine, self._bound, self._cluster = open_engine(url), bound, cluster

    async def kill_three(self, process: subprocess.Popen[bytes]) -> list[float]:
        """Kill, and return the seconds until each was noticed: fewer if the run ended before."""
        noticed: list[float] = []
        with suppress(Over):
            await self._kill_three(process, noticed)
        self._engine.dispose()
        return noticed

    async def _kill_three(self, process: subprocess.Popen[bytes], noticed: list[float]) -> None:
        while not self._rows("SELECT 1 FROM worker WHERE found > 0"):
            await self._rest(process)
        began = time.monotonic()
        for number, part in enumerate(KILLS):
            # Two of them are most likely on two nodes.
            node = number == len(KILLS) - 1
            while time.monotonic() - began < part * self._bound or len(pids := self._workers()) <= node:
                await self._rest(process)
            if node:
                await self._cluster.kill_node()
            else:
                os.kill(pids[0], signal.SIGKILL)
            killed = time.monotonic()
            await self._rest(process)
            while any(not _lives(_pid(name)) for (name,) in self._rows(OWNERS)):
                await self._rest(process)
            noticed.append(time.monotonic() - killed)

    async def _rest(self, process: subprocess.Popen[bytes]) -> None:
        if process.poll() is not None:
            raise Over
        await asyncio.sleep(TICK)

    def _workers(self) -> list[int]:
        """The processes of Ray's that have shards, the heaviest first."""
        return [_pid(name) for name, _ in self._rows(WORKERS) if name.startswith("ray ")]

    def _rows(self, query: str) -> list[tuple[str, float]]:
        with reading(self._engine) as connection:
            return [tuple(row) for row in connection.execute(sa.text(query))]


def _pid(name: str) -> int:
    return int(name.rpartition(":")[2])


def _lives(pid: int) -> bool:
    """Whether a process is there, and no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def found(url: str) -> tuple[Verdicts, int]:
    """Verdict and status of each URL, and how many findings there are."""
    engine = open_engine(url)
    finding, target = schema.finding, schema.target
    query = sa.select(target.c.url, finding.c.verdict, finding.c.status).join(
        target, target.c.id == finding.c.target_id
    )
    with reading(engine) as connection:
        rows = connection.execute(query).all()
    engine.dispose()
    return {row.url: (row.verdict, row.status) for row in rows}, len(rows)


@contextmanager
def database() -> Iterator[str]:
    """The URL of an empty database on a server of its own."""
    with postgres.serving() as folder:
        yield f"postgresql://{postgres.USER}@/postgres?host={folder}"


def show(name: str, run: Run, first: Run, bound: float) -> bool:
    """Print one row; return whether the run keeps its limits."""
    late = sum(run.noticed)
    limit = LIMIT_KILLED * bound + late if run.noticed else LIMIT * bound
    lost = len(first.verdicts.keys() - run.verdicts.keys())
    same, again = run.verdicts == first.verdicts, run.again / len(run.log)
    print(
        f"{name:<18}{run.log[0].at - run.start:>7.1f}{run.makespan:>10.1f}{run.end - run.log[-1].at:>7.1f}"
        f"{run.makespan / bound:>9.3f}{limit / bound:>8.3f}{len(run.log):>10}{again:>8.2%}{lost:>6}"
        f"{run.twice:>7}{'same' if same else 'differ':>10}{run.closest():>9.3f}",
        *(f"{one:.1f}" for one in run.noticed),
        flush=True,
    )
    return run.makespan <= limit and same and not lost and not run.twice and again <= AGAIN


def whole(bench: Bench) -> bool:
    """The runs in which nobody dies."""
    urls = tail(bench.options.largest, 300, 1.0)
    first, bound = bench.first(urls)
    fine = [show("one process", first, first, bound)]
    fine.append(show("--workers 2", bench.run(urls, SQLITE, "--workers", "2"), first, bound))
    with database() as url:
        fine.append(show("Ray, two nodes", asyncio.run(bench.on_ray(urls, url, None)), first, bound))
    return all(fine)


def killed(bench: Bench) -> bool:
    """The run with three kills; its web has more large hosts, so that those who die have work."""
    urls = tail(bench.options.largest, 60, 0.5)
    first, bound = bench.first(urls)
    fine = show("one process", first, first, bound)
    with database() as url:
        return show("Ray, three kills", asyncio.run(bench.on_ray(urls, url, bound)), first, bound) and fine


def main() -> None:
    """Fail if a limit is missed."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--largest", type=int, default=320, help="pages of the largest host")
    parser.add_argument("--interval", type=float, default=0.25)
    parser.add_argument("--lease", type=float, default=10.0)
    parser.add_argument("--only", choices=("whole", "killed"))
    options = parser.parse_args()
    pipe, other = multiprocessing.Pipe()
    multiprocessing.Process(target=web, args=(other,), daemon=True).start()
    bench = Bench(options, pipe)
    parts = {"whole": whole, "killed": killed}
    fine = [part(bench) for name, part in parts.items() if options.only in {None, name}]
    sys.exit(not all(fine))


if __name__ == "__main__":
    main()
