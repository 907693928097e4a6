"""What the interval of each target follows from: its age, its deaths, and the changes of its image."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final

import sqlalchemy as sa

from storage.db import schema
from storage.db.sql import Query
from storage.db.statements import chunks
from storage.db.transactions import reading
from storage.frozen import frozen
from storage.model import Kind, Run, State, Target

FACTS_PER_FETCH: Final = 5000  # rows fetched together


@frozen
class RevisitHistory:
    """One target: when a record named it first (UTC), its deaths, how often its image changed."""

    id: int
    host: str
    kind: Kind
    added_at: datetime | None
    deaths: int
    dead: bool
    changes: int
    checks: int


@frozen
class DueFacts:
    """What decides which due target comes first."""

    checked_at: datetime | None
    hazard: float | None
    state: State


def target_histories(engine: sa.Engine) -> Iterator[RevisitHistory]:
    """Every target that a record names or that is new.

    Raises:
        LedgerError: the database cannot be read.
    """
    with reading(engine) as connection:
        changes = _image_changes(connection)
        rows = connection.execution_options(yield_per=FACTS_PER_FETCH).execute(_query())
        for key, host, kind, added_at, state in rows:
            # What was under suspicion and came back tells of an outage, not of a death.
            dead = state == State.DEAD.value
            yield RevisitHistory(
                key, host, Kind(kind or Kind.WEB), added_at, int(dead), dead, *changes.get(key, (0, 0))
            )


def due_facts(engine: sa.Engine, targets: Sequence[Target]) -> dict[int, DueFacts]:
    """What decides the order of some targets, by their ids.

    Raises:
        LedgerError: the database cannot be read.
    """
    table = schema.target
    query = sa.select(table.c.id, table.c.checked_at, table.c.hazard, table.c.state)
    with reading(engine) as connection:
        return {
            key: DueFacts(checked_at, hazard, State(state))
            for ids in chunks(target.id for target in targets)
            for key, checked_at, hazard, state in connection.execute(query.where(table.c.id.in_(ids)))
        }


def previous_run(engine: sa.Engine, run: Run) -> datetime | None:
    """When the run before one started (UTC); None where there was none.

    Raises:
        LedgerError: the database cannot be read.
    """
    table = schema.run
    query = sa.select(table.c.started_at).where(table.c.id < run.id).order_by(table.c.id.desc()).limit(1)
    with reading(engine) as connection:
        return connection.execute(query).scalar()


def _query() -> Query:
    target = schema.target
    columns = (target.c.id, target.c.host, target.c.kind, target.c.added_at, target.c.state)
    return sa.select(*columns).where(target.c.kind.is_not(None) | target.c.checked_at.is_(None))


def _image_changes(connection: sa.Connection) -> dict[int, tuple[int, int]]:
    """How often each image changed, and how often it was looked at, for those that changed at all."""
    change, image = schema.image_change, schema.image
    changes = sa.select(change.c.target_id, sa.func.count().label("count")).group_by(change.c.target_id)
    changes_by_target = changes.subquery()
    query = sa.select(changes_by_target.c.target_id, changes_by_target.c["count"], sa.func.count())
    query = query.join(image, image.c.target_id == changes_by_target.c.target_id)
    query = query.group_by(changes_by_target.c.target_id, changes_by_target.c["count"])
    return {key: (count, checks) for key, count, checks in connection.execute(query)}
