"""What a run has to check."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

import sqlalchemy as sa

from storage.db import schema
from storage.db.predicates import link_read_by
from storage.db.sql import Query
from storage.db.transactions import reading
from storage.model import KINDS_BY_DEMAND, Class, Kind, PinWord, Run, Target, Verdict

ROWS_PER_FETCH: Final = 5000  # rows fetched together


def due_targets(
    engine: sa.Engine,
    run: Run,
    *,
    kinds: Collection[Kind] = (),
    force: bool = False,
) -> list[Target]:
    """The targets of this run's records that are due at its start: new ones, then the oldest.

    One that a person wants ignored is never due. One that was checked in the future was checked by
    a clock that went wrong: it is due.

    `kinds`: only links of these kinds count; `force`: due or not.

    Raises:
        LedgerError: the database cannot be read.
    """
    query = _query(run, kinds)
    if not force:
        query = query.where(_is_due(run))
    with reading(engine) as connection:
        rows = connection.execution_options(yield_per=ROWS_PER_FETCH).execute(query)
        return [Target(key, url, KINDS_BY_DEMAND[rank]) for key, url, rank in rows]


def targets_to_wait_for(engine: sa.Engine, run: Run) -> set[int]:
    """The ids of targets that are not to be asked at a run's start, since they failed or want a wait.

    Raises:
        LedgerError: the database cannot be read.
    """
    target = schema.target
    alive = [verdict.value for verdict in Verdict if verdict.cls is Class.ALIVE]
    query = sa.select(target.c.id).where(~_is_due(run), target.c.verdict.not_in(alive))
    with reading(engine) as connection:
        return set(connection.execute(query).scalars())


def _is_due(run: Run) -> sa.ColumnElement[bool]:
    target, now = schema.target, run.started_at
    next_due = target.c.next_due
    return sa.or_(next_due.is_(None), next_due <= now, target.c.checked_at > now)


def _query(run: Run, kinds: Collection[Kind]) -> Query:
    link, record, target = schema.link, schema.record, schema.target
    ranks = {kind.value: rank for rank, kind in enumerate(KINDS_BY_DEMAND)}
    rank = sa.func.min(sa.case(ranks, value=link.c.kind)).label("rank")
    links_of_run = sa.select(link.c.target_id, rank).join(record, record.c.id == link.c.record_id)
    links_of_run = links_of_run.where(link_read_by(run))
    if kinds:
        links_of_run = links_of_run.where(link.c.kind.in_([kind.value for kind in kinds]))
    scope = links_of_run.group_by(link.c.target_id).subquery()
    pin = schema.pin
    ignored_urls = sa.select(pin.c.url).where(pin.c.word == PinWord.IGNORE.value)
    query = sa.select(target.c.id, target.c.url, scope.c.rank).join(scope, scope.c.target_id == target.c.id)
    query = query.where(target.c.url.not_in(ignored_urls))
    check_order = (target.c.checked_at.is_not(None), target.c.next_due.is_not(None))
    return query.order_by(*check_order, target.c.next_due, target.c.id)
