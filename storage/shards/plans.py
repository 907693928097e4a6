"""What a shared run has to do: its shards and the targets of each, laid down once."""

from __future__ import annotations

import json
from collections.abc import Iterable
from hashlib import sha256
from typing import Final, TypedDict

import sqlalchemy as sa

from storage.db import schema
from storage.db.statements import PreparedStatement, chunks
from storage.db.transactions import reading, writing
from storage.frozen import frozen
from storage.model import Kind, Run, Target
from storage.shards.server import DATABASE_NOW

TASKS_PER_COPY: Final = 50_000  # tasks that are copied together
TASK_COLUMNS: Final = ("run_id", "target_id", "shard", "kind", "fragments")
SHARD_COLUMNS: Final = ("run_id", "number", "weight", "targets", "lanes", "remaining", "done")


class RunTerms(TypedDict):
    """What all workers of a run agree about; `agreed` has a digest of each section of the configuration."""

    command: str
    detours: list[str]
    cache: bool
    probes: bool
    program: str
    agreed: dict[str, str]


@frozen
class ShardPlan:
    """One shard as it is planned; `weight` is the lower bound of its largest lane, in seconds."""

    number: int
    weight: float
    targets: int
    lanes: int


@frozen
class ShardTarget:
    """A target in its shard."""

    shard: int
    target: Target


@frozen
class SharedRunPlan:
    """What all workers of a run have in common.

    `bound` are the seconds that the run takes at least, set by `bound_lane`. `terms` is JSON-ready
    and belongs to who plans: what the others have to agree with.
    """

    shards: int
    targets: int
    lanes: int
    bound: float
    bound_lane: str
    terms: RunTerms


def shard_of(lane: str, count: int) -> int:
    """The shard of a lane: the same in every process, on every machine and in every run."""
    return int.from_bytes(sha256(lane.encode()).digest()[:8]) % count


def put_plan(
    engine: sa.Engine,
    run: Run,
    plan: SharedRunPlan,
    shares: Iterable[ShardPlan],
    tasks: Iterable[ShardTarget],
) -> None:
    """Lay a plan down, wholly or not at all.

    Raises:
        LedgerError: the database cannot take it.
    """
    shards = PreparedStatement(engine, sa.insert(schema.shard), SHARD_COLUMNS)
    rows = PreparedStatement(engine, sa.insert(schema.task), TASK_COLUMNS)
    with writing(engine) as connection:
        values = {name: getattr(plan, name) for name in SharedRunPlan.__dataclass_fields__}
        connection.execute(sa.insert(schema.plan).values(run_id=run.id, **values))
        shards.run(connection, [_shard(run, item) for item in shares])
        for chunk in chunks(tasks, TASKS_PER_COPY):
            rows.run(connection, [_row(run, item) for item in chunk])
    with writing(engine) as connection:
        # Else the server plans its queries for tables that it believes to be empty.
        connection.execute(sa.text("ANALYZE task, shard"))


def _shard(run: Run, share: ShardPlan) -> tuple[int | float, ...]:
    """A row of `shard`; one without targets is done."""
    number, targets = share.number, share.targets
    return (run.id, number, share.weight, targets, share.lanes, targets, targets == 0)


def _row(run: Run, task: ShardTarget) -> tuple[int, int, int, str, str | None]:
    target = task.target
    fragments = json.dumps(target.fragments) if target.fragments else None
    return (run.id, target.id, task.shard, target.kind.value, fragments)


def open_plan(engine: sa.Engine) -> tuple[Run, SharedRunPlan] | None:
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
    values = {name: row[name] for name in SharedRunPlan.__dataclass_fields__}
    return Run(row["id"], row["command"], row["started_at"]), SharedRunPlan(**values)


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


def lane_delays(engine: sa.Engine, run: int, shard: int) -> tuple[dict[str, float], set[str]]:
    """Seconds until each lane of a shard may be asked, and the lanes that others' redirects lead to.

    Raises:
        LedgerError: the database cannot be read.
    """
    query = sa.text(
        f"SELECT key, visited, extract(epoch FROM next_ok - {DATABASE_NOW}) FROM lane "  # noqa: S608 - no input
        "WHERE run_id = :run AND shard = :shard"
    )
    with reading(engine) as connection:
        rows = connection.execute(query, {"run": run, "shard": shard}).all()
    delays = {key: float(seconds) for key, _, seconds in rows if seconds is not None and seconds > 0}
    return delays, {key for key, is_visited, _ in rows if is_visited}
