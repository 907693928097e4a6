"""The leases of one worker: claimed, renewed from a thread of their own, and over in good time.

Until when this worker may ask is measured by a clock of this machine that is never set, read before
the renewal is sent to the database: however long that takes, the lease there ends no earlier.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final

from crawler.cluster.database_clock import DatabaseClock, now
from storage.errors import LedgerError
from storage.frozen import frozen
from storage.shards import LaneTurns, Lease, Leases, WorkerReport, is_transient

LEASE_MARGIN: Final = 1 / 6  # of a lease: nothing is asked in the last part of it
RENEWAL_RETRY_SHARE: Final = 0.2  # of the renewal interval: the pause before a failed one is repeated


@dataclass(slots=True)
class HeldShard:
    """A shard that this worker has, until when it may ask there, and the targets still open in it."""

    lease: Lease
    until: float
    open: set[int] = field(default_factory=set)
    lanes: set[str] = field(default_factory=set)
    leaving: bool = False


@frozen
class RenewalResult:
    """Result of one renewal: lost shards and their epochs, lanes that others ask for, the end."""

    lost: dict[int, int]
    visited: list[tuple[str, int]]
    ended: bool


class HeldLeases:
    """Which shards this worker has. Its methods may be called from any thread."""

    def __init__(
        self,
        leases: Leases,
        turns: LaneTurns,
        interval: float,
        report: Callable[[], WorkerReport],
        on_renewal: Callable[[RenewalResult], None],
    ) -> None:
        """Renew every `interval` seconds, with the `report` of this worker; `on_renewal` takes the result.

        `clock` is right after the first renewal.
        """
        self.leases = leases
        self._turns = turns
        self._interval = interval
        self._report = report
        self._on_renewal = on_renewal
        self.clock = DatabaseClock(time.time(), now())
        self._lock = threading.Lock()
        self._held: dict[int, HeldShard] = {}
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._renew_on, name="leases", daemon=True)

    @property
    def length(self) -> float:
        """Seconds from a renewal until nothing is asked any more."""
        return self.leases.seconds * (1 - LEASE_MARGIN)

    def start(self) -> None:
        """Renew for the first time, and go on in a thread.

        Raises:
            LedgerError: the database cannot be used.
        """
        self._renew()
        self._thread.start()

    def stop(self) -> None:
        """Renew no more."""
        self._over.set()
        if self._thread.is_alive():
            self._thread.join()

    def claim(self, budget: int, max_shards: int) -> list[HeldShard]:
        """Take free shards: as `Leases.claim`."""
        asked_at = now()
        shards = [HeldShard(lease, asked_at + self.length) for lease in self.leases.claim(budget, max_shards)]
        with self._lock:
            self._held.update((shard.lease.number, shard) for shard in shards)
        return shards

    def holding(self, number: int) -> HeldShard | None:
        """A shard that this worker has, or None."""
        return self._held.get(number)

    def holdings(self) -> list[HeldShard]:
        """All shards that this worker has, the heaviest first."""
        with self._lock:
            return sorted(self._held.values(), key=lambda shard: (-shard.lease.weight, shard.lease.number))

    def drop(self, numbers: Iterable[int]) -> dict[int, int]:
        """Release shards; return the epochs of those that this worker had."""
        with self._lock:
            shards = [self._held.pop(number) for number in list(numbers) if number in self._held]
        return {shard.lease.number: shard.lease.epoch for shard in shards}

    def may_ask(self, number: int) -> bool:
        """Whether this worker may ask in the lanes of a shard at this very moment."""
        shard = self._held.get(number)
        return shard is not None and now() < shard.until

    @property
    def left(self) -> float:
        """Seconds until the first of the leases is not to be used any more; a lease without any."""
        with self._lock:
            return min((shard.until for shard in self._held.values()), default=now() + self.length) - now()

    def _renew_on(self) -> None:
        pause = self._interval
        while not self._over.wait(pause):
            try:
                self._renew()
                pause = self._interval
            except LedgerError as exc:
                # A lasting fault is reported where findings are written; without renewals, the leases end.
                pause = self._interval * (RENEWAL_RETRY_SHARE if is_transient(exc) else 1.0)

    def _renew(self) -> None:
        with self._lock:
            epochs = {n: (shard.lease.epoch, len(shard.open)) for n, shard in self._held.items()}
        asked_at = now()
        renewal = self.leases.renew(epochs, self._report())
        self.clock.set(renewal.at, asked_at)
        lanes = self._turns.asked()
        with self._lock:
            for number in renewal.kept & self._held.keys():
                if self._held[number].lease.epoch == epochs[number][0]:
                    self._held[number].until = asked_at + self.length
        lost_epochs = {number: epoch for number, (epoch, _) in epochs.items() if number not in renewal.kept}
        self._on_renewal(RenewalResult(lost_epochs, lanes, renewal.ended))
