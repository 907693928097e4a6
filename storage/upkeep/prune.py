"""Old findings thinned out: what happened stays, how often it was seen to be so goes.

Of each period of one state, the first and the last finding that bear on it are kept, of a suspect
all of them, so that the whole history can still be judged again. Events, runs and links stay.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any, Final

import sqlalchemy as sa

from storage import schema
from storage.database import reading, told, writing
from storage.model import Class, State
from storage.statements import chunks

TARGETS: Final = 2000  # thinned out in one transaction
# Classes that change a state; the others say nothing about their target, or not enough.
BEARING: Final = frozenset(
    {Class.ALIVE.value, Class.HARD.value, Class.SOFT.value, Class.TRANSIENT.value, Class.CONTENT.value}
)
Key = tuple[int, int]  # run and target


@dataclass(slots=True)
class Pruned:
    """How many findings were there, and how many of them went."""

    findings: int = 0
    deleted: int = 0


@dataclass(frozen=True, slots=True)
class _Seen:
    """One finding, in short: `period` counts the changes of state up to it."""

    run: int
    at: datetime
    cls: str
    period: int
    state: State


def prune(engine: sa.Engine, before: datetime) -> Pruned:
    """Thin out the findings made before a time (UTC), with their requests and pictures.

    Probes that were due before it go, too.

    Raises:
        LedgerError: the database cannot take it.
    """
    counts = Pruned()
    with reading(engine) as connection:
        keys = list(connection.execute(sa.select(schema.target.c.id).order_by(schema.target.c.id)).scalars())
    for some in chunks(keys, TARGETS):
        with writing(engine) as connection:
            _prune(connection, some, before, counts)
    with writing(engine) as connection:
        connection.execute(sa.delete(schema.probe).where(schema.probe.c.due_at < before))
    if counts.deleted:
        _give_back(engine)
    return counts


def _prune(connection: sa.Connection, keys: Sequence[int], before: datetime, counts: Pruned) -> None:
    newest = _newest(connection, keys)
    gone: list[Key] = []
    for key, seen in _histories(connection, keys):
        counts.findings += len(seen)
        kept = _kept(seen) | {newest.get(key)}
        gone += [(one.run, key) for one in seen if one.at < before and one.run not in kept]
    counts.deleted += len(gone)
    _delete(connection, gone)


def _kept(history: Sequence[_Seen]) -> set[int | None]:
    """The runs whose finding tells a state from the next."""
    bearing = [one for one in history if one.cls in BEARING]
    kept: set[int | None] = {one.run for one in bearing if one.state is State.SUSPECT}
    for _, period in groupby(bearing, key=lambda one: one.period):
        runs = [one.run for one in period]
        kept |= {runs[0], runs[-1]}
    return kept


def _newest(connection: sa.Connection, keys: Sequence[int]) -> dict[int, int]:
    table = schema.target
    query = sa.select(table.c.id, table.c.last_run).where(table.c.id.between(keys[0], keys[-1]))
    return {key: run for key, run in connection.execute(query) if run is not None}


def _histories(connection: sa.Connection, keys: Sequence[int]) -> Iterator[tuple[int, list[_Seen]]]:
    """The findings of each target, the oldest first, each with the state that it led to."""
    turns = _turns(connection, keys)
    table = schema.finding
    query = sa.select(table.c.target_id, table.c.run_id, table.c.checked_at, table.c["class"])
    query = query.where(table.c.target_id.between(keys[0], keys[-1]))
    rows = connection.execute(query.order_by(table.c.target_id, table.c.run_id))
    for key, some in groupby(rows, key=lambda row: row[0]):
        yield key, list(_placed(some, turns.get(key, [])))


def _placed(rows: Iterable[Any], turns: Sequence[tuple[int, State]]) -> Iterator[_Seen]:
    period, state = 0, State.NEW
    for _, run, at, cls in rows:
        while period < len(turns) and turns[period][0] <= run:
            state = turns[period][1]
            period += 1
        yield _Seen(run, at, cls, period, state)


def _turns(connection: sa.Connection, keys: Sequence[int]) -> dict[int, list[tuple[int, State]]]:
    table = schema.event
    query = sa.select(table.c.target_id, table.c.run_id, table.c.to_state)
    query = query.where(table.c.target_id.between(keys[0], keys[-1]))
    found: dict[int, list[tuple[int, State]]] = {}
    for key, run, state in connection.execute(query.order_by(table.c.run_id, table.c.id)):
        found.setdefault(key, []).append((run, State(state)))
    return found


def _delete(connection: sa.Connection, gone: Sequence[Key]) -> None:
    rows = [{"run": run, "target": target} for run, target in gone]
    for table in (schema.hop, schema.image, schema.finding):
        here = (table.c.run_id == sa.bindparam("run")) & (table.c.target_id == sa.bindparam("target"))
        if rows:
            connection.execute(sa.delete(table).where(here), rows)


def _give_back(engine: sa.Engine) -> None:
    """Give the room back to the disk; a server does so by itself."""
    if engine.dialect.name != "sqlite":
        return
    with told(engine), engine.connect() as connection:
        raw = connection.connection.driver_connection
        assert raw is not None  # noqa: S101 - a connection that is open has one
        raw.execute("VACUUM")
