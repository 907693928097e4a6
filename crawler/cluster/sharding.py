"""From due targets to the plan of a shared run: every lane in one shard, and what each shard weighs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping

from crawler.engine.lower_bound import lower_bound
from crawler.lanes import LaneLimits
from storage.frozen import frozen
from storage.model import Target
from storage.shards import ShardPlan, ShardTarget, SharedRunPlan, shard_of
from storage.shards.plans import RunTerms


@frozen
class PlannedShards:
    """A plan with its shards, and the targets of each."""

    plan: SharedRunPlan
    shares: list[ShardPlan]
    tasks: Iterable[ShardTarget]


def planned(
    pairs: list[tuple[str, Target]],
    shards: int,
    pace_of: Callable[[str], LaneLimits],
    terms: RunTerms,
) -> PlannedShards:
    """Deal the lanes of a run to shards; `pairs` are targets with the keys of their lanes."""
    lanes = Counter(lane for lane, _ in pairs)
    numbers = {lane: shard_of(lane, shards) for lane in lanes}
    inside: list[dict[str, int]] = [{} for _ in range(shards)]
    for lane, count in lanes.items():
        inside[numbers[lane]][lane] = count
    shares = [_share(number, shard_lanes, pace_of) for number, shard_lanes in enumerate(inside)]
    bound = lower_bound(lanes, pace_of)
    seconds, lane = (bound.seconds, bound.lane) if bound is not None else (0.0, "")
    tasks = (ShardTarget(numbers[lane], target) for lane, target in pairs)
    return PlannedShards(SharedRunPlan(shards, len(pairs), len(lanes), seconds, lane, terms), shares, tasks)


def _share(number: int, lanes: Mapping[str, int], pace_of: Callable[[str], LaneLimits]) -> ShardPlan:
    bound = lower_bound(lanes, pace_of)
    return ShardPlan(number, bound.seconds if bound else 0.0, sum(lanes.values()), len(lanes))
