"""One lane: how it may be asked, what waits in it, and what it learns from responses. Pure."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass, field
from enum import Enum
from typing import Final, Generic, Protocol, TypeVar

from crawler.errors import LaneClosed
from storage.frozen import frozen

Job = TypeVar("Job")

MAX_WAITING_JOBS: Final = 64  # started jobs of one lane that may wait without a permit; bounds the tasks
SAMPLE_WINDOW: Final = 16  # responses that a lane's mean service time remembers
PRIOR_SAMPLES: Final = 4  # responses that the mean of all lanes counts for, beside those of one lane
QUICK_RESPONSE: Final = 1.0  # seconds: a lane that answers within them is not overloaded
SLOWDOWN_FACTOR: Final = 4.0  # times the best response: a lane that takes longer lags behind itself
SLOW_RESPONSES: Final = 3  # such responses in a row that count as overload
BEST_DECAY: Final = 1.02  # growth of the best service time with each response, so that it is forgotten


@frozen
class LaneLimits:
    """How one lane may be asked: permits at once, seconds between starts, and the slowest it gets.

    With `adaptive`, overload halves the permits (never below 1) and doubles the interval (never
    over `max_interval`; none stays none); calm gives both back step by step. Overload is what the
    server says, or that it answers ever more slowly. A lane has `deadline` seconds from its first
    start in a run; 0 is as long as it takes.
    """

    at_once: int = 2
    interval: float = 0.5
    adaptive: bool = True
    max_interval: float = 4.0
    deadline: float = 0.0


class Signal(Enum):
    """What a response says of its lane."""

    OK = "ok"
    OVERLOADED = "overloaded"
    NEUTRAL = "neutral"


@dataclass(slots=True)
class Lane(Generic[Job]):
    """One lane: what waits in it, what is under way, and when it may start next."""

    key: str
    limits: LaneLimits
    backlog: deque[Job] = field(default_factory=deque)
    waiting: deque[asyncio.Future[None]] | tuple[()] = ()  # most lanes never need one: 760 bytes each
    active: int = 0
    visits: int = 0
    waiting_for_address: int = 0  # requests that wait for a slot at their address
    starts: int = 0
    next_at: float = 0.0
    permits: float = 0.0
    interval: float = 0.0
    service_time: float = 0.0
    samples: int = 0
    best: float = 0.0
    slow_responses: int = 0
    queued: bool = False
    closed: LaneClosed | None = None

    def __post_init__(self) -> None:
        self.permits = float(self.limits.at_once)
        self.interval = self.limits.interval

    @property
    def can_start(self) -> bool:
        """Whether it has work and a permit of its own to start it with, leaving the clock aside."""
        if self.active >= int(self.permits):
            return False
        if self.waiting:
            return True
        room = self.visits < self.permits + MAX_WAITING_JOBS
        return bool(self.backlog) and not self.waiting_for_address and room

    def work(self, mean_service_time: float) -> float:
        """Estimated seconds until this lane is done, if it were alone.

        `mean_service_time` is that of all lanes: one or two responses of this lane are no evidence,
        and the first of all come from the quick ones.
        """
        weight = self.samples / (self.samples + PRIOR_SAMPLES)
        service_time = mean_service_time + (self.service_time - mean_service_time) * weight
        seconds_a_job = max(self.interval, service_time / self.permits, 1e-6)
        return (len(self.backlog) + len(self.waiting)) * seconds_a_job

    def begin(self, now: float) -> None:
        """Count a request that starts now, and set the earliest time of the next."""
        self.next_at = max(self.next_at, now + self.interval)
        self.active += 1
        self.starts += 1

    def first_waiting(self) -> asyncio.Future[None] | None:
        """Take the first request that still waits; those whose deadline came meanwhile are gone."""
        while self.waiting:
            future = self.waiting.popleft()
            if not future.done():
                return future
        return None

    def refuse_waiting(self, reason: LaneClosed) -> None:
        """Fail every request that waits for a permit."""
        waiting = self.waiting
        self.waiting = ()
        for future in waiting:
            if not future.done():
                future.set_exception(reason)

    def record(self, signal: Signal, seconds: float) -> None:
        """Learn from one response: the service time, and how hard the lane may be asked."""
        self.samples = min(self.samples + 1, SAMPLE_WINDOW)
        self.service_time += (seconds - self.service_time) / self.samples
        if not self.limits.adaptive or signal is Signal.NEUTRAL:
            return
        if signal is Signal.OVERLOADED or self._lags(seconds):
            self._brake()
        else:
            self._ease()

    def _lags(self, seconds: float) -> bool:
        """Whether responses come ever more slowly; the best of them is forgotten little by little."""
        self.best = min(seconds, self.best * BEST_DECAY) if self.best else seconds
        slow = seconds > max(QUICK_RESPONSE, SLOWDOWN_FACTOR * self.best)
        self.slow_responses = self.slow_responses + 1 if slow else 0
        if self.slow_responses < SLOW_RESPONSES:
            return False
        self.slow_responses = 0
        return True

    def _ease(self) -> None:
        self.permits = min(float(self.limits.at_once), self.permits + 1 / self.permits)
        self.interval = max(self.limits.interval, self.interval * 0.9 - 0.01)

    def _brake(self) -> None:
        self.permits = max(1.0, self.permits / 2)
        slowest = max(self.limits.max_interval, self.limits.interval)
        self.interval = min(slowest, self.interval * 2)


@dataclass(slots=True)
class Permit(Generic[Job]):
    """The right to have one request under way; given back once, by `release` or `release_unused`."""

    lane: Lane[Job]
    taken_at: float
    next_before: float = 0.0


class JobHandler(Protocol[Job]):
    """What a scheduler calls: for each job that starts, and for each that never will."""

    async def work(self, job: Job, permit: Permit[Job]) -> None:
        """Do a job, with a permit for its first request; it must not raise."""

    def dropped(self, job: Job, reason: LaneClosed) -> None:
        """Take back a job whose lane was closed, or whose run was stopped, before it started."""
