"""The first and the last word of a run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

import sqlalchemy as sa

from storage import schema
from storage.database import writing
from storage.model import Run
from storage.statements import chunks

KILLED: Final = "killed"


def begin_run(engine: sa.Engine, command: str, now: datetime) -> Run:
    """Open a run.

    Raises:
        LedgerError: the database cannot take it.
    """
    insert = sa.insert(schema.run).values(command=command, started_at=now).returning(schema.run.c.id)
    with writing(engine) as connection:
        return Run(connection.execute(insert).scalar_one(), command, now)


def end_run(engine: sa.Engine, run: Run, ended: str, now: datetime) -> Run:
    """Close a run with how it ended.

    Raises:
        LedgerError: the database cannot take it.
    """
    table = schema.run
    with writing(engine) as connection:
        update = sa.update(table).where(table.c.id == run.id)
        connection.execute(update.values(ended=ended, finished_at=now))
        _close_shards(connection, [run.id])
    return replace(run, ended=ended, finished_at=now)


@dataclass(frozen=True, slots=True)
class Left:
    """A run that never came to its last word, and how many findings of it are kept."""

    run: Run
    findings: int


def close_killed(engine: sa.Engine, spared: int | None = None) -> list[Left]:
    """Note that runs without a last word were killed; only who holds the lock can know that.

    `spared` is one that goes on.

    Raises:
        LedgerError: the database cannot take it.
    """
    table, finding = schema.run, schema.finding
    kept = sa.select(sa.func.count()).where(finding.c.run_id == table.c.id).scalar_subquery()
    unended = table.c.ended.is_(None) & table.c.id.is_distinct_from(spared)
    query = sa.select(table.c.id, table.c.command, table.c.started_at, kept)
    with writing(engine) as connection:
        rows = connection.execute(query.where(unended).order_by(table.c.id)).all()
        connection.execute(sa.update(table).where(unended).values(ended=KILLED))
        _close_shards(connection, [key for key, *_ in rows])
    return [Left(Run(key, command, at, ended=KILLED), findings) for key, command, at, findings in rows]


def _close_shards(connection: sa.Connection, runs: Sequence[int]) -> None:
    """Leave nothing open of runs that have ended; a worker that still has a shard loses it."""
    shard, task, lane = schema.shard, schema.task, schema.lane
    for some in chunks(runs):
        over = sa.update(shard).where(shard.c.run_id.in_(some))
        connection.execute(over.values(done=True, epoch=shard.c.epoch + 1, owner=None, lease_until=None))
        for table in (task, lane):
            connection.execute(sa.delete(table).where(table.c.run_id.in_(some)))
