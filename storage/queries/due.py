"""What a run has to check."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Final

import sqlalchemy as sa

from storage import schema
from storage.database import reading
from storage.model import Kind, PinWord, Run, Target

# The most demanding first: it is the kind of a target whose links differ.
KINDS: Final = (Kind.IMAGE, Kind.AMP, Kind.AMP_CDN, Kind.WEB)
PAGE: Final = 5000  # rows fetched together


def due(
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
        rows = connection.execution_options(yield_per=PAGE).execute(query)
        return [Target(key, url, KINDS[rank]) for key, url, rank in rows]


def _is_due(run: Run) -> sa.ColumnElement[bool]:
    target, now = schema.target, run.started_at
    next_due = target.c.next_due
    return sa.or_(next_due.is_(None), next_due <= now, target.c.checked_at > now)


def _query(run: Run, kinds: Collection[Kind]) -> sa.Select[Any]:
    link, record, target = schema.link, schema.record, schema.target
    ranks = {kind.value: rank for rank, kind in enumerate(KINDS)}
    rank = sa.func.min(sa.case(ranks, value=link.c.kind)).label("rank")
    named = sa.select(link.c.target_id, rank).join(record, record.c.id == link.c.record_id)
    named = named.where(link.c.closed_run.is_(None), record.c.seen_run == run.id)
    if kinds:
        named = named.where(link.c.kind.in_([kind.value for kind in kinds]))
    scope = named.group_by(link.c.target_id).subquery()
    pin = schema.pin
    ignored = sa.select(pin.c.url).where(pin.c.word == PinWord.IGNORE.value)
    query = sa.select(target.c.id, target.c.url, scope.c.rank).join(scope, scope.c.target_id == target.c.id)
    query = query.where(target.c.url.not_in(ignored))
    known = (target.c.checked_at.is_not(None), target.c.next_due.is_not(None))
    return query.order_by(*known, target.c.next_due, target.c.id)
