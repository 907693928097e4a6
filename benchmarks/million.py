"""Makes a database of a million targets with ten million findings, and times the dashboard on it.

A target has three links, a record thirty; 15 % of the targets fail. Times are those of the first
byte of an answer, through a socket of this machine, of one request after the other.

    python benchmarks/million.py FILE [--targets 1000000] [--runs 10] [--times 9]
"""

from __future__ import annotations

import argparse
import asyncio
import sqlite3
import statistics
import sys
import time
from contextlib import closing
from pathlib import Path

import aiohttp
import sqlalchemy as sa
from aiohttp import web

sys.path.insert(0, str(Path(__file__).parents[1]))

from crawler.dashboard import DashboardSettings
from crawler.dashboard.app import build
from storage.db import schema
from storage.db.database import open_engine, open_reader
from storage.db.statements import chunks
from storage.db.transactions import writing
from storage.rollups.hosts import count_hosts
from storage.rollups.images import note_changes, note_shared
from storage.rollups.severity import update_record_severities
from storage.rollups.targets import update_targets

MEDIAN, LONGEST = 200, 1000  # ms that a page may take
LINKS = 3  # of a target
RECORD = 30  # links of a record
HOSTS = 1142
VERDICTS = """CASE
  WHEN i % 100 < 5 THEN 'not-found' WHEN i % 100 < 7 THEN 'gone' WHEN i % 100 < 9 THEN 'timeout'
  WHEN i % 100 < 11 THEN 'server-error' WHEN i % 100 < 12 THEN 'soft-404' WHEN i % 100 < 13 THEN 'truncated'
  WHEN i % 100 < 14 THEN 'no-such-host' WHEN i % 100 < 15 THEN 'unavailable'
  WHEN i % 100 < 18 THEN 'forbidden' WHEN i % 100 < 25 THEN 'moved' ELSE 'ok' END"""
CLASSES = """CASE
  WHEN i % 100 < 7 OR i % 100 = 13 THEN 'hard' WHEN i % 100 IN (7, 8, 14) THEN 'transient'
  WHEN i % 100 < 11 THEN 'soft' WHEN i % 100 < 13 THEN 'content' WHEN i % 100 BETWEEN 15 AND 17 THEN 'unknown'
  ELSE 'alive' END"""
FAILS = "i % 100 < 15"
NUMBERS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {})"
HOST = f"'www.host' || (CASE i % 7 WHEN 0 THEN 0 ELSE i % {HOSTS} END) || '.example'"
KIND = "CASE WHEN i % 2 THEN 'image' WHEN i % 20 = 4 THEN 'amp' ELSE 'web' END"
URL = f"'https://' || {HOST} || '/articles/2026/11/' || i || '-some-story-of-the-day'"
DAY = "strftime('%Y-%m-%d 04:00:00.000000', '2026-11-23', '-' || {} || ' days')"


def steps(targets: int, runs: int) -> list[str]:
    """The statements that fill the tables, in their order."""
    numbers, records = NUMBERS.format(targets), targets * LINKS // RECORD
    thrice, days = f"{numbers}, t(k) AS (VALUES (0), (1), (2))", DAY.format("(i % 90)")
    every = range(1, runs + 1)
    return [
        *(_run(run, runs) for run in every),
        f"""{NUMBERS.format(records)} INSERT INTO record (id, path, number, seen_run)
        SELECT i, printf('content/%03d/%06d.md', i / 1000, i), 0, {runs} FROM n""",
        f"""{numbers} INSERT INTO target (id, url, host, state, since, failing_since, failures, checked_at,
        next_due, last_run) SELECT i, {URL}, {HOST}, CASE WHEN NOT {FAILS} THEN 'alive' WHEN i % 3 THEN
        'suspect' ELSE 'dead' END, {days}, CASE WHEN {FAILS} THEN {days} END, 0, {DAY.format(0)},
        {DAY.format("(-(i % 9))")}, {runs} FROM n""",
        f"""{thrice} INSERT INTO link (record_id, target_id, kind, field, item, line, "column", text,
        first_run, judged_run) SELECT ((i * {LINKS} + k) * 7919) % {records} + 1, i, {KIND},
        'related[' || (i % 10) || '].url', 'related[' || (i % 10) || ']', i % 400 + 4, 11, {URL}, 1, {runs}
        FROM n, t""",
        """INSERT INTO link_issue (link_id, issue, expected, actual)
        SELECT id, 'size-mismatch', '1200x675', '1200x630' FROM link WHERE target_id % 50 = 1""",
        *(_findings(run, numbers, runs) for run in every),
        f"""INSERT INTO hop SELECT run_id, target_id, 1, 1, 'GET', 'https://www.example/', status, NULL,
        elapsed, '192.0.2.1' FROM finding WHERE run_id = {runs} AND "class" <> 'alive'""",
        f"""{numbers} INSERT INTO image (run_id, target_id, width, height, orientation, format)
        SELECT {runs}, i, 1200, 630, 1, 'JPEG' FROM n WHERE i % 2 AND NOT {FAILS}""",
        f"""{numbers} INSERT INTO cached (target_id, digest, size, format, width, height, orientation, proof,
        url, stored_at, confirmed_at) SELECT i, 'sha256:' || printf('%064x', CASE WHEN i % 100 = 21 THEN
        i / 3000 ELSE i * 7919 END), 90000, 'JPEG', 1200, 630, 1, 'pixels', {URL}, {DAY.format(0)},
        {DAY.format(0)} FROM n WHERE i % 2 AND NOT {FAILS}""",
    ]


