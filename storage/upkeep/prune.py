"""Old findings thinned out: what happened stays, how often it was seen to be so goes.

Of each period of one state, the first and the last finding that bear on it are kept, of a suspect
all of them, so that the whole history can still be judged again. Events, runs and links stay.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Final

import sqlalchemy as sa

from storage.db import schema
from storage.db.sql import RowValues
from storage.db.statements import chunks
from storage.db.transactions import driver_errors_translated, reading, writing
from storage.frozen import frozen
from storage.model import Class, State

TARGETS_PER_TRANSACTION: Final = 2000  # thinned out in one transaction
# Classes that change a state; the others say nothing about their target, or not enough.
STATE_CLASSES: Final = frozenset(
    {Class.ALIVE.value, Class.HARD.value, Class.SOFT.value, Class.TRANSIENT.value, Class.CONTENT.value}
)
FindingKey = tuple[int, int]  # run and target


@dataclass(slots=True)
class PruneCounts:
    """How many findings were there, and how many of them went."""

    findings: int = 0
    deleted: int = 0


@frozen
class _FindingSummary:
    """One finding, in short: `period` counts the changes of state up to it."""

    run: int
    at: datetime
    cls: str
    period: int
    state: State


def prune(engine: sa.Engine, before: datetime) -> PruneCounts:
    """Thin out the findings made before a time (UTC), with their requests and pictures.

    Probes that were due before it go, too.

    Raises:
        LedgerError: the database cannot take it.
    """
    counts = PruneCounts()
    with reading(engine) as connection:
        keys = list(connection.execute(sa.select(schema.target.c.id).order_by(schema.target.c.id)).scalars())
    for chunk in chunks(keys, TARGETS_PER_TRANSACTION):
        with writing(engine) as connection:
            _prune(connection, chunk, before, counts)
    with writing(engine) as connection:
        connection.execute(sa.delete(schema.probe).where(schema.probe.c.due_at < before))
    if counts.deleted:
        _shrink_file(engine)
    return counts


def _prune(connection: sa.Connection, keys: Sequence[int], before: datetime, counts: PruneCounts) -> None:
    newest = _newest(connection, keys)
    deletions: list[FindingKey] = []
    for key, history in _histories(connection, keys):
        counts.findings += len(history)
        runs = _runs_to_keep(history) | {newest.get(key)}
        deletions += [
            (summary.run, key) for summary in history if summary.at < before and summary.run not in runs
        ]
    counts.deleted += len(deletions)
    _delete(connection, deletions)


def _runs_to_keep(history: Sequence[_FindingSummary]) -> set[int | None]:
    """The runs whose finding tells a state from the next."""
    bearing = [summary for summary in history if summary.cls in STATE_CLASSES]
    kept_runs: set[int | None] = {summary.run for summary in bearing if summary.state is State.SUSPECT}
    for _, period in groupby(bearing, key=lambda summary: summary.period):
        runs = [summary.run for summary in period]
        kept_runs |= {runs[0], runs[-1]}
    return kept_runs


def _newest(connection: sa.Connection, keys: Sequence[int]) -> dict[int, int]:
    table = schema.target
    query = sa.select(table.c.id, table.c.last_run).where(table.c.id.between(keys[0], keys[-1]))
    return {key: run for key, run in connection.execute(query) if run is not None}


def _histories(connection: sa.Connection, keys: Sequence[int]) -> Iterator[tuple[int, list[_FindingSummary]]]:
    """The findings of each target, the oldest first, each with the state that it led to."""
    turns = _turns(connection, keys)
    table = schema.finding
    query = sa.select(table.c.target_id, table.c.run_id, table.c.checked_at, table.c["class"])
    query = query.where(table.c.target_id.between(keys[0], keys[-1]))
    rows = connection.execute(query.order_by(table.c.target_id, table.c.run_id))
    for key, rows_of_target in groupby(rows, key=lambda row: row[0]):
        yield key, list(_summaries(rows_of_target, turns.get(key, [])))


def _summaries(rows: Iterable[RowValues], turns: Sequence[tuple[int, State]]) -> Iterator[_FindingSummary]:
    period, state = 0, State.NEW
    for _, run, at, cls in rows:
        while period < len(turns) and turns[period][0] <= run:
            state = turns[period][1]
            period += 1
        yield _FindingSummary(run, at, cls, period, state)


def _turns(connection: sa.Connection, keys: Sequence[int]) -> dict[int, list[tuple[int, State]]]:
    table = schema.event
    query = sa.select(table.c.target_id, table.c.run_id, table.c.to_state)
    query = query.where(table.c.target_id.between(keys[0], keys[-1]))
    turns: dict[int, list[tuple[int, State]]] = {}
    for key, run, state in connection.execute(query.order_by(table.c.run_id, table.c.id)):
        turns.setdefault(key, []).append((run, State(state)))
    return turns


def _delete(connection: sa.Connection, keys: Sequence[FindingKey]) -> None:
    rows = [{"run": run, "target": target} for run, target in keys]
    for table in (schema.hop, schema.image, schema.finding):
        finding_rows = (table.c.run_id == sa.bindparam("run")) & (table.c.target_id == sa.bindparam("target"))
        if rows:
            connection.execute(sa.delete(table).where(finding_rows), rows)


def _shrink_file(engine: sa.Engine) -> None:
    """Give the room back to the disk; a server does so by itself."""
    if engine.dialect.name != "sqlite":
        return
    with driver_errors_translated(engine), engine.connect() as connection:
        raw = connection.connection.driver_connection
        assert raw is not None  # noqa: S101 - a connection that is open has one
        raw.execute("VACUUM")
