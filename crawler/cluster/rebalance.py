"""How much of a run a worker takes, and what it gives back to those who have nothing. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil
from typing import Final

from storage.shards import RunSnapshot

IDLE_LOOK_SHARE: Final = (
    0.2  # of the time between two renewals: how often a worker without work looks for some
)
MANY_WORKERS: Final = 20  # workers; more of them look less often each, so that all together look as often
MAX_LOOK_SHARE: Final = 4.0  # times that long, at most


def pause(renew: float, workers: int, *, idle: bool) -> float:
    """Seconds between two looks of a worker at the run; `renew` are those between two renewals."""
    return renew * min(MAX_LOOK_SHARE, max(IDLE_LOOK_SHARE if idle else 1.0, workers / MANY_WORKERS))


def wanted(scene: RunSnapshot, shards: int, targets: int) -> tuple[int, int]:
    """How many targets, and how many shards at most, a worker should take now.

    Args:
        scene: the run as it stands.
        shards: how many shards with open targets the worker has.
        targets: how many targets are open in them.

    Nobody takes more than its share of what is open, so that the first worker does not take all;
    who has nothing takes one shard in any case.
    """
    if scene.free <= 0:
        return 0, 0
    workers = max(1, scene.workers)
    budget = max(0, ceil(scene.targets / workers) - targets)
    max_shards = max(0, ceil(scene.busy / workers) - shards)
    if not shards:
        return budget, max(1, max_shards)
    return (budget, max_shards) if budget else (0, 0)


def surplus(scene: RunSnapshot, open_targets: Mapping[int, int]) -> list[int]:
    """The shards that a worker gives back: others look for work, and it has more than its share.

    `held` gives the open targets of each shard, the heaviest shard first. The lightest go, and one
    stays; a shard without open targets is no work for anybody.
    """
    if not scene.idle or scene.free:
        return []
    working = {number: count for number, count in open_targets.items() if count}
    share = ceil(scene.busy / max(1, scene.workers))
    return list(working)[max(1, share) :]
