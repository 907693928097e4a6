"""Writing behind a fence: what a worker found in shards that it still has, and nothing else."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import sqlalchemy as sa

from storage.errors import LedgerError
from storage.ledger.writer import Writer
from storage.model import Finding
from storage.shards.server import NOW, guarded, passing

FENCE: Final = sa.text(
    "SELECT s.number FROM shard AS s "
    "JOIN unnest(CAST(:numbers AS integer[]), CAST(:epochs AS integer[])) AS h(number, epoch) "
    "ON s.number = h.number AND s.epoch = h.epoch "
    "WHERE s.run_id = :run AND NOT s.done ORDER BY s.number FOR SHARE OF s"
)
DONE: Final = sa.text("DELETE FROM task WHERE run_id = :run AND target_id = ANY(:targets)")
LANES: Final = sa.text(
    "INSERT INTO lane (run_id, key, shard, next_ok) "  # noqa: S608 - no input
    f"SELECT :run, h.key, h.shard, {NOW} + make_interval(secs => h.wait) FROM unnest("
    "CAST(:keys AS text[]), CAST(:shards AS integer[]), CAST(:waits AS double precision[])) "
    "AS h(key, shard, wait) ORDER BY h.key "
    "ON CONFLICT (run_id, key) DO UPDATE SET next_ok = greatest(lane.next_ok, excluded.next_ok)"
)
FIRST: Final = 0.1  # seconds before a batch that failed is tried once more; then twice as long, and so on
LONGEST: Final = 5.0


@dataclass(frozen=True, slots=True)
class Pauses:
    """How long lanes are to be left alone: key, shard, and seconds from now, each."""

    keys: list[str]
    shards: list[int]
    waits: list[float]


@dataclass(frozen=True, slots=True)
class Ties:
    """What a writer asks and tells its worker; all are called in the thread that writes.

    `lease_of` tells shard and epoch under which a target was asked, None for one that is not of this
    worker; `pauses` the lanes that are to be left alone for a while. `lost` is told the shards that
    turned out to be others', with the epoch that has passed; `stuck` whether findings have to wait.
    """

    lease_of: Callable[[int], tuple[int, int] | None]
    pauses: Callable[[], Pauses]
    lost: Callable[[Mapping[int, int]], None]
    stuck: Callable[[bool], None]


class FencedWriter:
    """Writes the findings of one worker; a batch that cannot be written waits until it can."""

    def __init__(self, engine: sa.Engine, run: int, inner: Writer, seconds: float, ties: Ties) -> None:
        self._engine, self._run, self._inner, self._seconds = engine, run, inner, seconds
        self._ties = ties
        self._over = threading.Event()

    def give_up(self) -> None:
        """Wait for the database no longer: what cannot be written now is not written."""
        self._over.set()

    def write(self, findings: Sequence[Finding]) -> None:
        """Write one batch in one transaction, as soon as the database takes it.

        Raises:
            LedgerError: it never will, or nobody waits for it any more.
        """
        pause = FIRST
        while True:
            try:
                self._write(findings)
                break
            except LedgerError as exc:
                self._ties.stuck(True)
                if not passing(exc) or self._over.wait(pause):
                    raise
            pause = min(LONGEST, pause * 2)
        self._ties.stuck(False)

    def park(self, held: Mapping[int, int]) -> None:
        """Keep when the lanes of some shards may be asked next; `held` gives the epoch of each.

        Raises:
            LedgerError: the database cannot take it.
        """
        with guarded(self._engine, self._seconds) as connection:
            self._store(connection, self._ours(connection, held))

    def _ours(self, connection: sa.Connection, held: Mapping[int, int]) -> set[int]:
        """The shards among some that this worker still has; nobody takes one before the transaction ends."""
        values = {"run": self._run, "numbers": list(held), "epochs": list(held.values())}
        return set(connection.execute(FENCE, values).scalars())

    def _write(self, findings: Sequence[Finding]) -> None:
        leases = {finding.target: self._ties.lease_of(finding.target) for finding in findings}
        held = dict(lease for lease in leases.values() if lease is not None)
        with guarded(self._engine, self._seconds) as connection:
            ours = self._ours(connection, held)
            kept = [one for one in findings if _is_ours(leases[one.target], ours)]
            if kept:
                self._inner.put(connection, kept)
                connection.execute(DONE, {"run": self._run, "targets": [one.target for one in kept]})
            self._store(connection, ours)
        stale = held.keys() - ours
        if stale:
            self._ties.lost({number: held[number] for number in stale})

    def _store(self, connection: sa.Connection, ours: set[int]) -> None:
        """Keep when lanes may be asked next, for whoever has them by then."""
        pauses = self._ties.pauses()
        mine = [n for n, shard in enumerate(pauses.shards) if shard in ours]
        if mine:
            values: Mapping[str, object] = {
                "run": self._run,
                "keys": [pauses.keys[n] for n in mine],
                "shards": [pauses.shards[n] for n in mine],
                "waits": [pauses.waits[n] for n in mine],
            }
            connection.execute(LANES, dict(values))


def _is_ours(lease: tuple[int, int] | None, ours: set[int]) -> bool:
    return lease is not None and lease[0] in ours
