"""Leases: which worker has which shard, until when, by the clock of the database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import sqlalchemy as sa

from storage.db.transactions import reading
from storage.frozen import frozen
from storage.model import Target
from storage.shards.plans import lane_delays, tasks_left
from storage.shards.server import DATABASE_NOW, timed_transaction

FREE_SHARD: Final = f"NOT done AND (lease_until IS NULL OR lease_until < {DATABASE_NOW})"
CLAIM_QUERY: Final = sa.text(
    "SELECT number, weight, remaining, owner IS NOT NULL AS left_behind FROM shard "  # noqa: S608 - no input
    f"WHERE run_id = :run AND {FREE_SHARD} "
    "ORDER BY weight DESC, remaining DESC, number LIMIT :most FOR UPDATE SKIP LOCKED"
)
TAKE_STATEMENT: Final = sa.text(
    "UPDATE shard SET owner = :me, epoch = epoch + 1, "  # noqa: S608 - no input
    f"lease_until = {DATABASE_NOW} + make_interval(secs => :seconds) "
    "WHERE run_id = :run AND number = ANY(:numbers) RETURNING number, epoch"
)
RENEW_STATEMENT: Final = sa.text(
    "UPDATE shard AS s SET remaining = h.remaining, "  # noqa: S608 - no input
    f"lease_until = {DATABASE_NOW} + make_interval(secs => :seconds) "
    "FROM unnest(CAST(:numbers AS integer[]), CAST(:epochs AS integer[]), CAST(:remaining AS integer[])) "
    "AS h(number, epoch, remaining) "
    "WHERE s.run_id = :run AND s.number = h.number AND s.epoch = h.epoch AND NOT s.done RETURNING s.number"
)
GIVE_TEMPLATE: Final = (
    "UPDATE shard AS s SET {what} "
    "FROM unnest(CAST(:numbers AS integer[]), CAST(:epochs AS integer[])) AS h(number, epoch) "
    "WHERE s.run_id = :run AND s.number = h.number AND s.epoch = h.epoch"
)
RELEASE_STATEMENT: Final = sa.text(
    GIVE_TEMPLATE.format(what="owner = NULL, lease_until = NULL, epoch = s.epoch + 1")
)
FINISH_STATEMENT: Final = sa.text(
    GIVE_TEMPLATE.format(
        what="done = true, remaining = 0, owner = NULL, lease_until = NULL, epoch = s.epoch + 1"
    )
    + " AND NOT EXISTS (SELECT FROM task AS t WHERE t.run_id = :run AND t.shard = s.number)"
)
FORGO_STATEMENT: Final = sa.text(
    "DELETE FROM task AS t USING shard AS s, "
    "unnest(CAST(:numbers AS integer[]), CAST(:epochs AS integer[])) AS h(number, epoch) "
    "WHERE t.run_id = :run AND t.target_id = ANY(:targets) AND t.shard = h.number "
    "AND s.run_id = :run AND s.number = h.number AND s.epoch = h.epoch"
)
UPSERT_WORKER: Final = sa.text(
    "INSERT INTO worker (id, name, run_id, started_at, seen_at, found, rate, idle) "  # noqa: S608 - no input
    f"VALUES (:me, :name, :run, {DATABASE_NOW}, {DATABASE_NOW}, :found, :rate, :idle) "
    "ON CONFLICT (id) DO UPDATE SET "
    "run_id = excluded.run_id, seen_at = excluded.seen_at, found = excluded.found, "
    "rate = excluded.rate, idle = excluded.idle"
)
RUN_END_QUERY: Final = sa.text(
    "SELECT ended IS NOT NULL, extract(epoch FROM clock_timestamp()) FROM run WHERE id = :run"
)
DELETE_WORKERS: Final = sa.text(
    "DELETE FROM worker WHERE id = :me OR "  # noqa: S608 - no input
    f"seen_at < {DATABASE_NOW} - make_interval(secs => 20 * :seconds)"
)
SNAPSHOT_QUERY: Final = sa.text(
    "SELECT (SELECT ended IS NOT NULL FROM run WHERE id = :run) AS ended, "  # noqa: S608 - no input
    "(SELECT count(*) FROM worker WHERE run_id = :run "
    f"AND (id = :me OR seen_at > {DATABASE_NOW} - make_interval(secs => :seconds))) AS workers, "
    "(SELECT count(*) FROM worker WHERE run_id = :run AND id <> :me AND idle "
    f"AND seen_at > {DATABASE_NOW} - make_interval(secs => :seconds)) AS idle, "
    "count(*) FILTER (WHERE NOT done) AS shards, "
    "count(*) FILTER (WHERE NOT done AND remaining > 0) AS busy, "
    "coalesce(sum(remaining) FILTER (WHERE NOT done), 0) AS targets, "
    f"count(*) FILTER (WHERE {FREE_SHARD}) AS free, "
    f"coalesce(sum(remaining) FILTER (WHERE {FREE_SHARD}), 0) AS free_targets "
    "FROM shard WHERE run_id = :run"
)


@frozen
class Lease:
    """A shard that a worker has: `epoch` tells this lease from those before and after.

    `left_behind`: who had it before did not give it back.
    """

    number: int
    epoch: int
    weight: float
    targets: int
    left_behind: bool = False


@frozen
class ShardWork:
    """What is to do in a shard: targets, seconds until lanes may be asked, lanes that are visited."""

    targets: list[Target]
    waits: dict[str, float]
    visited: set[str]


@frozen
class RunSnapshot:
    """A run as a worker sees it: open shards and targets, those of them that nobody has, workers.

    `workers` counts those that were heard of lately, `idle` those among the others that look for work.
    `busy` are the open shards that have targets left, as far as their workers have told.
    """

    ended: bool
    workers: int
    idle: int
    shards: int
    busy: int
    targets: int
    free: int
    free_targets: int


@frozen
class LeaseRenewal:
    """What came of a renewal: the shards that are still this worker's, and whether the run ended.

    `at` is what the clock of the database showed, as seconds of UTC.
    """

    kept: frozenset[int]
    ended: bool
    at: float


@frozen
class WorkerReport:
    """What a worker says of itself: its findings so far, how many a second, whether it looks for work."""

    found: int = 0
    rate: float = 0.0
    idle: bool = False


@frozen
class Leases:
    """The leases of one worker in one run, `seconds` long; every call is one short transaction.

    Every method raises LedgerError if the database cannot be used.
    """

    engine: sa.Engine
    run: int
    me: str
    name: str
    seconds: float

    def snapshot(self) -> RunSnapshot:
        """How the run stands."""
        values = {"run": self.run, "me": self.me, "seconds": self.seconds}
        with reading(self.engine) as connection:
            row = connection.execute(SNAPSHOT_QUERY, values).mappings().one()
        return RunSnapshot(**{name: row[name] for name in RunSnapshot.__dataclass_fields__})

    def claim(self, budget: int, max_shards: int) -> list[Lease]:
        """Lease free shards, heaviest first: at most so many, and `budget` targets, but for the first."""
        with timed_transaction(self.engine, self.seconds) as connection:
            rows = connection.execute(CLAIM_QUERY, {"run": self.run, "most": max_shards}).all()
            rows_to_take = list(rows[:1])
            load = sum(row.remaining for row in rows_to_take)
            for row in rows[1:]:
                if load + row.remaining <= budget:
                    rows_to_take.append(row)
                    load += row.remaining
            values = {"run": self.run, "me": self.me, "seconds": self.seconds}
            updates = connection.execute(
                TAKE_STATEMENT, {**values, "numbers": [row.number for row in rows_to_take]}
            )
            epochs = {row.number: row.epoch for row in updates}
        return [Lease(r.number, epochs[r.number], r.weight, r.remaining, r.left_behind) for r in rows_to_take]

    def work(self, lease: Lease) -> ShardWork:
        """What is to do in a shard."""
        lane_waits, visited_lanes = lane_delays(self.engine, self.run, lease.number)
        return ShardWork(tasks_left(self.engine, self.run, lease.number), lane_waits, visited_lanes)

    def renew(self, shards: Mapping[int, tuple[int, int]], report: WorkerReport) -> LeaseRenewal:
        """Have the leases for another while; `held` gives epoch and open targets of each shard."""
        values = {"run": self.run, "me": self.me, "seconds": self.seconds}
        about = {"name": self.name, "found": report.found, "rate": report.rate, "idle": report.idle}
        shard_values = {
            "numbers": list(shards),
            "epochs": [epoch for epoch, _ in shards.values()],
            "remaining": [remaining for _, remaining in shards.values()],
        }
        with timed_transaction(self.engine, self.seconds) as connection:
            has_ended, at = connection.execute(RUN_END_QUERY, values).one()
            connection.execute(UPSERT_WORKER, {**values, **about})
            numbers = (
                connection.execute(RENEW_STATEMENT, {**values, **shard_values}).scalars().all()
                if shards
                else []
            )
        return LeaseRenewal(frozenset(numbers), has_ended, float(at))

    def release(self, epochs: Mapping[int, int]) -> None:
        """Give shards back; `held` gives the epoch of each."""
        self._give(RELEASE_STATEMENT, epochs)

    def finish(self, epochs: Mapping[int, int], forgone: Sequence[int] = ()) -> None:
        """Call shards done; one with targets still to be asked stays open, but for those `forgone`."""
        self._give(FINISH_STATEMENT, epochs, forgone)

    def leave(self) -> None:
        """Forget this worker, and those that were not heard of for long."""
        with timed_transaction(self.engine, self.seconds) as connection:
            connection.execute(DELETE_WORKERS, {"me": self.me, "seconds": self.seconds})

    def _give(self, statement: sa.TextClause, epochs: Mapping[int, int], forgone: Sequence[int] = ()) -> None:
        values = {"run": self.run, "numbers": list(epochs), "epochs": list(epochs.values())}
        with timed_transaction(self.engine, self.seconds) as connection:
            if forgone:
                connection.execute(FORGO_STATEMENT, {**values, "targets": list(forgone)})
            connection.execute(statement, values)
