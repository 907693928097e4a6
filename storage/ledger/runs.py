"""The first and the last word of a run."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

import sqlalchemy as sa

from storage import schema
from storage.database import writing
from storage.model import Run

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
    return replace(run, ended=ended, finished_at=now)


@dataclass(frozen=True, slots=True)
class Left:
    """A run that never came to its last word, and how many findings of it are kept."""

    run: Run
    findings: int


def close_killed(engine: sa.Engine) -> list[Left]:
    """Note that runs without a last word were killed; only who holds the lock can know that.

    Raises:
        LedgerError: the database cannot take it.
    """
    table, finding = schema.run, schema.finding
    kept = sa.select(sa.func.count()).where(finding.c.run_id == table.c.id).scalar_subquery()
    query = sa.select(table.c.id, table.c.command, table.c.started_at, kept)
    with writing(engine) as connection:
        rows = connection.execute(query.where(table.c.ended.is_(None)).order_by(table.c.id)).all()
        connection.execute(sa.update(table).where(table.c.ended.is_(None)).values(ended=KILLED))
    return [Left(Run(key, command, at, ended=KILLED), findings) for key, command, at, findings in rows]
