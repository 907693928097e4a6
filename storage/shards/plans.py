"""What a shared run has to do: its shards and the targets of each, laid down once."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final

import sqlalchemy as sa

from storage import schema
from storage.database import reading, writing
from storage.model import Kind, Run, Target
from storage.shards.server import NOW
from storage.statements import Prepared, chunks

PAGE: Final = 50_000  # tasks that are copied together
TASK: Final = ("run_id", "target_id", "shard", "kind", "fragments")
SHARD: Final = ("run_id", "number", "weight", "targets", "lanes", "remaining", "done")


@dataclass(frozen=True, slots=True)
class Share:
    """One shard as it is planned; `weight` is the lower bound of its largest lane, in seconds."""

    number: int
    weight: float
    targets: int
    lanes: int


@dataclass(frozen=True, slots=True)
class Task:
    """A target in its shard."""

    shard: int
    target: Target


@dataclass(frozen=True, slots=True)
class Plan:
    """What all workers of a run have in common.

    `bound` are the seconds that the run takes at least, set by `bound_lane`. `terms` is JSON-ready
    and belongs to who plans: what the others have to agree with.
    """

    shards: int
    targets: int
    lanes: int
    bound: float
    bound_lane: str
    terms: Mapping[str, Any]


def shard_of(lane: str, count: int) -> int:
    """The shard of a lane: the same in every process, on every machine and in every run."""
    return int.from_bytes(sha256(lane.encode()).digest()[:8]) % count


def put_plan(engine: sa.Engine, run: Run, plan: Plan, shares: Iterable[Share], tasks: Iterable[Task]) -> None:
    """Lay a plan down, wholly or not at all.

    Raises:
        LedgerError: the database cannot take it.
    """
    shards = Prepared(engine, sa.insert(schema.shard), SHARD)
    rows = Prepared(engine, sa.insert(schema.task), TASK)
    with writing(engine) as connection:
        values = {name: getattr(plan, name) for name in Plan.__dataclass_fields__}
        connection.execute(sa.insert(schema.plan).values(run_id=run.id, **values))
        shards.run(connection, [_shard(run, one) for one in shares])
        for some in chunks(tasks, PAGE):
            rows.run(connection, [_row(run, one) for one in some])
    with writing(engine) as connection:
        # Else the server plans its queries for tables that it believes to be empty.
        connection.execute(sa.text("ANALYZE task, shard"))


def _shard(run: Run, share: Share) -> tuple[int | float, ...]:
    """A row of `shard`; one without targets is done."""
    number, targets = share.number, share.targets
    return (run.id, number, share.weight, targets, share.lanes, targets, targets == 0)


def _row(run: Run, task: Task) -> tuple[int, int, int, str, str | None]:
    target = task.target
    fragments = json.dumps(target.fragments) if target.fragments else None
    return (run.id, target.id, task.shard, target.kind.value, fragments)


def open_plan(engine: sa.Engine) -> tuple[Run, Plan] | None:
    """The shared run that has no last word yet, and its plan; None where there is none.

    Raises:
        LedgerError: the database cannot be read.
    """
    run, plan = schema.run, schema.plan
    query = sa.select(run.c.id, run.c.command, run.c.started_at, plan).join(plan, plan.c.run_id == run.c.id)
    query = query.where(run.c.ended.is_(None)).order_by(run.c.id.desc()).limit(1)
    with reading(engine) as connection:
        row = connection.execute(query).mappings().first()
    if row is None:
        return None
    values = {name: row[name] for name in Plan.__dataclass_fields__}
    return Run(row["id"], row["command"], row["started_at"]), Plan(**values)


def tasks_left(engine: sa.Engine, run: int, shard: int) -> list[Target]:
    """The targets of a shard that are still to be asked, in the order of their ids.

    Raises:
        LedgerError: the database cannot be read.
    """
    task, target = schema.task, schema.target
    query = sa.select(target.c.id, target.c.url, task.c.kind, task.c.fragments)
    query = query.join(target, target.c.id == task.c.target_id)
    query = query.where(task.c.run_id == run, task.c.shard == shard).order_by(target.c.id)
    with reading(engine) as connection:
        rows = connection.execute(query)
        return [Target(key, url, Kind(kind), tuple(marks or ())) for key, url, kind, marks in rows]


def waits(engine: sa.Engine, run: int, shard: int) -> tuple[dict[str, float], set[str]]:
    """Seconds until each lane of a shard may be asked, and the lanes that others' redirects lead to.

    Raises:
        LedgerError: the database cannot be read.
    """
    query = sa.text(
        f"SELECT key, visited, extract(epoch FROM next_ok - {NOW}) FROM lane "  # noqa: S608 - no input
        "WHERE run_id = :run AND shard = :shard"
    )
    with reading(engine) as connection:
        rows = connection.execute(query, {"run": run, "shard": shard}).all()
    held = {key: float(left) for key, _, left in rows if left is not None and left > 0}
    return held, {key for key, visited, _ in rows if visited}
