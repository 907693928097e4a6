"""One lane: how it may be asked, what waits in it, and what it learns from answers. Pure."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass, field
from enum import Enum
from typing import Final, Generic, TypeVar

from crawler.errors import LaneClosed

Job = TypeVar("Job")

PARKED: Final = 64  # started jobs of one lane that may wait without a seat; bounds the tasks
HEARD: Final = 16  # answers that a lane's mean service time remembers
USUAL: Final = 4  # answers that the mean of all lanes counts for, beside those of one lane
LAG: Final = 1.0  # seconds: who answers within them is not pressed, whatever it did before
SLOWER: Final = 4.0  # times the best answer: a lane that takes longer lags behind itself
LAGGING: Final = 3  # such answers in a row that count as pressure


@dataclass(frozen=True, slots=True)
class Pace:
    """How one lane may be asked: seats at once, seconds between starts, and the slowest it gets.

    With `adaptive`, pressure halves the seats (never below 1) and doubles the interval (never
    over `max_interval`; none stays none); calm gives both back step by step. Pressure is what the
    server says, or that it answers ever more slowly. A lane has `deadline` seconds from its first
    start in a run; 0 is as long as it takes.
    """

    at_once: int = 2
    interval: float = 0.5
    adaptive: bool = True
    max_interval: float = 4.0
    deadline: float = 0.0


class Mood(Enum):
    """What an answer says of its lane."""

    CALM = "calm"
    PRESSURE = "pressure"
    SILENT = "silent"


@dataclass(slots=True)
class Lane(Generic[Job]):
    """One lane: what waits in it, what is under way, and when it may start next."""

    key: str
    pace: Pace
    backlog: deque[Job] = field(default_factory=deque)
    waiting: deque[asyncio.Future[None]] | tuple[()] = ()  # most lanes never need one: 760 bytes each
    active: int = 0
    visits: int = 0
    crowded: int = 0  # requests that wait for a place at their address
    starts: int = 0
    next_at: float = 0.0
    seats: float = 0.0
    interval: float = 0.0
    service: float = 0.0
    heard: int = 0
    best: float = 0.0
    lagging: int = 0
    queued: bool = False
    closed: LaneClosed | None = None

    def __post_init__(self) -> None:
        self.seats, self.interval = float(self.pace.at_once), self.pace.interval

    @property
    def willing(self) -> bool:
        """Whether it has work and a seat of its own to start it with, leaving the clock aside."""
        if self.active >= int(self.seats):
            return False
        if self.waiting:
            return True
        return bool(self.backlog) and not self.crowded and self.visits < self.seats + PARKED

    def work(self, usual: float) -> float:
        """Estimated seconds until this lane is done, if it were alone.

        `usual` is the service time of all lanes: one or two answers of its own are no evidence,
        and the first of all come from the quick ones.
        """
        service = usual + (self.service - usual) * self.heard / (self.heard + USUAL)
        each = max(self.interval, service / self.seats, 1e-6)
        return (len(self.backlog) + len(self.waiting)) * each

    def first_waiting(self) -> asyncio.Future[None] | None:
        """The first request that still waits; those whose deadline came meanwhile are gone."""
        while self.waiting:
            future = self.waiting.popleft()
            if not future.done():
                return future
        return None

    def feel(self, mood: Mood, took: float) -> None:
        """Learn from one answer: the service time, and how hard the lane may be asked."""
        self.heard = min(self.heard + 1, HEARD)
        self.service += (took - self.service) / self.heard
        if self.pace.adaptive and mood is not Mood.SILENT:
            (self._brake if mood is Mood.PRESSURE or self._lags(took) else self._ease)()

    def _lags(self, took: float) -> bool:
        """Whether answers come ever more slowly; the best of them is forgotten little by little."""
        self.best = min(took, self.best * 1.02) if self.best else took
        self.lagging = self.lagging + 1 if took > max(LAG, SLOWER * self.best) else 0
        if self.lagging < LAGGING:
            return False
        self.lagging = 0
        return True

    def _ease(self) -> None:
        self.seats = min(float(self.pace.at_once), self.seats + 1 / self.seats)
        self.interval = max(self.pace.interval, self.interval * 0.9 - 0.01)

    def _brake(self) -> None:
        self.seats = max(1.0, self.seats / 2)
        self.interval = min(max(self.pace.max_interval, self.pace.interval), self.interval * 2)


@dataclass(slots=True)
class Seat(Generic[Job]):
    """The right to have one request under way; given back once, by `leave` or `return_`."""

    lane: Lane[Job]
    taken_at: float
    next_before: float = 0.0
