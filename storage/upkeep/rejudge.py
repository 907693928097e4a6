"""States judged again from the findings, under another policy than the one they were made by."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from typing import Final

import sqlalchemy as sa

from storage.db import schema
from storage.db.rows import STANDING_COLUMNS, standing_columns, standing_row, to_standing, utc_text
from storage.db.sql import RowValues
from storage.db.statements import PreparedStatement, chunks
from storage.db.transactions import reading, writing
from storage.frozen import frozen
from storage.ledger import Advance
from storage.model import Finding, Standing, State, Verdict
from storage.rollups.severity import update_record_severities
from storage.rollups.targets import update_targets

TARGETS_PER_BATCH: Final = 2000  # judged in one transaction
EVENT_ROW: Final = ("target_id", "run_id", "at", "from_state", "to_state")


@dataclass(slots=True)
class DeathCalls:
    """How often a target was called dead, and how often that was false: it was alive later."""

    dead: int = 0
    false: int = 0

    def add(self, events: Sequence[Event]) -> None:
        """Count the calls of one history."""
        self.dead += sum(event.after is State.DEAD for event in events)
        self.false += sum(event.before is State.DEAD for event in events)


@frozen
class Event:
    """A change of state of one target."""

    run: int
    at: datetime
    before: State
    after: State


@frozen
class ChangedState:
    """A target whose state is another under the policy."""

    url: str
    before: State
    after: State


@dataclass(slots=True)
class RejudgeResult:
    """What judging again said: how much was judged, which states differ, and the calls of dead."""

    targets: int = 0
    findings: int = 0
    changed_states: list[ChangedState] = field(default_factory=list)
    before: DeathCalls = field(default_factory=DeathCalls)
    after: DeathCalls = field(default_factory=DeathCalls)


@frozen
class _History:
    """All that is stored of one target and bears on its state."""

    key: int
    url: str
    standing: Standing
    last_run: int | None
    findings: Sequence[tuple[int, Finding]]
    events: Sequence[Event]


def rejudge(engine: sa.Engine, advance: Advance, *, write: bool = False) -> RejudgeResult:
    """Judge every target again from its stored findings, in their order; keep that, if `write`.

    Raises:
        LedgerError: the database cannot be read, or not take it.
    """
    result = RejudgeResult()
    with reading(engine) as connection:
        keys = list(connection.execute(sa.select(schema.target.c.id).order_by(schema.target.c.id)).scalars())
    for chunk in chunks(keys, TARGETS_PER_BATCH):
        with writing(engine) if write else reading(engine) as connection:
            _rejudge(connection, list(_histories(connection, chunk)), advance, result)
    if write:
        _weigh_records(engine)
        update_targets(engine)
    return result


def _weigh_records(engine: sa.Engine) -> None:
    with reading(engine) as connection:
        keys = list(connection.execute(sa.select(schema.record.c.id).order_by(schema.record.c.id)).scalars())
    for chunk in chunks(keys):
        with writing(engine) as connection:
            update_record_severities(connection, chunk)


def _rejudge(
    connection: sa.Connection, histories: Sequence[_History], advance: Advance, result: RejudgeResult
) -> None:
    writes = connection.get_execution_options().get("writes", False)
    outcomes = [(history, *_judge(history, advance)) for history in histories]
    for history, standing, events in outcomes:
        result.targets += 1
        result.findings += len(history.findings)
        result.before.add(history.events)
        result.after.add(events)
        if standing.state is not history.standing.state:
            result.changed_states.append(ChangedState(history.url, history.standing.state, standing.state))
    if writes:
        standings = [(history, now) for history, now, _ in outcomes if now != history.standing]
        _write_standings(connection, standings)
        _write_events(connection, [(old.key, now) for old, _, now in outcomes if now != old.events])


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
        findings_of_target = [(run, _finding(key, url, *facts)) for _, run, *facts in findings.get(key, ())]
        yield _History(key, url, to_standing(cells), last_run, findings_of_target, events.get(key, []))


def _finding(key: int, url: str, verdict: str, at: datetime, retry_at: datetime | None) -> Finding:
    return Finding(key, url, Verdict(verdict), at, retry_at=retry_at)


def _findings(connection: sa.Connection, keys: Sequence[int]) -> dict[int, list[RowValues]]:
    table = schema.finding
    columns = (table.c.target_id, table.c.run_id, table.c.verdict, table.c.checked_at, table.c.retry_at)
    query = sa.select(*columns).where(table.c.target_id.between(keys[0], keys[-1]))
    rows = connection.execute(query.order_by(table.c.target_id, table.c.run_id))
    return {key: list(rows_of_target) for key, rows_of_target in groupby(rows, key=lambda row: row[0])}


def _events(connection: sa.Connection, keys: Sequence[int]) -> dict[int, list[Event]]:
    table = schema.event
    query = sa.select(*(table.c[name] for name in EVENT_ROW)).where(
        table.c.target_id.between(keys[0], keys[-1])
    )
    rows = connection.execute(query.order_by(table.c.target_id, table.c.run_id, table.c.id))
    return {
        key: [Event(run, at, State(before), State(after)) for _, run, at, before, after in rows_of_target]
        for key, rows_of_target in groupby(rows, key=lambda row: row[0])
    }


def _write_standings(connection: sa.Connection, standings: Sequence[tuple[_History, Standing]]) -> None:
    table = schema.target
    names = (*STANDING_COLUMNS, "last_run")
    values: dict[str, object] = {name: sa.bindparam(name, type_=table.c[name].type) for name in names}
    target_row = table.c.id == sa.bindparam("key", type_=sa.Integer)
    update = PreparedStatement(
        connection.engine, sa.update(table).where(target_row).values(values), (*names, "key")
    )
    update.run(connection, [standing_row(history.key, now, history.last_run) for history, now in standings])


def _write_events(connection: sa.Connection, events_by_target: Sequence[tuple[int, Sequence[Event]]]) -> None:
    table = schema.event
    for chunk in chunks(key for key, _ in events_by_target):
        connection.execute(sa.delete(table).where(table.c.target_id.in_(chunk)))
    insert = PreparedStatement(connection.engine, sa.insert(table), EVENT_ROW)
    rows = [
        (key, event.run, utc_text(event.at), event.before.value, event.after.value)
        for key, events in events_by_target
        for event in events
    ]
    insert.run(connection, rows)
