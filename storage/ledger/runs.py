"""The first and the last word of a run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

import sqlalchemy as sa

from storage.db import schema
from storage.db.statements import chunks
from storage.db.transactions import writing
from storage.frozen import frozen
from storage.model import Run, RunEnd


def begin_run(engine: sa.Engine, command: str, now: datetime) -> Run:
    """Open a run.

    Raises:
        LedgerError: the database cannot take it.
    """
    insert = sa.insert(schema.run).values(command=command, started_at=now).returning(schema.run.c.id)
    with writing(engine) as connection:
        return Run(connection.execute(insert).scalar_one(), command, now)


def end_run(engine: sa.Engine, run: Run, run_end: RunEnd, now: datetime) -> Run:
    """Close a run with how it ended.

    Raises:
        LedgerError: the database cannot take it.
    """
    table = schema.run
    with writing(engine) as connection:
        update = sa.update(table).where(table.c.id == run.id)
        connection.execute(update.values(ended=run_end, finished_at=now))
        _close_shards(connection, [run.id])
    return replace(run, ended=run_end, finished_at=now)


@frozen
class UnfinishedRun:
    """A run that never came to its last word, and how many findings of it are kept."""

    run: Run
    findings: int


def close_killed(engine: sa.Engine, continued_run: int | None = None) -> list[UnfinishedRun]:
    """Note that runs without a last word were killed; only who holds the lock can know that.

    `spared` is one that goes on.

    Raises:
        LedgerError: the database cannot take it.
    """
    table, finding = schema.run, schema.finding
    finding_count = sa.select(sa.func.count()).where(finding.c.run_id == table.c.id).scalar_subquery()
    is_unfinished = table.c.ended.is_(None) & table.c.id.is_distinct_from(continued_run)
    query = sa.select(table.c.id, table.c.command, table.c.started_at, finding_count)
    with writing(engine) as connection:
        rows = connection.execute(query.where(is_unfinished).order_by(table.c.id)).all()
        connection.execute(sa.update(table).where(is_unfinished).values(ended=RunEnd.KILLED))
        _close_shards(connection, [key for key, *_ in rows])
    return [
        UnfinishedRun(Run(key, command, at, ended=RunEnd.KILLED), findings)
        for key, command, at, findings in rows
    ]


def _close_shards(connection: sa.Connection, runs: Sequence[int]) -> None:
    """Leave nothing open of runs that have ended; a worker that still has a shard loses it."""
    shard, task, lane = schema.shard, schema.task, schema.lane
    for run_ids in chunks(runs):
        shards = sa.update(shard).where(shard.c.run_id.in_(run_ids))
        connection.execute(shards.values(done=True, epoch=shard.c.epoch + 1, owner=None, lease_until=None))
        for table in (task, lane):
            connection.execute(sa.delete(table).where(table.c.run_id.in_(run_ids)))
