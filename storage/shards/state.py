"""How a shared run stands, for people: its workers, its shards, what is left."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Final, TypeVar

import sqlalchemy as sa

from storage.db.transactions import reading
from storage.frozen import frozen
from storage.model import Run
from storage.shards.plans import SharedRunPlan, open_plan
from storage.shards.server import DATABASE_NOW

Shape = TypeVar("Shape")
WORKERS_QUERY: Final = sa.text(
    "SELECT w.id, w.name, w.started_at, w.found, w.rate, w.idle, "  # noqa: S608 - no input
    f"extract(epoch FROM {DATABASE_NOW} - w.seen_at) AS silent, count(s.number) AS shards, "
    "coalesce(sum(s.lanes), 0) AS lanes, coalesce(sum(s.remaining), 0) AS remaining FROM worker AS w "
    "LEFT JOIN shard AS s ON s.run_id = w.run_id AND s.owner = w.id AND NOT s.done "
    "WHERE w.run_id = :run GROUP BY w.id ORDER BY w.started_at, w.id"
)
SHARDS_QUERY: Final = sa.text(
    "SELECT s.number, s.weight, s.targets, s.lanes, s.remaining, s.owner, w.name, s.epoch, s.done, "  # noqa: S608 - no input
    f"extract(epoch FROM s.lease_until - {DATABASE_NOW}) AS lease FROM shard AS s "
    "LEFT JOIN worker AS w ON w.id = s.owner WHERE s.run_id = :run ORDER BY s.weight DESC, s.number"
)
TASK_COUNT_QUERY: Final = sa.text("SELECT count(*) FROM task WHERE run_id = :run")


@frozen
class WorkerState:
    """One worker; `silent` are seconds since it was heard of, `rate` findings a second."""

    id: str
    name: str
    started_at: datetime
    found: int
    rate: float
    idle: bool
    silent: float
    shards: int
    lanes: int
    remaining: int


@frozen
class ShardState:
    """One shard; `lease` are the seconds until its lease ends, None where nobody has it."""

    number: int
    weight: float
    targets: int
    lanes: int
    remaining: int
    owner: str | None
    name: str | None
    epoch: int
    done: bool
    lease: float | None


@frozen
class SharedState:
    """A shared run at this moment; `left` counts the targets that are still to be asked."""

    run: Run
    plan: SharedRunPlan
    left: int
    workers: list[WorkerState]
    shards: list[ShardState]


def shared_state(engine: sa.Engine) -> SharedState | None:
    """How the shared run that is open stands; None where there is none.

    Raises:
        LedgerError: the database cannot be read.
    """
    open_run = open_plan(engine)
    if open_run is None:
        return None
    run, plan = open_run
    values = {"run": run.id}
    with reading(engine) as connection:
        workers = connection.execute(WORKERS_QUERY, values).mappings().all()
        shards = connection.execute(SHARDS_QUERY, values).mappings().all()
        task_count = int(connection.execute(TASK_COUNT_QUERY, values).scalar_one())
    return SharedState(
        run,
        plan,
        task_count,
        [_as(WorkerState, row) for row in workers],
        [_as(ShardState, row) for row in shards],
    )


def _as(shape: Callable[..., Shape], row: sa.RowMapping) -> Shape:
    """A row as a value; PostgreSQL gives seconds as decimals."""
    return shape(**{name: float(cell) if isinstance(cell, Decimal) else cell for name, cell in row.items()})
