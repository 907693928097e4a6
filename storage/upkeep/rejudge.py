"""States judged again from the findings, under another policy than the one they were made by."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from typing import Any, Final

import sqlalchemy as sa

from storage import schema
from storage.database import reading, writing
from storage.ledger import Advance
from storage.model import Finding, Standing, State, Verdict
from storage.rows import STANDING, instant, standing_columns, standing_row, to_standing
from storage.severity import weigh
from storage.statements import Prepared, chunks
from storage.tally import tally

TARGETS: Final = 2000  # judged in one transaction
EVENT: Final = ("target_id", "run_id", "at", "from_state", "to_state")


@dataclass(slots=True)
class Calls:
    """How often a target was called dead, and how often that was false: it was alive later."""

    dead: int = 0
    false: int = 0

    def add(self, events: Sequence[Event]) -> None:
        """Count the calls of one history."""
        self.dead += sum(event.after is State.DEAD for event in events)
        self.false += sum(event.before is State.DEAD for event in events)


@dataclass(frozen=True, slots=True)
class Event:
    """A change of state of one target."""

    run: int
    at: datetime
    before: State
    after: State


@dataclass(frozen=True, slots=True)
class Turned:
    """A target whose state is another under the policy."""

    url: str
    before: State
    after: State


@dataclass(slots=True)
class Rejudged:
    """What judging again said: how much was judged, which states differ, and the calls of dead."""

    targets: int = 0
    findings: int = 0
    turned: list[Turned] = field(default_factory=list)
    before: Calls = field(default_factory=Calls)
    after: Calls = field(default_factory=Calls)


@dataclass(frozen=True, slots=True)
class _History:
    """All that is stored of one target and bears on its state."""

    key: int
    url: str
    standing: Standing
    last_run: int | None
    findings: Sequence[tuple[int, Finding]]
    events: Sequence[Event]


def rejudge(engine: sa.Engine, advance: Advance, *, write: bool = False) -> Rejudged:
    """Judge every target again from its stored findings, in their order; keep that, if `write`.

    Raises:
        LedgerError: the database cannot be read, or not take it.
    """
    told = Rejudged()
    with reading(engine) as connection:
        keys = list(connection.execute(sa.select(schema.target.c.id).order_by(schema.target.c.id)).scalars())
    for some in chunks(keys, TARGETS):
        with writing(engine) if write else reading(engine) as connection:
            _rejudge(connection, list(_histories(connection, some)), advance, told)
    if write:
        _weigh_records(engine)
        tally(engine)
    return told


def _weigh_records(engine: sa.Engine) -> None:
    with reading(engine) as connection:
        keys = list(connection.execute(sa.select(schema.record.c.id).order_by(schema.record.c.id)).scalars())
    for some in chunks(keys):
        with writing(engine) as connection:
            weigh(connection, some)


def _rejudge(
    connection: sa.Connection, histories: Sequence[_History], advance: Advance, told: Rejudged
) -> None:
    writes = connection.get_execution_options().get("writes", False)
    judged = [(history, *_judge(history, advance)) for history in histories]
    for history, standing, events in judged:
        told.targets += 1
        told.findings += len(history.findings)
        told.before.add(history.events)
        told.after.add(events)
        if standing.state is not history.standing.state:
            told.turned.append(Turned(history.url, history.standing.state, standing.state))
    if writes:
        _write_standings(connection, [(one, now) for one, now, _ in judged if now != one.standing])
        _write_events(connection, [(one.key, now) for one, _, now in judged if now != one.events])


def _judge(history: _History, advance: Advance) -> tuple[Standing, list[Event]]:
    standing, events = Standing(), []
    for run, finding in history.findings:
        after = advance(standing, finding)
        if after.state is not standing.state:
            events.append(Event(run, finding.checked_at, standing.state, after.state))
        standing = after
    return standing, events


def _histories(connection: sa.Connection, keys: Sequence[int]) -> Iterator[_History]:
    table = schema.target
    findings, events = _findings(connection, keys), _events(connection, keys)
    query = sa.select(table.c.id, table.c.url, table.c.last_run, *standing_columns())
    query = query.where(table.c.id.between(keys[0], keys[-1])).order_by(table.c.id)
    for key, url, last_run, *cells in connection.execute(query).all():
        found = [(run, _finding(key, url, *facts)) for _, run, *facts in findings.get(key, ())]
        yield _History(key, url, to_standing(cells), last_run, found, events.get(key, []))


def _finding(key: int, url: str, verdict: str, at: datetime, retry_at: datetime | None) -> Finding:
    return Finding(key, url, Verdict(verdict), at, retry_at=retry_at)


def _findings(connection: sa.Connection, keys: Sequence[int]) -> dict[int, list[Any]]:
    table = schema.finding
    columns = (table.c.target_id, table.c.run_id, table.c.verdict, table.c.checked_at, table.c.retry_at)
    query = sa.select(*columns).where(table.c.target_id.between(keys[0], keys[-1]))
    rows = connection.execute(query.order_by(table.c.target_id, table.c.run_id))
    return {key: list(some) for key, some in groupby(rows, key=lambda row: row[0])}


def _events(connection: sa.Connection, keys: Sequence[int]) -> dict[int, list[Event]]:
    table = schema.event
    query = sa.select(*(table.c[name] for name in EVENT)).where(table.c.target_id.between(keys[0], keys[-1]))
    rows = connection.execute(query.order_by(table.c.target_id, table.c.run_id, table.c.id))
    return {
        key: [Event(run, at, State(before), State(after)) for _, run, at, before, after in some]
        for key, some in groupby(rows, key=lambda row: row[0])
    }


def _write_standings(connection: sa.Connection, judged: Sequence[tuple[_History, Standing]]) -> None:
    table = schema.target
    names = (*STANDING, "last_run")
    values: dict[str, Any] = {name: sa.bindparam(name, type_=table.c[name].type) for name in names}
    here = table.c.id == sa.bindparam("key", type_=sa.Integer)
    update = Prepared(connection.engine, sa.update(table).where(here).values(values), (*names, "key"))
    update.run(connection, [standing_row(one.key, now, one.last_run) for one, now in judged])


def _write_events(connection: sa.Connection, judged: Sequence[tuple[int, Sequence[Event]]]) -> None:
    table = schema.event
    for some in chunks(key for key, _ in judged):
        connection.execute(sa.delete(table).where(table.c.target_id.in_(some)))
    insert = Prepared(connection.engine, sa.insert(table), EVENT)
    rows = [
        (key, one.run, instant(one.at), one.before.value, one.after.value)
        for key, events in judged
        for one in events
    ]
    insert.run(connection, rows)
