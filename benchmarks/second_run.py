"""How long a second run takes when nothing is due, beside the first reading of the same records.

The first reading goes into an empty database; every target is then given a good finding through
the real ledger. The second run is a whole `audit` without its report, with every connection led to
a listener that counts them. The program as cron calls it is told beside it.

    python benchmarks/second_run.py [RECORDS]    # default: the corpus beside the project

`benchmarks/population.py` makes records in the shape of the largest known population.
"""

from __future__ import annotations

import asyncio
import os
import resource
import socket
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import sqlalchemy as sa
import uvloop

from crawler.app import Options, audit
from crawler.config import Config, DatabaseSection
from crawler.engine.plan import address_of
from crawler.policies import evidence, freshness, reading_of, rules_of
from crawler.progress import watch
from crawler.urls import masked
from crawler.verdicts.states import advance
from storage.catalogue import Catalogue, LinkTarget
from storage.db import schema
from storage.db.database import open_engine
from storage.ledger import Ledger, begin_run, end_run
from storage.model import Finding, Link, Run, RunEnd, Verdict
from storage.records import files, read

ROOT = Path(__file__).parents[1]
LIMIT = 0.15  # of the first reading
ROUNDS = 5


def place(link: Link) -> LinkTarget:
    """Where a link leads, as a run sees it."""
    url = address_of(link, None)
    return LinkTarget(masked(link.text), masked(url), url)


def first_reading(engine: sa.Engine, run: Run, records: str) -> float:
    """Read all records into the database; return the seconds that it took."""
    config = Config()
    started = time.perf_counter()
    catalogue = Catalogue(engine, run, place, reading=reading_of(config))
    for path in files([records]):
        catalogue.put(read(path, rules_of(config)))
    catalogue.close([records])
    return time.perf_counter() - started


async def check_all(engine: sa.Engine, run: Run) -> int:
    """Give every target a good finding; return how many there are."""
    judge = partial(advance, evidence=evidence(Config()), freshness=freshness(Config()))
    with engine.connect() as connection:
        targets = list(connection.execute(sa.select(schema.target.c.id, schema.target.c.url)))
    async with Ledger(engine, run, judge) as ledger:
        for key, url in targets:
            await ledger.put(Finding(key, url, Verdict.OK, datetime.now(UTC), status=200, requests=1))
    return len(targets)


def second_run(config: Config, records: str, port: int) -> float:
    """Run an audit; return the seconds that it took."""
    options = Options(paths=(records,), connect_to=(f"::127.0.0.1:{port}",))
    started = time.perf_counter()
    with watch(progress=False, quiet=True) as observer:
        outcome = uvloop.run(audit(config, options, observer))
    assert outcome.run.ended == RunEnd.FINISHED
    return time.perf_counter() - started


def program(folder: str, records: str) -> float:
    """Run the program; return the seconds that it took."""
    command = [sys.executable, "-m", "crawler", "-q", "audit", "--no-progress", records]
    started = time.perf_counter()
    subprocess.run(command, cwd=folder, env={**os.environ, "PYTHONPATH": str(ROOT)}, check=False)
    return time.perf_counter() - started


def main() -> int:
    """Measure, and fail if the limit is passed."""
    records = sys.argv[1] if sys.argv[1:] else str(ROOT.parent / "shared" / "corpus" / "records")
    with tempfile.TemporaryDirectory() as folder, socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0)
        config = Config(database=DatabaseSection(url=f"sqlite:///{folder}/linkhealth.db"))
        engine = open_engine(config.database.url)
        run = begin_run(engine, "audit", datetime.now(UTC))
        first = first_reading(engine, run, records)
        targets = asyncio.run(check_all(engine, run))
        end_run(engine, run, RunEnd.FINISHED, datetime.now(UTC))
        engine.dispose()
        port = listener.getsockname()[1]
        seconds = [second_run(config, records, port) for _ in range(ROUNDS)]
        whole = min(program(folder, str(Path(records).resolve())) for _ in range(ROUNDS))
        requests = _accepted(listener)
    again = min(seconds)
    print(f"first reading    {first:6.2f} s   ({targets} targets)")
    print(f"second run       {again:6.2f} s   (best of {ROUNDS}; {seconds[0]:.2f} s if it judges all links)")
    print(f"the program      {whole:6.2f} s   (from its start to its end, quiet, as cron calls it)")
    print(f"ratio            {again / first:6.3f}     (limit {LIMIT})")
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"memory           {most:6.0f} MiB at most, of first reading and second runs")
    print(f"requests         {requests:6d}")
    return int(again / first > LIMIT or requests > 0)


def _accepted(listener: socket.socket) -> int:
    count = 0
    while True:
        try:
            listener.accept()[0].close()
        except BlockingIOError:
            return count
        count += 1


if __name__ == "__main__":
    raise SystemExit(main())
