"""Politeness: every request takes a seat in the lane of its own host, redirects included."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Protocol

from crawler.errors import LaneClosed, Reset, Timeout
from crawler.fetch.base import Answer, Fetch, Request
from crawler.fetch.crowd import Crowded
from crawler.fetch.ratelimit import quota_wait
from crawler.fetch.retry import asked_wait
from crawler.lanes import Lane, Mood, Seat, Turnstile
from crawler.urls import host_of

PRESSED: Final = frozenset({420, 429, 503, 529})  # statuses that tell to slow down


class Clock(Protocol):
    """What the pace needs of the time."""

    def __call__(self) -> float:
        """UTC as seconds."""


@dataclass(frozen=True, slots=True)
class Courtesy:
    """Which lane a host belongs to, and the longest wait in seconds a run accepts."""

    lane_of: Callable[[str], str]
    max_wait: float
    now: Clock


def pace(fetch: Fetch, turnstile: Turnstile[Any], courtesy: Courtesy) -> Fetch:
    """Take a seat, ask, give the seat back with what the answer says of the lane.

    Raises:
        LaneClosed: the lane or the run takes no more requests.
    """

    async def ask(request: Request) -> Answer:
        seat = await _sit(request, turnstile, courtesy)
        mood: Mood | None = Mood.SILENT
        try:
            answer = await fetch(request)
            mood = Mood.PRESSURE if answer.status in PRESSED else Mood.CALM
            _obey(answer, seat.lane, turnstile, courtesy)
        except (Reset, Timeout) as exc:
            mood = Mood.SILENT if request.is_no_evidence(exc) else Mood.PRESSURE
            raise
        except Crowded:
            mood = None
            raise
        finally:
            if mood is None:
                turnstile.return_(seat)
            else:
                turnstile.leave(seat, mood)
        return answer

    return ask


async def _sit(request: Request, turnstile: Turnstile[Any], courtesy: Courtesy) -> Seat[Any]:
    """The seat that the visit was started with, if it is for this lane; else a new one."""
    key = courtesy.lane_of(host_of(request.url))
    seat, request.trail.seat = request.trail.seat, None
    if isinstance(seat, Seat):
        if seat.lane.key == key:
            return seat
        turnstile.return_(seat)
    return await turnstile.enter(key)


def _obey(answer: Answer, lane: Lane[Any], turnstile: Turnstile[Any], courtesy: Courtesy) -> None:
    """Retry-After and used-up quotas stop the whole lane; a wait too long ends it for this run."""
    refused = answer.status >= 400  # noqa: PLR2004 - the classes of refusal
    wait = asked_wait(answer, courtesy.now) if refused else quota_wait(answer.headers, courtesy.now())
    if wait is None:
        return
    if wait <= courtesy.max_wait:
        turnstile.hold(lane, asyncio.get_running_loop().time() + wait)
        return
    until = courtesy.now() + wait
    turnstile.close(lane, LaneClosed(f"{lane.key} asks to come back in {wait:.0f} s", until))
