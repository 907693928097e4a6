"""Since when the checks of a target have led to the same new URL."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

import sqlalchemy as sa

from storage.db import schema
from storage.db.predicates import newest_finding
from storage.db.transactions import reading
from storage.model import Class, Verdict

# Classes of findings that contradict a move; the others leave it open.
CONTRADICTING_CLASSES: Final = (Class.ALIVE.value, Class.HARD.value, Class.CONTENT.value)


def moved_since(engine: sa.Engine) -> dict[int, datetime]:
    """The time (UTC) of the first check in a row that led each moved target to its present new URL, by id.

    Raises:
        LedgerError: the database cannot be read.
    """
    target, newest, earlier = schema.target, schema.finding, schema.finding.alias("earlier")
    is_same = (earlier.c.verdict == Verdict.MOVED.value) & (earlier.c.moved_to == newest.c.moved_to)
    query = sa.select(target.c.id, sa.func.min(earlier.c.checked_at))
    query = query.join(newest, newest_finding()).join(earlier, (earlier.c.target_id == target.c.id) & is_same)
    query = query.where(newest.c.verdict == Verdict.MOVED.value, earlier.c.run_id > _last_contradiction())
    with reading(engine) as connection:
        return {key: at.replace(tzinfo=UTC) for key, at in connection.execute(query.group_by(target.c.id))}


def _last_contradiction() -> sa.ColumnElement[int]:
    """The last run that found a target elsewhere than where it is now; -1 if none did."""
    target, newest, counter = schema.target, schema.finding, schema.finding.alias("other")
    differs = (counter.c.verdict != Verdict.MOVED.value) | (counter.c.moved_to != newest.c.moved_to)
    query = sa.select(sa.func.max(counter.c.run_id)).where(
        counter.c.target_id == target.c.id, counter.c["class"].in_(CONTRADICTING_CLASSES), differs
    )
    return sa.func.coalesce(query.correlate(target, newest).scalar_subquery(), -1)
