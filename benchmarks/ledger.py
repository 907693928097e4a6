"""Findings a second through the real ledger, on SQLite and, where a server can be had, PostgreSQL.

A fifth of the findings failed and has three requests; states are judged and changes of state written,
as in a run. Batches are those of the ledger itself. The limits stand for a machine of some speed: they
go with what the plain driver of SQLite does here, now. What the event loop pays is the processor time
of its thread for each finding.

`--mixed`: findings come as lanes give them, not in the order of their targets; no limit holds for that.
The bytes that SQLite gives to the disk are told for each finding.

    python benchmarks/ledger.py [--findings 200000] [--rounds 3] [--mixed]
"""

from __future__ import annotations

import argparse
import asyncio
import random
import sqlite3
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import psycopg
import sqlalchemy as sa

sys.path.insert(0, str(Path(__file__).parents[1]))

from crawler.verdicts.states import RevisitIntervals, StateThresholds, advance
from storage.db import schema
from storage.db.database import open_engine
from storage.db.transactions import writing
from storage.ledger import Ledger, begin_run
from storage.model import Finding, Hop, Verdict
from tests.storage import postgres

LIMITS = {"sqlite": 60_000, "postgresql": 30_000}  # findings a second, on a machine where ...
PLAIN = 264_000  # ... the plain driver of SQLite writes so many rows of twelve columns
SHARE = 0.02  # of the time of the event loop, at a thousand findings a second
JUDGE = partial(advance, evidence=StateThresholds(), freshness=RevisitIntervals())


def findings(count: int) -> list[Finding]:
    """So many findings, each on a target of its own, a fifth of them bad."""
    return [_bad(number) if number % 5 == 0 else _good(number) for number in range(1, count + 1)]


def in_order_of_run(made: list[Finding]) -> list[Finding]:
    """The findings as lanes give them: neighbours in the tables do not come one after the other."""
    mixed = [*made]
    random.Random(1).shuffle(mixed)
    return mixed


def disk_bytes() -> int:
    """Bytes that this process gave to the disk so far (proc(5), io); 0 where the system does not tell."""
    try:
        lines = Path("/proc/self/io").read_text(encoding="ascii").splitlines()
    except OSError:
        return 0
    return next(int(line.split()[1]) for line in lines if line.startswith("write_bytes"))


def _good(number: int) -> Finding:
    now, url = datetime.now(UTC), _url(number)
    hop = Hop(url, "HEAD", 200, None, 0.08, 1, "192.0.2.1")
    return Finding(
        number,
        url,
        Verdict.OK,
        now,
        200,
        url,
        hops=(hop,),
        attempts=1,
        requests=1,
        elapsed=0.08,
    )


def _bad(number: int) -> Finding:
    url = _url(number)
    hops = tuple(Hop(url, "GET", 503, None, 0.2, attempt, "192.0.2.1") for attempt in (1, 2, 3))
    good = replace(_good(number), verdict=Verdict.UNAVAILABLE, status=503, elapsed=3.2)
    return replace(good, hops=hops, attempts=3, requests=3)


def _url(number: int) -> str:
    return f"https://host{number % 1000}.example/articles/2026/11/23/some-story-of-the-day-{number}"


def fill(engine: sa.Engine, count: int) -> None:
    """Make the targets."""
    rows = [{"url": _url(number), "host": f"host{number % 1000}.example"} for number in range(1, count + 1)]
    with writing(engine) as connection:
        connection.execute(sa.insert(schema.target), rows)


async def write(engine: sa.Engine, made: list[Finding]) -> tuple[float, float, float]:
    """Put all findings; return the seconds until the last is written, of the processor, and of the loop."""
    run = begin_run(engine, "audit", datetime.now(UTC))
    started, busy, worked = time.perf_counter(), time.process_time(), time.thread_time()
    async with Ledger(engine, run, JUDGE) as ledger:
        for finding in made:
            await ledger.put(finding)
        worked = time.thread_time() - worked
    return time.perf_counter() - started, time.process_time() - busy, worked


def plain(count: int) -> float:
    """Rows a second that the plain driver of SQLite writes: twelve columns, one transaction."""
    row = (1, 2, "ok", "alive", 200, _url(1), None, 1, 1, 0.08, 512, "2026-11-23 04:00:00.000000")
    with tempfile.TemporaryDirectory() as folder:
        database = sqlite3.connect(f"{folder}/plain.db")
        database.execute("PRAGMA journal_mode = WAL")
        database.execute(f"CREATE TABLE row ({', '.join(f'c{number}' for number in range(12))})")
        started = time.perf_counter()
        with database:
            database.executemany(f"INSERT INTO row VALUES ({', '.join('?' * 12)})", [row] * count)
        seconds = time.perf_counter() - started
        database.close()
    return count / seconds


def measure(name: str, url: str, made: list[Finding], rounds: int) -> bool:
    """Measure one database; tell whether it keeps its limit."""
    count = len(made)
    limit = LIMITS[name] * max(plain(count) for _ in range(rounds)) / PLAIN
    engine = open_engine(url)
    fill(engine, count)
    before = disk_bytes()
    took = [asyncio.run(write(engine, made)) for _ in range(rounds)]
    engine.dispose()
    written = (disk_bytes() - before) / count / rounds if name == "sqlite" else None
    seconds, _, worked = min(took)
    rate, share = count / seconds, worked / count * 1000
    print(
        f"{name:<11} {rate:>9,.0f} findings/s (limit {LIMITS[name]:,}, here and now {limit:,.0f}); "
        f"{count / min(busy for _, busy, _ in took):,.0f} a second of the processor; "
        f"rounds: {', '.join(f'{count / one:,.0f}' for one, *_ in took)}; "
        f"the loop pays {worked / count * 1e6:.1f} us each, {share:.2%} of its time at 1,000 a second"
        + (f"; {written:,.0f} bytes go to the disk for each" if written is not None else "")
    )
    return rate >= limit and share <= SHARE


@contextmanager
def server() -> Iterator[str]:
    """The URL of an empty database on a server that lasts as long as it is needed."""
    with postgres.serving() as folder:
        with psycopg.connect(postgres.dsn(folder), autocommit=True) as connection:
            connection.execute("CREATE DATABASE ledger")
        yield f"postgresql://{postgres.USER}@/ledger?host={folder}"


def main() -> int:
    """Measure both, and fail if a limit is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--findings", type=int, default=200_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--mixed", action="store_true")
    said = parser.parse_args()
    made = in_order_of_run(findings(said.findings)) if said.mixed else findings(said.findings)
    with tempfile.TemporaryDirectory() as folder:
        fine = [measure("sqlite", f"sqlite:///{folder}/ledger.db", made, said.rounds)]
    if postgres.missing():
        print(postgres.missing())
    else:
        with server() as url:
            fine.append(measure("postgresql", url, made, said.rounds))
    return 0 if said.mixed else int(not all(fine))


if __name__ == "__main__":
    raise SystemExit(main())
