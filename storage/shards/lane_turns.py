"""Turns in lanes that workers share: a redirect may lead into a lane that another worker has.

Such a lane is *visited*: once its owner agrees, everybody takes a turn for each request in it, the
owner too. Turns are times of the database's clock, an interval apart.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import sqlalchemy as sa

from storage.db.transactions import reading
from storage.frozen import frozen
from storage.shards.server import DATABASE_NOW, timed_transaction

OWNER_QUERY: Final = sa.text(
    "SELECT epoch, owner IS NOT NULL AND owner <> :me AND NOT done "  # noqa: S608 - no input
    f"AND lease_until > {DATABASE_NOW} AS held FROM shard WHERE run_id = :run AND number = :shard FOR SHARE"
)
VISIT_STATEMENT: Final = sa.text(
    "INSERT INTO lane (run_id, key, shard, visited) VALUES (:run, :key, :shard, true) "
    "ON CONFLICT (run_id, key) DO UPDATE SET visited = true RETURNING agreed"
)
TURN_STATEMENT: Final = sa.text(
    f"UPDATE lane SET next_ok = greatest(coalesce(next_ok, {DATABASE_NOW}), {DATABASE_NOW}) "  # noqa: S608 - no input
    "+ make_interval(secs => :interval) WHERE run_id = :run AND key = :key "
    f"RETURNING extract(epoch FROM next_ok - {DATABASE_NOW}) - :interval"
)
VISITED_LANES: Final = sa.text(
    "SELECT l.key, s.number FROM lane AS l JOIN shard AS s ON s.run_id = l.run_id AND s.number = l.shard "
    "WHERE l.run_id = :run AND s.owner = :me AND l.visited AND l.agreed <> s.epoch"
)
AGREE_STATEMENT: Final = sa.text(
    "UPDATE lane SET agreed = :epoch, "  # noqa: S608 - no input
    f"next_ok = greatest(next_ok, {DATABASE_NOW} + make_interval(secs => :wait)) "
    "WHERE run_id = :run AND key = :key"
)


@frozen
class LaneTurns:
    """Turns of one worker; every method raises LedgerError if the database cannot be used."""

    engine: sa.Engine
    run: int
    me: str
    seconds: float

    def take(self, lane: str, shard: int, interval: float) -> float | None:
        """Seconds until the turn that was taken; None: the lane's owner has not agreed yet."""
        values = {"run": self.run, "me": self.me, "shard": shard, "key": lane, "interval": interval}
        with timed_transaction(self.engine, self.seconds) as connection:
            row = connection.execute(OWNER_QUERY, values).one()
            agreed_epoch = connection.execute(VISIT_STATEMENT, values).scalar_one()
            if row.held and agreed_epoch != row.epoch:
                return None
            return max(0.0, float(connection.execute(TURN_STATEMENT, values).scalar_one()))

    def asked(self) -> list[tuple[str, int]]:
        """Lanes of this worker that others want to visit, and the shard of each."""
        with reading(self.engine) as connection:
            rows = connection.execute(VISITED_LANES, {"run": self.run, "me": self.me}).all()
        return [(key, number) for key, number in rows]

    def agree(self, waits: Mapping[str, tuple[int, float]]) -> None:
        """Share lanes from now on: the epoch of each, and the seconds until its next request."""
        with timed_transaction(self.engine, self.seconds) as connection:
            for key, (epoch, wait) in sorted(waits.items()):
                connection.execute(
                    AGREE_STATEMENT, {"run": self.run, "key": key, "epoch": epoch, "wait": wait}
                )
