"""What a run cannot be quicker than: its longest lane, one request a target. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from crawler.lanes import LaneLimits
from storage.frozen import frozen

SECONDS_A_MINUTE: Final = 60.0
SECONDS_AN_HOUR: Final = 3600.0


@frozen
class LowerBound:
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


def lower_bound(targets: Mapping[str, int], pace_of: Callable[[str], LaneLimits]) -> LowerBound | None:
    """The lane that ends last, however well the others do; None without any.

    `targets` counts the targets of each lane. How long an answer takes is not known before a run,
    so a lane without an interval sets no bound.
    """
    bounds = (LowerBound(lane, count, pace_of(lane).interval) for lane, count in targets.items())
    return max(bounds, key=lambda bound: bound.seconds, default=None)


def duration(seconds: float) -> str:
    """So many seconds, for a person."""
    if seconds >= SECONDS_AN_HOUR:
        return f"{seconds // SECONDS_AN_HOUR:.0f} h {seconds % SECONDS_AN_HOUR / SECONDS_A_MINUTE:.0f} min"
    return f"{seconds / SECONDS_A_MINUTE:.0f} min" if seconds >= SECONDS_A_MINUTE else f"{seconds:.0f} s"
