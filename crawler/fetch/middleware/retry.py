"""Trying again: which answers deserve it, how long to wait, and when to give up."""

from __future__ import annotations

import random
import time
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final, Protocol, TypeAlias

from tenacity import AsyncRetrying, RetryCallState, retry_if_result

from crawler.errors import (
    ConnectionRefused,
    ConnectionReset,
    DnsFailure,
    FetchError,
    FetchTimeout,
    IncompleteResponse,
    LocalFault,
    Unreachable,
)
from crawler.fetch.base import Fetch, Middleware, Request, Response, Trace
from crawler.fetch.headers.retry_after import requested_wait
from storage.frozen import frozen

TRANSIENT_STATUSES: Final = frozenset(
    {408, 420, 425, 429, 500, 502, 503, 504, 509, 529, 530, *range(520, 528)}
)
TRANSIENT_FAULTS: Final = (
    DnsFailure,
    LocalFault,
    ConnectionRefused,
    ConnectionReset,
    FetchTimeout,
    IncompleteResponse,
    Unreachable,
)


@frozen
class RetryPolicy:
    """Attempts in all, the first back-off and the longest wait in seconds, seconds an attempt; UTC now."""

    attempts: int = 3
    backoff: float = 1.0
    max_wait: float = 60.0
    total_timeout: float = 60.0
    clock: Callable[[], float] = time.time


class RetryAllowance(Protocol):
    """Whether a request may be repeated."""

    def first(self, request: Request) -> None:
        """Note a first attempt."""

    def grant(self, request: Request) -> bool:
        """Whether there may be another attempt at this request; a grant is used."""


def retry(
    policy: RetryPolicy, sleep: Callable[[float], Awaitable[None]], allowance: RetryAllowance
) -> Middleware:
    """Try again what may pass by itself; waits hold no permit, since permits are acquired below.

    `allowance` says whether another attempt may be made. The first attempt is made plainly, since
    most need no second and tenacity is not free (benchmarks/throughput.py).
    """

    def wrap(fetch: Fetch) -> Fetch:
        async def ask(request: Request) -> Response:
            allowance.first(request)
            # Another question about the same target is no other attempt.
            request.trace.attempts = max(0, request.trace.attempts - 1)
            outcome = await _attempt(
                fetch, request.by_get() if request.trace.state.single_attempt else request, policy
            )
            if isinstance(outcome, Response) and not _may_pass(outcome):
                return outcome
            retrying = AsyncRetrying(
                stop=partial(_is_last, policy, request, allowance),
                wait=partial(_wait, policy),
                retry=retry_if_result(_may_pass),
                sleep=partial(_sleep, sleep, request.trace),
                retry_error_callback=_outcome,
            )
            outcome = await retrying(_Attempts(fetch, request, policy, outcome))
            if isinstance(outcome, Response) and _by_head(request.trace):
                return await fetch(request.by_get())  # HEAD is a saving, never evidence
            return _unwrap(outcome)

        return ask

    return wrap


Outcome: TypeAlias = Response | FetchError


def _by_head(trace: Trace) -> bool:
    """Whether the newest response came to a HEAD request."""
    return bool(trace.hops) and trace.hops[-1].method == "HEAD"


class _Attempts:
    """Calls that tenacity makes: the first gives the outcome of the attempt already made, the others ask."""

    def __init__(self, fetch: Fetch, request: Request, policy: RetryPolicy, first: Outcome) -> None:
        self._fetch = fetch
        self._request = request.by_get()
        self._policy = policy
        self._first: Outcome | None = first

    async def __call__(self) -> Outcome:
        first = self._first
        self._first = None
        return first or await _attempt(self._fetch, self._request, self._policy)


async def _attempt(fetch: Fetch, request: Request, policy: RetryPolicy) -> Outcome:
    """One attempt: its response, or a failure that may pass; other failures are raised."""
    trace = request.trace
    trace.attempts += 1
    trace.state.time_left = policy.total_timeout
    try:
        return await fetch(request)
    except TRANSIENT_FAULTS as exc:
        return exc


async def _sleep(sleep: Callable[[float], Awaitable[None]], trace: Trace, seconds: float) -> None:
    """Wait, and keep with the evidence how long."""
    trace.evidence.waited = round(trace.evidence.waited + seconds, 3)
    await sleep(seconds)


def _may_pass(outcome: Outcome) -> bool:
    return isinstance(outcome, FetchError) or outcome.status in TRANSIENT_STATUSES or outcome.cut_off


def _is_last(policy: RetryPolicy, request: Request, allowance: RetryAllowance, state: RetryCallState) -> bool:
    attempts = 1 if request.trace.state.single_attempt else policy.attempts
    if state.attempt_number >= attempts or _server_wait(policy, state) > policy.max_wait:
        return True
    return not allowance.grant(request)


def _wait(policy: RetryPolicy, state: RetryCallState) -> float:
    """Full jitter over an exponential back-off, but never less than the server asks for."""
    ceiling = min(policy.max_wait, policy.backoff * 2 ** (state.attempt_number - 1))
    return max(_server_wait(policy, state), random.uniform(0.0, ceiling))  # noqa: S311 - spreads load, no secret


def _server_wait(policy: RetryPolicy, state: RetryCallState) -> float:
    outcome = _outcome(state)
    return (requested_wait(outcome, policy.clock) or 0.0) if isinstance(outcome, Response) else 0.0


def _outcome(state: RetryCallState) -> Outcome:
    if state.outcome is None:
        raise RuntimeError("tenacity asked before the first attempt was made")
    outcome: Outcome = state.outcome.result()
    return outcome


def _unwrap(outcome: Outcome) -> Response:
    if isinstance(outcome, FetchError):
        raise outcome
    return outcome
