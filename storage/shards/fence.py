"""Writing behind a fence: what a worker found in shards that it still has, and nothing else."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Final

import sqlalchemy as sa

from storage.errors import LedgerError
from storage.frozen import frozen
from storage.ledger.writer import LedgerWriter
from storage.model import Finding
from storage.shards.server import DATABASE_NOW, is_transient, timed_transaction

FENCE_STATEMENT: Final = sa.text(
    "SELECT s.number FROM shard AS s "
    "JOIN unnest(CAST(:numbers AS integer[]), CAST(:epochs AS integer[])) AS h(number, epoch) "
    "ON s.number = h.number AND s.epoch = h.epoch "
    "WHERE s.run_id = :run AND NOT s.done ORDER BY s.number FOR SHARE OF s"
)
DELETE_TASKS: Final = sa.text("DELETE FROM task WHERE run_id = :run AND target_id = ANY(:targets)")
UPSERT_LANES: Final = sa.text(
    "INSERT INTO lane (run_id, key, shard, next_ok) "  # noqa: S608 - no input
    f"SELECT :run, h.key, h.shard, {DATABASE_NOW} + make_interval(secs => h.wait) FROM unnest("
    "CAST(:keys AS text[]), CAST(:shards AS integer[]), CAST(:waits AS double precision[])) "
    "AS h(key, shard, wait) ORDER BY h.key "
    "ON CONFLICT (run_id, key) DO UPDATE SET next_ok = greatest(lane.next_ok, excluded.next_ok)"
)
FIRST_RETRY_DELAY: Final = 0.1  # seconds before a batch is written again, doubled each time
MAX_RETRY_DELAY: Final = 5.0  # seconds


@frozen
class LaneDelays:
    """How long lanes are to be left alone: key, shard, and seconds from now, each."""

    keys: list[str]
    shards: list[int]
    waits: list[float]


@frozen
class WorkerHooks:
    """What a writer asks and tells its worker; all are called in the thread that writes.

    `lease_of` tells shard and epoch under which a target was asked, None for one that is not of this
    worker; `pauses` the lanes that are to be left alone for a while. `lost` is told the shards that
    turned out to be others', with the epoch that has passed; `stuck` whether findings have to wait.
    """

    lease_of: Callable[[int], tuple[int, int] | None]
    pauses: Callable[[], LaneDelays]
    lost: Callable[[Mapping[int, int]], None]
    stuck: Callable[[bool], None]


class FencedWriter:
    """Writes the findings of one worker; a batch that cannot be written waits until it can."""

    def __init__(
        self, engine: sa.Engine, run: int, inner: LedgerWriter, seconds: float, hooks: WorkerHooks
    ) -> None:
        self._engine = engine
        self._run = run
        self._inner = inner
        self._seconds = seconds
        self._hooks = hooks
        self._given_up = threading.Event()

    def abandon(self) -> None:
        """Wait for the database no longer: what cannot be written now is not written."""
        self._given_up.set()

    def write(self, findings: Sequence[Finding]) -> None:
        """Write one batch in one transaction, as soon as the database takes it.

        Raises:
            LedgerError: it never will, or nobody waits for it any more.
        """
        pause = FIRST_RETRY_DELAY
        while True:
            try:
                self._write(findings)
                break
            except LedgerError as exc:
                self._hooks.stuck(True)
                if not is_transient(exc) or self._given_up.wait(pause):
                    raise
            pause = min(MAX_RETRY_DELAY, pause * 2)
        self._hooks.stuck(False)

    def park(self, epochs: Mapping[int, int]) -> None:
        """Keep when the lanes of some shards may be asked next; `held` gives the epoch of each.

        Raises:
            LedgerError: the database cannot take it.
        """
        with timed_transaction(self._engine, self._seconds) as connection:
            self._store(connection, self._held_shards(connection, epochs))

    def _held_shards(self, connection: sa.Connection, epochs: Mapping[int, int]) -> set[int]:
        """The shards among some that this worker still has; nobody takes one before the transaction ends."""
        values = {"run": self._run, "numbers": list(epochs), "epochs": list(epochs.values())}
        return set(connection.execute(FENCE_STATEMENT, values).scalars())

    def _write(self, findings: Sequence[Finding]) -> None:
        leases = {finding.target: self._hooks.lease_of(finding.target) for finding in findings}
        epochs = dict(lease for lease in leases.values() if lease is not None)
        with timed_transaction(self._engine, self._seconds) as connection:
            shards = self._held_shards(connection, epochs)
            batch = [result for result in findings if _is_held(leases[result.target], shards)]
            if batch:
                self._inner.put(connection, batch)
                connection.execute(
                    DELETE_TASKS, {"run": self._run, "targets": [result.target for result in batch]}
                )
            self._store(connection, shards)
        lost_shards = epochs.keys() - shards
        if lost_shards:
            self._hooks.lost({number: epochs[number] for number in lost_shards})

    def _store(self, connection: sa.Connection, shards: set[int]) -> None:
        """Keep when lanes may be asked next, for whoever has them by then."""
        pauses = self._hooks.pauses()
        places = [n for n, shard in enumerate(pauses.shards) if shard in shards]
        if places:
            values: Mapping[str, object] = {
                "run": self._run,
                "keys": [pauses.keys[n] for n in places],
                "shards": [pauses.shards[n] for n in places],
                "waits": [pauses.waits[n] for n in places],
            }
            connection.execute(UPSERT_LANES, dict(values))


def _is_held(lease: tuple[int, int] | None, shards: set[int]) -> bool:
    return lease is not None and lease[0] in shards
