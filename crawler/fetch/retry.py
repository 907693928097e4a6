"""Trying again: which answers deserve it, how long to wait, and when to give up."""

from __future__ import annotations

import contextlib
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime
from functools import partial
from typing import Final, Protocol, TypeAlias

from tenacity import AsyncRetrying, RetryCallState, retry_if_result

from crawler.errors import (
    DnsFailure,
    FetchError,
    LocalFault,
    Refused,
    Reset,
    Timeout,
    Unreachable,
)
from crawler.fetch.base import Answer, Fetch, Request, Trail
from crawler.fetch.ratelimit import quota_wait

STATUSES: Final = frozenset({408, 420, 425, 429, 500, 502, 503, 504, 529, 530, *range(520, 528)})
FAULTS: Final = (DnsFailure, LocalFault, Refused, Reset, Timeout, Unreachable)


@dataclass(frozen=True, slots=True)
class Retry:
    """Attempts in all, the first back-off and the longest wait in seconds, seconds an attempt; UTC now."""

    attempts: int = 3
    backoff: float = 1.0
    max_wait: float = 60.0
    total_timeout: float = 60.0
    clock: Callable[[], float] = time.time


class Allowance(Protocol):
    """Who may be asked again."""

    def first(self, request: Request) -> None:
        """Note a first attempt."""

    def grant(self, request: Request) -> bool:
        """Whether there may be another attempt at this request; a grant is used."""


def retry_after(value: str, now: float) -> float | None:
    """Seconds that a Retry-After header asks to wait; None where it says nothing usable.

    `now` is a UTC time in seconds. RFC 9110, 10.2.3: a number of seconds, or an HTTP date. A
    date in the past asks for no wait; signs, fractions and units are not understood.
    """
    text = value.strip()
    if text.isascii() and text.isdigit():
        return float(text[:12])
    try:
        return max(0.0, _moment(text) - now)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def _moment(text: str) -> float:
    date = parsedate_to_datetime(text)
    # RFC 9110, 5.6.7: every HTTP date is in UTC, the form of asctime too, which names no zone.
    return (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp()


def asked_wait(answer: Answer, clock: Callable[[], float] = time.time) -> float | None:
    """Seconds that an answer asks to wait, by Retry-After or by a quota that is used up.

    Both are measured by the server's own clock where it says what that shows, else by `clock`.
    """
    now = _now_there(answer, clock)
    value = answer.headers.get("Retry-After")
    asked = (None if value is None else retry_after(value, now), quota_wait(answer.headers, now))
    return max((wait for wait in asked if wait is not None), default=None)


def _now_there(answer: Answer, clock: Callable[[], float]) -> float:
    with contextlib.suppress(KeyError, ValueError, TypeError, IndexError, OverflowError):
        return _moment(answer.headers["Date"])
    return clock()


def retry(
    fetch: Fetch,
    rules: Retry,
    rest: Callable[[float], Awaitable[None]],
    allowance: Allowance,
) -> Fetch:
    """Try again what may pass by itself; waits hold no seat, since seats are taken below.

    `rest` waits; `allowance` says whether another attempt may be made. The first attempt is made
    plainly, since most need no second and tenacity is not free (benchmarks/throughput.py).
    """

    async def ask(request: Request) -> Answer:
        allowance.first(request)
        request.trail.attempts = max(0, request.trail.attempts - 1)  # another question is no other attempt
        outcome = await _attempt(fetch, request.by_get() if request.trail.once else request, rules)
        if isinstance(outcome, Answer) and outcome.status not in STATUSES:
            return outcome
        retrying = AsyncRetrying(
            stop=partial(_enough, rules, request, allowance),
            wait=partial(_wait, rules),
            retry=retry_if_result(_may_pass),
            sleep=partial(_rest, rest, request.trail),
            retry_error_callback=_last,
        )
        return _unwrap(await retrying(_Attempts(fetch, request, rules, outcome)))

    return ask


Outcome: TypeAlias = Answer | FetchError


class _Attempts:
    """Calls that tenacity makes: the first gives the outcome that is known, the others ask."""

    def __init__(self, fetch: Fetch, request: Request, rules: Retry, first: Outcome) -> None:
        self._fetch, self._request, self._rules = fetch, request.by_get(), rules
        self._first: Outcome | None = first

    async def __call__(self) -> Outcome:
        first, self._first = self._first, None
        return first or await _attempt(self._fetch, self._request, self._rules)


async def _attempt(fetch: Fetch, request: Request, rules: Retry) -> Outcome:
    """One attempt: its answer, or a failure that may pass; other failures are raised."""
    trail = request.trail
    trail.attempts += 1
    trail.left = rules.total_timeout
    try:
        return await fetch(request)
    except FAULTS as exc:
        return exc


async def _rest(rest: Callable[[float], Awaitable[None]], trail: Trail, seconds: float) -> None:
    """Wait, and keep with the evidence how long."""
    waited = trail.evidence.get("waited", 0.0)
    trail.evidence["waited"] = round(seconds + (waited if isinstance(waited, float) else 0.0), 3)
    await rest(seconds)


def _may_pass(outcome: Outcome) -> bool:
    return isinstance(outcome, FetchError) or outcome.status in STATUSES


def _enough(rules: Retry, request: Request, allowance: Allowance, state: RetryCallState) -> bool:
    most = 1 if request.trail.once else rules.attempts
    if state.attempt_number >= most or _asked(rules, state) > rules.max_wait:
        return True
    return not allowance.grant(request)


def _wait(rules: Retry, state: RetryCallState) -> float:
    """Full jitter over an exponential back-off, but never less than the server asks for."""
    most = min(rules.max_wait, rules.backoff * 2 ** (state.attempt_number - 1))
    return max(_asked(rules, state), random.uniform(0.0, most))  # noqa: S311 - spreads load, no secret


def _asked(rules: Retry, state: RetryCallState) -> float:
    outcome = _outcome(state)
    return (asked_wait(outcome, rules.clock) or 0.0) if isinstance(outcome, Answer) else 0.0


def _outcome(state: RetryCallState) -> Outcome:
    if state.outcome is None:
        raise RuntimeError("tenacity asked before the first attempt was made")
    outcome: Outcome = state.outcome.result()
    return outcome


def _last(state: RetryCallState) -> Outcome:
    return _outcome(state)


def _unwrap(outcome: Outcome) -> Answer:
    if isinstance(outcome, FetchError):
        raise outcome
    return outcome
