"""The queue of a scheduler: which lane may start next."""

from __future__ import annotations

import heapq
import itertools
from typing import Generic, TypeAlias

from crawler.lanes.lane import Job, Lane

Rank: TypeAlias = tuple[bool, float, int, Lane[Job]]


class ReadyQueue(Generic[Job]):
    """Lanes that are ready, the one with the most work first, and lanes that sleep until their next start.

    `mean_service_time` is the mean time of a request in this run, in seconds; it stands in for lanes
    that have no answer yet.
    """

    def __init__(self) -> None:
        self.mean_service_time = 0.0
        self._ready: list[Rank[Job]] = []
        self._snoozed: list[tuple[float, int, Lane[Job]]] = []
        self._order = itertools.count()
        self._ranked = 0

    @property
    def first_due(self) -> float | None:
        """When the first lane that sleeps may start (loop time)."""
        return self._snoozed[0][0] if self._snoozed else None

    def place(self, lane: Lane[Job], now: float) -> None:
        """Queue a lane where it belongs: ready, asleep until its next start, or nowhere."""
        if lane.queued or not lane.can_start:
            return
        lane.queued = True
        if lane.next_at > now:
            heapq.heappush(self._snoozed, (lane.next_at, next(self._order), lane))
        else:
            heapq.heappush(self._ready, self._rank(lane))

    def wake(self, now: float) -> None:
        """Make ready what has slept long enough."""
        while self._snoozed and self._snoozed[0][0] <= now:
            lane = heapq.heappop(self._snoozed)[2]
            lane.queued = False
            self.place(lane, now)

    def pop(self) -> Lane[Job] | None:
        """Take out the lane that comes first, if any is ready."""
        if not self._ready:
            return None
        if self._ranked > len(self._ready):
            self._rank_all()
        self._ranked += 1
        lane = heapq.heappop(self._ready)[3]
        lane.queued = False
        return lane

    def _rank(self, lane: Lane[Job]) -> Rank[Job]:
        return (lane.starts > 0, -lane.work(self.mean_service_time), next(self._order), lane)

    def _rank_all(self) -> None:
        """Rank anew, once in as many starts as lanes are ready: there are more samples by now."""
        for index, (*_, lane) in enumerate(self._ready):
            self._ready[index] = self._rank(lane)
        heapq.heapify(self._ready)
        self._ranked = 0
