"""Bytes that one waiting target costs: a million due targets, put into the lanes of a scheduler.

The database holds the targets of one record; `storage.queries.run.due` reads them, `crawler.engine.plan`
tells their lanes, and the scheduler runs them against a web that answers at once. Each side is a process
of its own: the base has all that is imported, an open database and an empty scheduler.

    python -m benchmarks.memory [--targets 1000000] [--hosts 20000]
"""

from __future__ import annotations

import argparse
import asyncio
import ctypes
import gc
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import sqlalchemy as sa

from crawler.engine.plan import by_lane
from crawler.lanes import LaneLimits, Permit, Scheduler, Signal
from crawler.urls import lane_key
from storage.db import schema
from storage.db.database import open_engine
from storage.model import Run, Target
from storage.queries import run as queries

LIMIT: Final = 600
BATCH: Final = 10_000


def fill(path: Path, targets: int, hosts: int) -> None:
    """Write one record of so many links, each to a target of its own, into a new database."""
    engine = open_engine(f"sqlite:///{path}")
    now = datetime.now(UTC)
    with engine.begin() as connection:
        run = {"id": 1, "command": "audit", "started_at": now}
        connection.execute(sa.insert(schema.run), run)
        record = {"id": 1, "path": "seeds/all.md", "number": 0, "seen_run": 1}
        connection.execute(sa.insert(schema.record), record)
        for first in range(0, targets, BATCH):
            numbers = range(first, min(first + BATCH, targets))
            connection.execute(sa.insert(schema.target), [_target(n, hosts) for n in numbers])
            connection.execute(sa.insert(schema.link), [_link(n) for n in numbers])
    engine.dispose()


def _target(number: int, hosts: int) -> dict[str, object]:
    host = f"www.site-{number % hosts:06}.example"
    return {"id": number + 1, "url": f"https://{host}/news/2026/11/article-{number:09}.html", "host": host}


def _link(number: int) -> dict[str, object]:
    kind = "image" if number % 3 else "web"
    place = {"field": f"related[{number}].url", "item": f"related[{number}]", "line": number, "column": 1}
    keys = {"record_id": 1, "target_id": number + 1, "first_run": 1}
    return {**place, **keys, "kind": kind, "text": "as its target"}


def resident() -> int:
    """Bytes of this process in memory, after everything free was given back."""
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    return _status("VmRSS")


def peak() -> int:
    """The most bytes that this process ever had in memory."""
    return _status("VmHWM")


def _status(name: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(name))


class Web:
    """Answers every request at once."""

    def __init__(self) -> None:
        self.gate = Scheduler[Target](128, lambda _: LaneLimits(interval=0.0))
        self.asked = 0

    async def work(self, target: Target, permit: Permit[Target]) -> None:
        """Ask, and give the permit back."""
        del target
        await asyncio.sleep(0)
        self.asked += 1
        self.gate.release(permit, Signal.OK)

    def dropped(self, target: Target, why: Exception) -> None:
        """Nothing closes a lane here.

        Raises:
            RuntimeError: something did.
        """
        raise RuntimeError(f"{target.url}: {why}")


async def child(path: Path) -> None:
    """Plan and run; print the bytes before, planned, at the peak, and how many were asked."""
    engine = open_engine(f"sqlite:///{path}")
    run = Run(1, "audit", datetime.now(UTC))
    web = Web()
    base = resident()
    targets = queries.due_targets(engine, run)
    for key, target in by_lane(targets, lane_key):
        web.gate.add(key, target)
    planned = resident()
    await web.gate.run(web)
    print(base, planned, peak(), web.asked, flush=True)


def main() -> None:
    """Print bytes a target; fail if they are over the limit."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--targets", type=int, default=1_000_000)
    parser.add_argument("--hosts", type=int, default=20_000)
    parser.add_argument("--child", type=Path)
    options = parser.parse_args()
    if options.child is not None:
        asyncio.run(child(options.child))
        return
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "linkhealth.db"
        fill(path, options.targets, options.hosts)
        words = [sys.executable, "-m", "benchmarks.memory", "--child", str(path)]
        said = subprocess.run(words, check=True, capture_output=True, text=True).stdout
    base, planned, most, asked = map(int, said.split())
    if asked != options.targets:
        sys.exit(f"{asked} of {options.targets} were asked")
    print(f"base {base / 2**20:.0f} MiB, {options.targets} targets on {options.hosts} hosts")
    print(f"planned        {(planned - base) / options.targets:5.0f} bytes a target")
    print(f"at the peak    {(most - base) / options.targets:5.0f} bytes a target, limit {LIMIT}")
    sys.exit((most - base) / options.targets > LIMIT)


if __name__ == "__main__":
    main()
