"""The leases of one worker: claimed, renewed from a thread of their own, and over in good time.

Until when this worker may ask is told by a clock of this machine that only counts on, read before
the word to the database was sent: however long that took, the lease ends no earlier than that.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final

from crawler.sharing.clock import Clock, now
from storage.errors import LedgerError
from storage.shards import Lease, Leases, Slots, Told, passing

MARGIN: Final = 1 / 6  # of a lease: nothing is asked in the last part of it
PATIENCE: Final = 0.2  # of the time between two renewals, before one that failed is tried once more


@dataclass(slots=True)
class Holding:
    """A shard that this worker has, until when it may ask there, and the targets still open in it."""

    lease: Lease
    until: float
    open: set[int] = field(default_factory=set)
    lanes: set[str] = field(default_factory=set)
    leaving: bool = False


@dataclass(frozen=True, slots=True)
class Word:
    """What the thread tells: shards (and epochs) that are lost, lanes that others want to visit, the end."""

    lost: dict[int, int]
    visited: list[tuple[str, int]]
    ended: bool


class Tenure:
    """Which shards this worker has. Its methods may be called from any thread."""

    def __init__(
        self,
        leases: Leases,
        slots: Slots,
        every: float,
        told: Callable[[], Told],
        heard: Callable[[Word], None],
    ) -> None:
        """`every` seconds is renewed; `told` says what to tell of this worker, `heard` takes the answer.

        `clock` is right once the first word was given.
        """
        self.leases, self._slots, self._every = leases, slots, every
        self._told, self._heard = told, heard
        self.clock = Clock(time.time(), now())
        self._lock = threading.Lock()
        self._held: dict[int, Holding] = {}
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._renew_on, name="leases", daemon=True)

    @property
    def length(self) -> float:
        """Seconds from a word to the database until nothing is asked any more."""
        return self.leases.seconds * (1 - MARGIN)

    def start(self) -> None:
        """Give the first word, and go on in a thread.

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

    def claim(self, budget: int, most: int) -> list[Holding]:
        """Take free shards: as `Leases.claim`."""
        sent = now()
        taken = [Holding(lease, sent + self.length) for lease in self.leases.claim(budget, most)]
        with self._lock:
            self._held.update((one.lease.number, one) for one in taken)
        return taken

    def holding(self, number: int) -> Holding | None:
        """A shard that this worker has, or None."""
        return self._held.get(number)

    def holdings(self) -> list[Holding]:
        """All shards that this worker has, the heaviest first."""
        with self._lock:
            return sorted(self._held.values(), key=lambda one: (-one.lease.weight, one.lease.number))

    def drop(self, numbers: Iterable[int]) -> dict[int, int]:
        """Have some shards no more; return the epochs of those that this worker had."""
        with self._lock:
            gone = [self._held.pop(number) for number in list(numbers) if number in self._held]
        return {one.lease.number: one.lease.epoch for one in gone}

    def may_ask(self, number: int) -> bool:
        """Whether this worker may ask in the lanes of a shard at this very moment."""
        one = self._held.get(number)
        return one is not None and now() < one.until

    @property
    def left(self) -> float:
        """Seconds until the first of the leases is not to be used any more; a lease without any."""
        with self._lock:
            return min((one.until for one in self._held.values()), default=now() + self.length) - now()

    def _renew_on(self) -> None:
        pause = self._every
        while not self._over.wait(pause):
            try:
                self._renew()
                pause = self._every
            except LedgerError as exc:
                # What does not pass is told by those who write; without a word, the leases end.
                pause = self._every * (PATIENCE if passing(exc) else 1.0)

    def _renew(self) -> None:
        with self._lock:
            held = {n: (one.lease.epoch, len(one.open)) for n, one in self._held.items()}
        sent = now()
        renewed = self.leases.renew(held, self._told())
        self.clock.set(renewed.at, sent)
        visited = self._slots.asked()
        with self._lock:
            for number in renewed.kept & self._held.keys():
                if self._held[number].lease.epoch == held[number][0]:
                    self._held[number].until = sent + self.length
        lost = {number: epoch for number, (epoch, _) in held.items() if number not in renewed.kept}
        self._heard(Word(lost, visited, renewed.ended))
