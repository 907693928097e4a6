"""From due targets to the plan of a shared run: every lane in one shard, and what each shard weighs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from crawler.bound import lower_bound
from crawler.lanes import Pace
from storage.model import Target
from storage.shards import Plan, Share, Task, shard_of


@dataclass(frozen=True, slots=True)
class Planned:
    """A plan with its shards, and the targets of each."""

    plan: Plan
    shares: list[Share]
    tasks: Iterable[Task]


def planned(
    pairs: list[tuple[str, Target]],
    shards: int,
    pace_of: Callable[[str], Pace],
    terms: Mapping[str, Any],
) -> Planned:
    """Deal the lanes of a run to shards; `pairs` are targets with the keys of their lanes."""
    lanes = Counter(lane for lane, _ in pairs)
    numbers = {lane: shard_of(lane, shards) for lane in lanes}
    inside: list[dict[str, int]] = [{} for _ in range(shards)]
    for lane, count in lanes.items():
        inside[numbers[lane]][lane] = count
    shares = [_share(number, some, pace_of) for number, some in enumerate(inside)]
    bound = lower_bound(lanes, pace_of)
    seconds, lane = (bound.seconds, bound.lane) if bound is not None else (0.0, "")
    tasks = (Task(numbers[lane], target) for lane, target in pairs)
    return Planned(Plan(shards, len(pairs), len(lanes), seconds, lane, terms), shares, tasks)


def _share(number: int, lanes: Mapping[str, int], pace_of: Callable[[str], Pace]) -> Share:
    bound = lower_bound(lanes, pace_of)
    return Share(number, bound.seconds if bound else 0.0, sum(lanes.values()), len(lanes))
