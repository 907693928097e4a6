"""What a run cannot be quicker than: its longest lane, one request a target. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from crawler.lanes import Pace

MINUTE: Final = 60.0
HOUR: Final = 3600.0


@dataclass(frozen=True, slots=True)
class Bound:
    """The lane that sets the bound, its targets, its interval, and the seconds they take at least."""

    lane: str
    targets: int
    interval: float

    @property
    def seconds(self) -> float:
        """From the first start in this lane to the last."""
        return (self.targets - 1) * self.interval

    def __str__(self) -> str:
        """The sentence for a person."""
        return (
            f"cannot end before {duration(self.seconds)}: "
            f"{self.lane} has {self.targets:,} targets, one every {self.interval:g} s"
        )


def lower_bound(targets: Mapping[str, int], pace_of: Callable[[str], Pace]) -> Bound | None:
    """The lane that ends last, however well the others do; None without any.

    `targets` counts the targets of each lane. How long an answer takes is not known before a run,
    so a lane without an interval sets no bound.
    """
    bounds = (Bound(lane, count, pace_of(lane).interval) for lane, count in targets.items())
    return max(bounds, key=lambda bound: bound.seconds, default=None)


def duration(seconds: float) -> str:
    """So many seconds, for a person."""
    if seconds >= HOUR:
        return f"{seconds // HOUR:.0f} h {seconds % HOUR / MINUTE:.0f} min"
    return f"{seconds / MINUTE:.0f} min" if seconds >= MINUTE else f"{seconds:.0f} s"
