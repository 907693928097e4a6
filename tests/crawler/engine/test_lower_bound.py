"""The least time that a run takes, told before it starts."""

from __future__ import annotations

from crawler.engine.lower_bound import lower_bound
from crawler.lanes import LaneLimits


def test_longest_lane_sets_the_bound() -> None:
    """Targets and interval together decide, not targets alone."""
    slow = {"slow.example": LaneLimits(interval=10.0)}
    bound = lower_bound(
        {"slow.example": 50, "big.example": 600}, lambda key: slow.get(key, LaneLimits(interval=0.5))
    )
    assert bound is not None
    assert bound.lane == "slow.example"
    assert bound.seconds == 490
    assert str(bound) == "cannot end before 8 min: slow.example has 50 targets, one every 10 s"


def test_hours_are_told_as_hours() -> None:
    """A long run says so."""
    bound = lower_bound({"news.example": 8001}, lambda _: LaneLimits(interval=1.0))
    assert str(bound) == "cannot end before 2 h 13 min: news.example has 8,001 targets, one every 1 s"


def test_nothing_to_ask_has_no_bound() -> None:
    """Without a target there is no lane."""
    assert lower_bound({}, lambda _: LaneLimits()) is None
