"""How a shared run stands, for people: its workers, its shards, what is left."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from storage.database import reading
from storage.model import Run
from storage.shards.plans import Plan, open_plan
from storage.shards.server import NOW

WORKERS: Final = sa.text(
    "SELECT w.id, w.name, w.started_at, w.found, w.rate, w.idle, "  # noqa: S608 - no input
    f"extract(epoch FROM {NOW} - w.seen_at) AS silent, count(s.number) AS shards, "
    "coalesce(sum(s.lanes), 0) AS lanes, coalesce(sum(s.remaining), 0) AS remaining FROM worker AS w "
    "LEFT JOIN shard AS s ON s.run_id = w.run_id AND s.owner = w.id AND NOT s.done "
    "WHERE w.run_id = :run GROUP BY w.id ORDER BY w.started_at, w.id"
)
SHARDS: Final = sa.text(
    "SELECT s.number, s.weight, s.targets, s.lanes, s.remaining, s.owner, w.name, s.epoch, s.done, "  # noqa: S608 - no input
    f"extract(epoch FROM s.lease_until - {NOW}) AS lease FROM shard AS s "
    "LEFT JOIN worker AS w ON w.id = s.owner WHERE s.run_id = :run ORDER BY s.weight DESC, s.number"
)
LEFT: Final = sa.text("SELECT count(*) FROM task WHERE run_id = :run")


@dataclass(frozen=True, slots=True)
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


@dataclass(frozen=True, slots=True)
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


@dataclass(frozen=True, slots=True)
class SharedState:
    """A shared run at this moment; `left` counts the targets that are still to be asked."""

    run: Run
    plan: Plan
    left: int
    workers: list[WorkerState]
    shards: list[ShardState]


def shared_state(engine: sa.Engine) -> SharedState | None:
    """How the shared run that is open stands; None where there is none.

    Raises:
        LedgerError: the database cannot be read.
    """
    found = open_plan(engine)
    if found is None:
        return None
    run, plan = found
    values = {"run": run.id}
    with reading(engine) as connection:
        workers = connection.execute(WORKERS, values).mappings().all()
        shards = connection.execute(SHARDS, values).mappings().all()
        left = int(connection.execute(LEFT, values).scalar_one())
    return SharedState(
        run,
        plan,
        left,
        [WorkerState(**_seconds(row, "silent")) for row in workers],
        [ShardState(**_seconds(row, "lease")) for row in shards],
    )


def _seconds(row: sa.RowMapping, name: str) -> dict[str, Any]:
    """A row with the named number of seconds as a float."""
    return {**row, name: None if row[name] is None else float(row[name])}
