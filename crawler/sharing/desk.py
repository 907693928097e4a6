"""What a worker has on its desk: the targets of its shards, each with the lease it is asked under."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from typing import Final

from crawler.lanes import Turnstile
from crawler.sharing.tenure import Holding, Tenure
from crawler.urls import host_of
from storage.model import Finding, Target, Verdict
from storage.shards import Lease, Pauses, Work, shard_of

# They say that a worker stopped, not what a target is: another asks it.
UNASKED: Final = frozenset({Verdict.NOT_REACHED, Verdict.LOCAL_OUTAGE})


class Desk:
    """The targets of a worker, in the lanes of one turnstile; all but `lease_of` and `pauses` in its loop."""

    def __init__(
        self, tenure: Tenure, turnstile: Turnstile[Target], shards: int, lane_of: Callable[[str], str]
    ) -> None:
        self._tenure, self._turnstile, self._shards, self._lane_of = tenure, turnstile, shards, lane_of
        self._leases: dict[int, Lease] = {}

    def lay(self, holding: Holding, work: Work) -> list[tuple[str, Target]]:
        """Take up the work of a shard; return its targets with their lanes, which know when to start."""
        now = asyncio.get_running_loop().time()
        pairs = [(self._lane_of(host_of(one.url)), one) for one in work.targets]
        holding.lanes = {key for key, _ in pairs}
        holding.open = {one.id for one in work.targets}
        self._leases.update((one.id, holding.lease) for one in work.targets)
        for key in holding.lanes:
            lane = self._turnstile.lane(key)
            lane.closed = None
            # Who left it behind may have asked a moment before its lease ended, and told nobody.
            left = lane.interval if holding.lease.left_behind else 0.0
            self._turnstile.hold(lane, now + max(left, work.waits.get(key, 0.0)))
        return pairs

    def takes(self, finding: Finding) -> bool:
        """Whether a finding is a word on a target of ours; then the target is open no more."""
        lease = self._leases.get(finding.target)
        if lease is None or (finding.verdict in UNASKED and finding.retry_at is None):
            return False
        holding = self._tenure.holding(lease.number)
        if holding is not None and holding.lease.epoch == lease.epoch:
            holding.open.discard(finding.target)
        return True

    def lease_of(self, target: int) -> tuple[int, int] | None:
        """Shard and epoch under which a target is asked."""
        lease = self._leases.get(target)
        return None if lease is None else (lease.number, lease.epoch)

    def pauses(self) -> Pauses:
        """The lanes that may not be asked at this moment, but later."""
        now = self._turnstile.now()
        waits = {lane.key: lane.next_at - now for lane in list(self._turnstile) if lane.next_at > now}
        return Pauses(list(waits), [shard_of(key, self._shards) for key in waits], list(waits.values()))

    def wait_of(self, lane: str) -> float:
        """Seconds until a lane may be asked."""
        return max(0.0, self._turnstile.lane(lane).next_at - self._turnstile.now())

    def withdraw(self, holding: Holding) -> None:
        """Start nothing more in a shard; what is under way goes on."""
        holding.leaving = True
        for key in holding.lanes:
            for target in self._turnstile.withdraw(self._turnstile.lane(key)):
                self._leases.pop(target.id, None)

    def quiet(self, holding: Holding) -> bool:
        """Whether nothing is under way in a shard."""
        return not any(self._turnstile.lane(key).visits for key in holding.lanes)

    def forget(self, lost: Mapping[int, int]) -> None:
        """Have shards no more, if it is still under these epochs that this worker has them."""
        for number, epoch in lost.items():
            holding = self._tenure.holding(number)
            if holding is not None and holding.lease.epoch == epoch:
                self.withdraw(holding)
                self._tenure.drop([number])

    def closed(self, holdings: Iterable[Holding]) -> list[int]:
        """The open targets whose lanes take no more requests in this run."""
        shut = {lane.key for lane in list(self._turnstile) if lane.closed is not None}
        if not shut:
            return []
        return [key for one in holdings if one.lanes & shut for key in one.open]
