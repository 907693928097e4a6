"""The targets of a worker's shards, each with the lease that it is asked under."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from typing import Final

from crawler.cluster.held_leases import HeldLeases, HeldShard
from crawler.lanes import Scheduler
from crawler.urls import host_of
from storage.model import Finding, Target, Verdict
from storage.shards import LaneDelays, Lease, ShardWork, shard_of

# They say that a worker stopped, not what a target is: another worker asks it.
UNASKED_VERDICTS: Final = frozenset({Verdict.NOT_REACHED, Verdict.LOCAL_OUTAGE})


class Assignments:
    """The targets of a worker, in the lanes of one scheduler; all but `lease_of` and `pauses` in its loop."""

    def __init__(
        self,
        held_leases: HeldLeases,
        scheduler: Scheduler[Target],
        shards: int,
        lane_of: Callable[[str], str],
    ) -> None:
        self._held_leases = held_leases
        self._scheduler = scheduler
        self._shards = shards
        self._lane_of = lane_of
        self._leases: dict[int, Lease] = {}

    def lay(self, shard: HeldShard, work: ShardWork) -> list[tuple[str, Target]]:
        """Take up the work of a shard; return its targets with their lanes, which know when to start."""
        now = asyncio.get_running_loop().time()
        pairs = [(self._lane_of(host_of(target.url)), target) for target in work.targets]
        shard.lanes = {key for key, _ in pairs}
        shard.open = {target.id for target in work.targets}
        self._leases.update((target.id, shard.lease) for target in work.targets)
        for key in shard.lanes:
            lane = self._scheduler.lane(key)
            lane.closed = None
            # The worker before may have asked a moment before its lease ended, without a report.
            delay = lane.interval if shard.lease.left_behind else 0.0
            self._scheduler.delay_until(lane, now + max(delay, work.waits.get(key, 0.0)))
        return pairs

    def takes(self, finding: Finding) -> bool:
        """Whether a finding closes one of the open targets of this worker; if so, close it."""
        lease = self._leases.get(finding.target)
        if lease is None or (finding.verdict in UNASKED_VERDICTS and finding.retry_at is None):
            return False
        shard = self._held_leases.holding(lease.number)
        if shard is not None and shard.lease.epoch == lease.epoch:
            shard.open.discard(finding.target)
        return True

    def lease_of(self, target: int) -> tuple[int, int] | None:
        """Shard and epoch under which a target is asked."""
        lease = self._leases.get(target)
        return None if lease is None else (lease.number, lease.epoch)

    def pauses(self) -> LaneDelays:
        """The lanes that may not be asked at this moment, but later."""
        now = self._scheduler.now()
        waits = {lane.key: lane.next_at - now for lane in list(self._scheduler) if lane.next_at > now}
        return LaneDelays(list(waits), [shard_of(key, self._shards) for key in waits], list(waits.values()))

    def wait_of(self, lane: str) -> float:
        """Seconds until a lane may be asked."""
        return max(0.0, self._scheduler.lane(lane).next_at - self._scheduler.now())

    def withdraw(self, shard: HeldShard) -> None:
        """Start nothing more in a shard; what is under way goes on."""
        shard.leaving = True
        for key in shard.lanes:
            for target in self._scheduler.drain(self._scheduler.lane(key)):
                self._leases.pop(target.id, None)

    def quiet(self, shard: HeldShard) -> bool:
        """Whether nothing is under way in a shard."""
        return not any(self._scheduler.lane(key).visits for key in shard.lanes)

    def forget(self, epochs: Mapping[int, int]) -> None:
        """Drop shards, if it is still under these epochs that this worker has them."""
        for number, epoch in epochs.items():
            shard = self._held_leases.holding(number)
            if shard is not None and shard.lease.epoch == epoch:
                self.withdraw(shard)
                self._held_leases.drop([number])

    def closed(self, shards: Iterable[HeldShard]) -> list[int]:
        """The open targets whose lanes take no more requests in this run."""
        shut = {lane.key for lane in list(self._scheduler) if lane.closed is not None}
        if not shut:
            return []
        return [key for shard in shards if shard.lanes & shut for key in shard.open]
