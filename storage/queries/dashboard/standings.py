"""How all targets stand and stood, from the tallies of runs: a few hundred rows for millions of targets."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from storage.db import schema
from storage.db.sql import Query
from storage.db.transactions import reading
from storage.frozen import frozen
from storage.model import Kind, Run, State, Verdict


@frozen
class StandingCount:
    """How many targets of a kind stood so when a run had ended."""

    run: int
    kind: Kind
    state: State
    verdict: Verdict
    targets: int


@frozen
class StateChange:
    """One change of state, as a run found it; `at` is UTC."""

    url: str
    was: State
    now: State
    at: datetime


@frozen
class StateChangeCounts:
    """How many targets went from one state to another in one run."""

    was: State
    now: State
    targets: int


@frozen
class RunProgress:
    """A run that goes on: its findings by class so far, and how many targets are still due."""

    run: Run
    classes: dict[str, int]
    due: int


def standings(engine: sa.Engine, *, runs: int = 1) -> list[StandingCount]:
    """The tallies of the newest `runs` runs that left one, the oldest first.

    Raises:
        LedgerError: the database cannot be read.
    """
    table = schema.tally
    newest = sa.select(table.c.run_id).distinct().order_by(table.c.run_id.desc()).limit(runs)
    query = sa.select(table).where(table.c.run_id.in_(newest)).order_by(*table.primary_key.columns)
    with reading(engine) as connection:
        rows = connection.execute(query)
        return [
            StandingCount(run, Kind(kind), State(state), Verdict(word), count)
            for run, kind, state, word, count in rows
        ]


def turns(engine: sa.Engine, run: int) -> list[StateChangeCounts]:
    """How many targets changed from which state to which in a run; new ones that are alive do not count.

    Raises:
        LedgerError: the database cannot be read.
    """
    event = schema.event
    query = sa.select(event.c.from_state, event.c.to_state, sa.func.count())
    query = query.where(event.c.run_id == run, schema.IS_NEWS).group_by(event.c.to_state, event.c.from_state)
    with reading(engine) as connection:
        return [
            StateChangeCounts(State(was), State(now), count) for was, now, count in connection.execute(query)
        ]


def latest_turns(engine: sa.Engine, run: int, *, limit: int) -> list[StateChange]:
    """The newly dead, the recovered and the newly suspect of a run, in this order, at most `most` of each.

    Raises:
        LedgerError: the database cannot be read.
    """
    with reading(engine) as connection:
        return [
            StateChange(url, State(was), State(now), at)
            for state in (State.DEAD, State.ALIVE, State.SUSPECT)
            for url, was, now, at in connection.execute(_latest(run, state, limit))
        ]


def _latest(run: int, now: State, limit: int) -> Query:
    event, target = schema.event, schema.target
    query = sa.select(target.c.url, event.c.from_state, event.c.to_state, event.c.at)
    query = query.join(event, event.c.target_id == target.c.id)
    return query.where(event.c.run_id == run, event.c.to_state == now.value, schema.IS_NEWS).limit(limit)


def latest_runs(engine: sa.Engine, *, limit: int, skip: int = 0) -> list[Run]:
    """The newest runs, the newest first, at most `most` of them, after as many as are to be skipped.

    Raises:
        LedgerError: the database cannot be read.
    """
    table = schema.run
    columns = (table.c.id, table.c.command, table.c.started_at, table.c.finished_at, table.c.ended)
    query = sa.select(*columns).order_by(table.c.id.desc()).limit(limit).offset(skip)
    with reading(engine) as connection:
        return [Run(*row) for row in connection.execute(query)]


def progress(engine: sa.Engine, run: Run) -> RunProgress:
    """What a run has found so far, counted: it takes a second where it has found a million.

    `due` are all targets that were due at its start and have no newer word, so at most so many are to come.

    Raises:
        LedgerError: the database cannot be read.
    """
    finding, target = schema.finding, schema.target
    counts = sa.select(finding.c["class"], sa.func.count()).where(finding.c.run_id == run.id)
    due = sa.select(sa.func.count()).select_from(target)
    due = due.where(target.c.next_due.is_(None) | (target.c.next_due <= run.started_at))
    with reading(engine) as connection:
        rows = connection.execute(counts.group_by(finding.c["class"])).all()
        classes = {str(name): int(count) for name, count in rows}
        return RunProgress(run, classes, connection.execute(due).scalar_one())
