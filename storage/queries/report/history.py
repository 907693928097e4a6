"""The past: runs, what each could not read, and what became of one target."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import sqlalchemy as sa

from storage.db import schema
from storage.db.rows import to_hop
from storage.db.statements import chunks
from storage.db.transactions import reading
from storage.frozen import frozen
from storage.model import Hop, RecordProblem, Run, Verdict


def problems(engine: sa.Engine, *, run: Run | None = None) -> list[RecordProblem]:
    """What could not be read: by one run, or at the newest reading of each file.

    Raises:
        LedgerError: the database cannot be read.
    """
    table = schema.problem
    query = sa.select(table.c.path, table.c.line, table.c.reason)
    if run is not None:
        query = query.where(table.c.seen_run == run.id)
    order = (table.c.path, table.c.line.is_not(None), table.c.line, table.c.id)
    with reading(engine) as connection:
        return [RecordProblem(*row) for row in connection.execute(query.order_by(*order))]


def digests(engine: sa.Engine, paths: Iterable[str]) -> dict[str, str]:
    """The SHA-256, in hex, of files as they were at the newest reading, by path; none of unknown ones.

    Raises:
        LedgerError: the database cannot be read.
    """
    table = schema.record
    query = sa.select(table.c.path, table.c.digest).where(table.c.digest.is_not(None))
    digests_by_path: dict[str, str] = {}
    with reading(engine) as connection:
        for batch in chunks(paths):
            # A file with a broken record keeps what was read before of that record.
            newest_last = query.where(table.c.path.in_(batch)).order_by(table.c.seen_run)
            digests_by_path |= {row.path: row.digest for row in connection.execute(newest_last)}
    return digests_by_path


def runs(engine: sa.Engine) -> list[Run]:
    """All runs, the oldest first.

    Raises:
        LedgerError: the database cannot be read.
    """
    table = schema.run
    columns = (table.c.id, table.c.command, table.c.started_at, table.c.finished_at, table.c.ended)
    with reading(engine) as connection:
        return [Run(*row) for row in connection.execute(sa.select(*columns).order_by(table.c.id))]


@frozen
class Observation:
    """One finding of the past, in short."""

    run: int
    at: datetime
    verdict: Verdict
    status: int | None
    detail: str | None


def history(engine: sa.Engine, target_id: int) -> list[Observation]:
    """Every finding on a target, the oldest first.

    Raises:
        LedgerError: the database cannot be read.
    """
    table = schema.finding
    query = sa.select(table.c.run_id, table.c.checked_at, table.c.verdict, table.c.status, table.c.detail)
    query = query.where(table.c.target_id == target_id).order_by(table.c.run_id)
    with reading(engine) as connection:
        rows = connection.execute(query)
        return [Observation(run, at, Verdict(name), status, why) for run, at, name, status, why in rows]


def hops(engine: sa.Engine, run: int, target_id: int) -> list[Hop]:
    """The requests that led to a finding, in order; none for one that was fine at the first.

    Raises:
        LedgerError: the database cannot be read.
    """
    table = schema.hop
    query = sa.select(table).where(table.c.run_id == run, table.c.target_id == target_id)
    with reading(engine) as connection:
        return [to_hop(row) for row in connection.execute(query.order_by(table.c.number)).mappings()]


def count_runs(engine: sa.Engine) -> int:
    """How many runs there were.

    Raises:
        LedgerError: the database cannot be read.
    """
    with reading(engine) as connection:
        return connection.execute(sa.select(sa.func.count()).select_from(schema.run)).scalar_one()
