"""Targets that an earlier run put off, and that are put off still."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa

from storage.db import schema
from storage.db.predicates import link_read_by
from storage.db.transactions import writing
from storage.model import Run, Verdict

RECENT_RUNS: Final = 10  # runs before this one that are looked at; each repeats what it found put off


def repeat_postponed(engine: sa.Engine, run: Run) -> int:
    """Say again of this run's targets that they are put off; return how many.

    Those are the targets whose newest finding is `postponed` and that are not due before a time that
    their host named, so that no later run calls them fresh.

    Raises:
        LedgerError: the database cannot take it.
    """
    finding = schema.finding
    names = [column.name for column in finding.c if column.name != "run_id"]
    rows = sa.select(sa.literal(run.id), *(finding.c[name] for name in names)).where(*_still(run))
    with writing(engine) as connection:
        result = connection.execute(sa.insert(finding).from_select(["run_id", *names], rows))
        return max(0, result.rowcount)


def _still(run: Run) -> list[sa.ColumnElement[bool]]:
    finding, target, link, record = schema.finding, schema.target, schema.link, schema.record
    newer = finding.alias("newer")
    recent = sa.select(schema.run.c.id).where(schema.run.c.id < run.id)
    recent = recent.order_by(schema.run.c.id.desc()).limit(RECENT_RUNS)
    due = sa.select(target.c.id).where(target.c.id == finding.c.target_id, target.c.next_due > run.started_at)
    read = sa.select(link.c.id).join(record, record.c.id == link.c.record_id)
    read = read.where(link.c.target_id == finding.c.target_id, link_read_by(run))
    later = sa.select(newer.c.run_id).where(
        newer.c.target_id == finding.c.target_id, newer.c.run_id > finding.c.run_id
    )
    return [
        finding.c.run_id.in_(sa.select(recent.subquery().c.id)),
        finding.c.verdict == Verdict.POSTPONED.value,
        finding.c.retry_at > run.started_at,
        due.exists(),
        read.exists(),
        ~later.exists(),
    ]
