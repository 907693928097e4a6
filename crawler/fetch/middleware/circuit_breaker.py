"""A host that is down is not asked a thousand times: its first failures speak for the rest.

Two rules, both about failures with no answer at all, in a row, from one host:

- a host that never answered in this run is down once two of its targets timed out: the second is
  the probe that decides. Ten dead hosts cost the run one time-out, not hundreds. Silence after HEAD
  alone is no evidence: one of the two has to be a GET, or to have found no connection. Once there
  was silence, nothing more is sent there while a GET is under way, which will tell.
- a host is down once `BreakerPolicy.failures` requests failed in a row, by at least two targets, one of
  which used up all its attempts: a server that drops its first requests is given its retries.

Any answer, even a refusal by status, closes the circuit again.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from crawler.errors import (
    ConnectionRefused,
    ConnectionReset,
    DnsFailure,
    FetchError,
    FetchTimeout,
    Unreachable,
)
from crawler.fetch.base import Fetch, Middleware, Request, Response, Trace
from crawler.lanes import Permit
from crawler.urls import host_of
from storage.frozen import frozen
from storage.model import Target

HOST_FAULTS: Final = (DnsFailure, ConnectionRefused, ConnectionReset, FetchTimeout, Unreachable)
MIN_FAILED_TARGETS: Final = 2  # targets that have to agree before the others are not asked


@frozen
class BreakerPolicy:
    """Failures in a row that open the circuit, and the attempts that one target has."""

    failures: int = 5
    attempts: int = 3


@dataclass(slots=True)
class CircuitBreaker:
    """What one host did lately."""

    answered: bool = False
    failed: Counter[str] = field(default_factory=Counter)
    timed_out: set[str] = field(default_factory=set)
    conclusive: bool = False  # whether one of those says more than that HEAD is not answered
    silence: bool = False  # whether any request timed out
    down: FetchError | None = None
    under_way: int = 0
    ended: asyncio.Event | None = None  # only while a request waits: most hosts are well

    @property
    def in_doubt(self) -> bool:
        """Whether a host that never answered was silent, and what is under way will say more."""
        return self.silence and self.under_way > 0 and not self.answered and self.down is None

    def begin(self, request: Request) -> None:
        """Note that a request is under way; only a GET is waited for."""
        self.under_way += request.method != "HEAD"

    def end(self, request: Request) -> None:
        """Note that a request has ended, and wake those that wait for it."""
        self.under_way -= request.method != "HEAD"
        if self.ended is not None:
            self.ended.set()
            self.ended = None

    def close(self) -> None:
        """Forget the failures: the host answered."""
        if not self.answered or self.failed or self.silence:
            self.answered = True
            self.down = None
            self.failed.clear()
            self.timed_out.clear()
            self.conclusive = self.silence = False

    def fail(self, request: Request, error: FetchError, policy: BreakerPolicy) -> None:
        """Count one failure; open the circuit if the policy says so."""
        self.silence = self.silence or isinstance(error, FetchTimeout)
        if request.is_no_evidence(error):
            return
        self.failed[request.url] += 1
        if isinstance(error, FetchTimeout):
            self.timed_out.add(request.url)
            self.conclusive = self.conclusive or request.method != "HEAD" or error.phase != "read"
        if self._silent() or self._exhausted(policy):
            self.down = error

    def _silent(self) -> bool:
        return not self.answered and self.conclusive and len(self.timed_out) >= MIN_FAILED_TARGETS

    def _exhausted(self, policy: BreakerPolicy) -> bool:
        return (
            len(self.failed) >= MIN_FAILED_TARGETS
            and self.failed.total() >= policy.failures
            and max(self.failed.values()) >= policy.attempts
        )


class CircuitBreakers:
    """The circuits of a run, one a host; `release` takes the permit of a request that has to wait."""

    def __init__(
        self, policy_of: Callable[[str], BreakerPolicy], release: Callable[[Permit[Target]], None]
    ) -> None:
        self.policy_of = policy_of
        self._release = release
        self._circuits: dict[str, CircuitBreaker] = {}

    def of(self, url: str) -> CircuitBreaker:
        """The circuit of the host of a URL."""
        return self._circuits.setdefault(host_of(url), CircuitBreaker())

    def forget(self) -> None:
        """Close every circuit, and know nothing of any host."""
        self._circuits.clear()

    def hopeless(self, request: Request) -> bool:
        """Whether another attempt at this request is in vain."""
        return self.of(request.url).down is not None

    async def wait(self, circuit: CircuitBreaker, trace: Trace) -> None:
        """Wait, without a permit, until nothing is under way that may decide."""
        permit = trace.state.permit
        trace.state.permit = None
        if permit is not None:
            self._release(permit)
        while circuit.in_doubt:
            circuit.ended = circuit.ended or asyncio.Event()
            await circuit.ended.wait()


def circuit_breaker(circuits: CircuitBreakers) -> Middleware:
    """Ask a host only while its circuit is closed; else repeat its last failure."""

    def wrap(fetch: Fetch) -> Fetch:
        async def ask(request: Request) -> Response:
            circuit = circuits.of(request.url)
            if circuit.in_doubt:
                await circuits.wait(circuit, request.trace)
            request.trace.evidence.spared = circuit.down is not None
            _refuse(circuit)
            circuit.begin(request)
            try:
                response = await fetch(request)
            except HOST_FAULTS as exc:
                circuit.fail(request, exc, circuits.policy_of(host_of(request.url)))
                raise
            finally:
                circuit.end(request)
            circuit.close()
            return response

        return ask

    return wrap


def _refuse(circuit: CircuitBreaker) -> None:
    if circuit.down is not None:
        raise type(circuit.down)(
            f"not asked itself: other targets of this host failed in a row ({circuit.down})",
            phase=circuit.down.phase,
        )
