"""The first and the last word of a run."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import sqlalchemy as sa

from storage import schema
from storage.database import writing
from storage.model import Run


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
