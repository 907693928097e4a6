"""The time by the clock of the database, on a machine whose own may be wrong."""

from __future__ import annotations

import time
from datetime import UTC, datetime


def now() -> float:
    """Seconds of a clock that nobody sets, and that goes on while the machine sleeps, where it can."""
    clock = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if clock is None else time.clock_gettime(clock)


class DatabaseClock:
    """UTC as the database has it: asked now and then, and counted on by a clock that nobody sets."""

    def __init__(self, at: float, asked_at: float) -> None:
        """`at` are the seconds of UTC that the database told when it was asked at `sent`."""
        self._ahead = 0.0
        self.set(at, asked_at)

    def set(self, at: float, asked_at: float) -> None:
        """Take what the database told just now; half the way there and back had passed by then."""
        self._ahead = at - (asked_at + now()) / 2

    def __call__(self) -> datetime:
        """The time of this moment."""
        return datetime.fromtimestamp(self._ahead + now(), UTC)
