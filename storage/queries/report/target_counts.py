"""Where a database stands: its targets by state, and when they are due."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

import sqlalchemy as sa

from storage.db import schema
from storage.db.predicates import ignored_target, open_link
from storage.db.transactions import reading
from storage.frozen import frozen
from storage.model import State

HOUR: Final = timedelta(hours=1)
DAY: Final = timedelta(days=1)


@frozen
class DueCounts:
    """How many targets are due now, within an hour, within a day after that, and later; `next_due` is UTC."""

    now: int
    hour: int
    day: int
    later: int
    next_due: datetime | None


@frozen
class TargetCounts:
    """The targets that records name, by state (without those that told nothing), and when they are due."""

    targets: int
    states: Mapping[State, int]
    due: DueCounts


def count_targets(engine: sa.Engine, now: datetime) -> TargetCounts:
    """Count the targets of open links that nobody wants ignored, as they stand at a moment (UTC).

    Raises:
        LedgerError: the database cannot be read.
    """
    target, link = schema.target, schema.link
    is_due = sa.or_(target.c.next_due.is_(None), target.c.next_due <= now, target.c.checked_at > now)
    waits = ~is_due
    query = sa.select(
        target.c.state,
        target.c.checked_at.is_(None).label("is_new"),
        sa.func.count(),
        _count(is_due),
        _count(waits & (target.c.next_due <= now + HOUR)),
        _count(waits & (target.c.next_due > now + HOUR) & (target.c.next_due <= now + DAY)),
        sa.func.min(sa.case((waits, target.c.next_due))),
    )
    query = query.where(sa.exists().where(link.c.target_id == target.c.id, open_link()), ~ignored_target())
    with reading(engine) as connection:
        rows = [tuple(row) for row in connection.execute(query.group_by(target.c.state, sa.text("is_new")))]
    total = sum(row[2] for row in rows)
    due, hour, day = (sum(row[column] for row in rows) for column in (3, 4, 5))
    next_due = min((row[6] for row in rows if row[6] is not None), default=None)
    states: dict[State, int] = {}
    for state, is_new, count, *_ in rows:
        if State(state) is not State.NEW or is_new:
            states[State(state)] = states.get(State(state), 0) + count
    return TargetCounts(total, states, DueCounts(due, hour, day, total - due - hour - day, next_due))


def _count(condition: sa.ColumnElement[bool]) -> sa.ColumnElement[int]:
    return sa.func.sum(sa.case((condition, 1), else_=0))