def _run(run: int, runs: int) -> str:
    at = DAY.format(runs - run)
    return f"INSERT INTO run VALUES ({run}, 'audit', {at}, {at}, 'finished')"


def _findings(run: int, numbers: str, runs: int) -> str:
    return f"""{numbers} INSERT INTO finding (run_id, target_id, verdict, "class", status, attempts, requests,
        elapsed, bytes, checked_at)
        SELECT {run}, i, {VERDICTS}, {CLASSES}, 200, 1, 1, 0.25, 2048, {DAY.format(runs - run)} FROM n"""


def make(path: Path, targets: int, runs: int) -> None:
    """Fill the file; the indexes of the largest table are made at the end, as that is quicker."""
    open_engine(f"sqlite:///{path}").dispose()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("PRAGMA journal_mode = OFF")
        connection.execute("DROP INDEX ix_finding_target")
        for step in steps(targets, runs):
            connection.execute(step)
            connection.commit()
        connection.execute("CREATE INDEX ix_finding_target ON finding (target_id, run_id)")
        connection.execute("PRAGMA journal_mode = WAL")
    settled(path)


def settled(path: Path) -> None:
    """Count and weigh, as the end of a run does; say how long that takes."""
    engine = open_engine(f"sqlite:///{path}")
    began = time.perf_counter()
    with engine.connect() as connection:
        keys = list(connection.execute(sa.select(schema.record.c.id)).scalars())
    for some in chunks(keys, 200):
        with writing(engine) as connection:
            update_record_severities(connection, some)
    print(f"records weighed in {time.perf_counter() - began:.1f} s", flush=True)
    for name in ("for the first time", "again"):
        began = time.perf_counter()
        update_targets(engine)
        print(f"targets counted {name} in {time.perf_counter() - began:.1f} s", flush=True)
    began = time.perf_counter()
    count_hosts(engine)
    print(f"hosts counted in {time.perf_counter() - began:.1f} s", flush=True)
    began = time.perf_counter()
    with engine.connect() as connection:
        newest = connection.execute(sa.select(sa.func.max(schema.run.c.id))).scalar_one()
    note_changes(engine, [newest])
    note_shared(engine)
    print(f"images noted in {time.perf_counter() - began:.1f} s", flush=True)
    engine.dispose()


PAGES = (
    "/",
    "/runs",
    "/links",
    "/links?page=2000",
    "/links?sort=oldest",
    "/links?sort=checked",
    "/links?sort=host",
    "/links?sort=url",
    "/links?sort=url&page=2000",
    "/links?kind=image&state=dead&verdict=not-found",
    "/links?host=www.host0.example",
    "/links?severity=critical&sort=host",
    "/links?search=777",
    "/links?search=nowhere-to-be-found",
    "/links?class=any",
    "/links?class=any&search=nowhere-to-be-found",
    "/links?class=alive&sort=url",
    "/links?class=unchecked",
    "/links?class=any&state=alive&host=www.host0.example",
    "/links?issue=size-mismatch",
    "/links?record=content/000/",
    "/links?record=content/",
    "/records",
    "/records?page=1000",
    "/records?record=content/000/",
    "/record?path=content/000/000007.md",
    "/images",
    "/images?page=100",
    "/images?search=777",
    "/images?show=placeholder",
    "/images?show=suspect",
    "/images?show=changed",
    "/images?show=changed&search=777",
    "/images?show=suspect&search=777",
    "/hosts",
    "/hosts?search=host1&sort=p95",
    "/hosts?page=20&sort=host",
    "/target?url=https://www.host101.example/articles/2026/11/101-some-story-of-the-day",
    "/target?url=https://nobody.example/",
)


async def measure(path: Path, times: int) -> bool:
    """Print the median and the longest time to the first byte of each page, in milliseconds.

    Returns whether one missed its limit.
    """
    late = False
    engine = open_reader(f"sqlite:///{path}")
    runner = web.AppRunner(build(DashboardSettings(engine)), access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    origin = f"http://127.0.0.1:{runner.addresses[0][1]}"
    async with aiohttp.ClientSession() as client:
        for page in PAGES:
            took = [await _first_byte(client, origin + page) for _ in range(times)]
            status = {code for code, _ in took}
            spent = sorted(seconds * 1000 for _, seconds in took)
            print(f"{statistics.median(spent):8.1f} {spent[-1]:8.1f} ms  {status}  {page}", flush=True)
            late |= statistics.median(spent) > MEDIAN or spent[-1] > LONGEST or status != {200}
    await runner.cleanup()
    engine.dispose()
    return late


async def _first_byte(client: aiohttp.ClientSession, url: str) -> tuple[int, float]:
    began = time.perf_counter()
    async with client.get(url) as answer:
        await answer.content.readany()
        return answer.status, time.perf_counter() - began


def main() -> None:
    """Make the file, if it is not there, and time the pages."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("--targets", type=int, default=1_000_000)
    parser.add_argument("--runs", type=int, default=10)
    parser.add_argument("--times", type=int, default=9)
    said = parser.parse_args()
    if not said.file.exists():
        make(said.file, said.targets, said.runs)
    sys.exit(asyncio.run(measure(said.file, said.times)))


if __name__ == "__main__":
    main()
