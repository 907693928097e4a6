"""What changed between two runs: targets that died, fell under suspicion, came back, or moved."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa

from storage.db import schema
from storage.db.predicates import newest_finding, open_link
from storage.db.sql import Query
from storage.db.statements import chunks
from storage.db.transactions import reading
from storage.frozen import frozen
from storage.model import State, Verdict
from storage.queries.report.entry import Entry
from storage.queries.report.entry_page import entry_page


class ChangeKind(StrEnum):
    """What may have become of a target, the worst first."""

    DEAD = "dead"
    SUSPECT = "suspect"
    RECOVERED = "recovered"
    MOVED = "moved"
    IMAGE = "image"


@frozen
class Change:
    """One target that is not what it was: `was` then, `now` since `at` (UTC), by what `run` found.

    `differs` is in how many of 64 bits the look of a new picture is another; None where nobody knows.
    """

    news: ChangeKind
    entry: Entry
    was: State
    now: State
    at: datetime
    run: int
    differs: int | None = None


@frozen
class _StatePair:
    """The states of one target, then and now."""

    news: ChangeKind
    was: State
    now: State
    at: datetime
    run: int
    differs: int | None = None


def changes(engine: sa.Engine, since: int) -> Iterator[Change]:
    """What changed after the run with the number `since` (0: ever), worst first, then by URL.

    Only targets that a record names and nobody pinned; one that changed and changed back is no
    news, nor is a new one that is alive.

    Raises:
        LedgerError: the database cannot be read.
    """
    with reading(engine) as connection:
        turns = {
            **_image_changes(connection, since),
            **_moves(connection, since),
            **_state_changes(connection, since),
        }
        for keys in chunks(_report_order(connection, turns)):
            for key, entry in zip(keys, entry_page(connection, keys), strict=True):
                turn = turns[key]
                yield Change(turn.news, entry, turn.was, turn.now, turn.at, turn.run, turn.differs)


def _state_changes(connection: sa.Connection, since: int) -> dict[int, _StatePair]:
    """Targets whose state is another, from their first and last event after a run."""
    event = schema.event
    bounds = sa.select(sa.func.min(event.c.id).label("first"), sa.func.max(event.c.id).label("last"))
    bounds = bounds.where(event.c.run_id > since).group_by(event.c.target_id)
    ends, first, last = bounds.subquery(), event.alias("first"), event.alias("last")
    query = sa.select(last.c.target_id, first.c.from_state, last.c.to_state, last.c.at, last.c.run_id)
    query = query.select_from(ends).join(first, first.c.id == ends.c.first)
    query = query.join(last, last.c.id == ends.c.last)
    turns: dict[int, _StatePair] = {}
    for key, was, now, at, run in connection.execute(query):
        news = _change_kind(State(was), State(now))
        if news is not None:
            turns[key] = _StatePair(news, State(was), State(now), at, run)
    return turns


def _change_kind(was: State, now: State) -> ChangeKind | None:
    if was is now:
        return None
    if now is State.ALIVE:
        return None if was is State.NEW else ChangeKind.RECOVERED
    return {State.DEAD: ChangeKind.DEAD, State.SUSPECT: ChangeKind.SUSPECT}.get(now)


def _moves(connection: sa.Connection, since: int) -> dict[int, _StatePair]:
    """Targets that moved for good to where they had not moved before."""
    target, finding, before = schema.target, schema.finding, schema.finding.alias("before")
    earlier = sa.select(before.c.moved_to).where(
        before.c.target_id == target.c.id,
        before.c.run_id <= since,
        before.c.verdict.not_in([verdict.value for verdict in Verdict if verdict.unasked]),
    )
    knew = earlier.order_by(before.c.run_id.desc()).limit(1).scalar_subquery()
    query = sa.select(target.c.id, target.c.state, finding.c.checked_at, finding.c.run_id)
    query = query.join(finding, newest_finding())
    query = query.where(finding.c.run_id > since, finding.c.verdict == Verdict.MOVED.value)
    query = query.where(finding.c.moved_to.is_distinct_from(knew))
    return {
        key: _StatePair(ChangeKind.MOVED, State(state), State(state), at, run)
        for key, state, at, run in connection.execute(query)
    }


def _image_changes(connection: sa.Connection, since: int) -> dict[int, _StatePair]:
    """Targets whose kept picture is another one than at a run; the newest change of each."""
    target, finding, change = schema.target, schema.finding, schema.image_change
    query = sa.select(target.c.id, target.c.state, finding.c.checked_at, change.c.run_id, change.c.differs)
    query = query.join(change, change.c.target_id == target.c.id)
    same_finding = (finding.c.target_id == change.c.target_id) & (finding.c.run_id == change.c.run_id)
    query = query.join(finding, same_finding).where(change.c.run_id > since).order_by(change.c.run_id)
    return {
        key: _StatePair(ChangeKind.IMAGE, State(state), State(state), at, run, differs)
        for key, state, at, run, differs in connection.execute(query)
    }


def _report_order(connection: sa.Connection, turns: Mapping[int, _StatePair]) -> list[int]:
    """The targets that a record names and nobody pinned, in the order of a report."""
    target, link = schema.target, schema.link
    is_named = sa.exists().where((link.c.target_id == target.c.id) & open_link())
    free = target.c.url.not_in(sa.select(schema.pin.c.url))
    rows: list[tuple[int, str, int]] = []
    ranks = list(ChangeKind)
    for keys in chunks(turns):
        query: Query = sa.select(target.c.id, target.c.url).where(target.c.id.in_(keys), is_named, free)
        rows += [(ranks.index(turns[key].news), url, key) for key, url in connection.execute(query)]
    return [key for _, _, key in sorted(rows)]
