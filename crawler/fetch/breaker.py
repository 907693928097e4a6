"""A host that is down is not asked a thousand times: its first failures speak for the rest.

Two rules, both about failures with no answer at all, in a row, from one host:

- a host that never answered in this run is down once two of its targets timed out: the second is
  the probe that decides. Ten dead hosts cost the run one time-out, not hundreds. Silence after HEAD
  alone is no evidence: one of the two has to be a GET, or to have found no connection. Once there
  was silence, nothing more is sent there while a GET is under way, which will tell.
- a host is down once `Breaker.failures` requests failed in a row, by at least two targets, one of
  which used up all its attempts: a server that drops its first requests is given its retries.

Any answer, even a refusal by status, closes the circuit again.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from crawler.errors import DnsFailure, FetchError, Refused, Reset, Timeout, Unreachable
from crawler.fetch.base import Answer, Fetch, Request, Trail
from crawler.urls import host_of
from storage.model import SPARED

SILENCE = (DnsFailure, Refused, Reset, Timeout, Unreachable)
WITNESSES = 2  # targets that have to agree before the others are not asked


@dataclass(frozen=True, slots=True)
class Breaker:
    """Failures in a row that open the circuit, and the attempts that one target has."""

    failures: int = 5
    attempts: int = 3


@dataclass(slots=True)
class Circuit:
    """What one host did lately."""

    answered: bool = False
    failed: Counter[str] = field(default_factory=Counter)
    timed_out: set[str] = field(default_factory=set)
    witnessed: bool = False  # whether one of those says more than that HEAD is not answered
    silence: bool = False  # whether any request was in vain
    down: FetchError | None = None
    under_way: int = 0
    ended: asyncio.Event | None = None  # only while somebody waits: most hosts are well

    @property
    def in_doubt(self) -> bool:
        """Whether a host that never answered was silent, and what is under way will say more."""
        return self.silence and self.under_way > 0 and not self.answered and self.down is None

    def enter(self, request: Request) -> None:
        """Note that a request is under way; only a GET is waited for."""
        self.under_way += request.method != "HEAD"

    def leave(self, request: Request) -> None:
        """Note that a request has ended, and wake those that wait for its word."""
        self.under_way -= request.method != "HEAD"
        if self.ended is not None:
            self.ended.set()
            self.ended = None

    def close(self) -> None:
        """Forget the failures: the host answered."""
        if not self.answered or self.failed or self.silence:
            self.answered, self.down = True, None
            self.failed.clear()
            self.timed_out.clear()
            self.witnessed = self.silence = False

    def fail(self, request: Request, error: FetchError, rules: Breaker) -> None:
        """Count one failure; open the circuit if the rules say so."""
        self.silence = self.silence or isinstance(error, Timeout)
        if request.is_no_evidence(error):
            return
        self.failed[request.url] += 1
        if isinstance(error, Timeout):
            self.timed_out.add(request.url)
            self.witnessed = self.witnessed or request.method != "HEAD" or error.phase != "read"
        if self._silent() or self._exhausted(rules):
            self.down = error

    def _silent(self) -> bool:
        return not self.answered and self.witnessed and len(self.timed_out) >= WITNESSES

    def _exhausted(self, rules: Breaker) -> bool:
        return (
            len(self.failed) >= WITNESSES
            and self.failed.total() >= rules.failures
            and max(self.failed.values()) >= rules.attempts
        )


class Circuits:
    """The circuits of a run, one a host; `give_back` takes the seat of a request that has to wait."""

    def __init__(self, rules_of: Callable[[str], Breaker], give_back: Callable[[Any], None]) -> None:
        self._rules_of, self._give_back = rules_of, give_back
        self._circuits: dict[str, Circuit] = {}

    def of(self, url: str) -> Circuit:
        """The circuit of the host of a URL."""
        return self._circuits.setdefault(host_of(url), Circuit())

    def forget(self) -> None:
        """Close every circuit, and know nothing of any host."""
        self._circuits.clear()

    def hopeless(self, request: Request) -> bool:
        """Whether another attempt at this request is in vain."""
        return self.of(request.url).down is not None

    def breaker(self, fetch: Fetch) -> Fetch:
        """Ask a host only while its circuit is closed; else answer with its last failure."""

        async def ask(request: Request) -> Answer:
            circuit = self.of(request.url)
            if circuit.in_doubt:
                await self._wait(circuit, request.trail)
            _refuse(circuit)
            circuit.enter(request)
            try:
                answer = await fetch(request)
            except SILENCE as exc:
                circuit.fail(request, exc, self._rules_of(host_of(request.url)))
                raise
            finally:
                circuit.leave(request)
            circuit.close()
            return answer

        return ask

    async def _wait(self, circuit: Circuit, trail: Trail) -> None:
        """Wait, without a seat, until nothing is under way that may decide."""
        seat, trail.seat = trail.seat, None
        if seat is not None:
            self._give_back(seat)
        while circuit.in_doubt:
            circuit.ended = circuit.ended or asyncio.Event()
            await circuit.ended.wait()


def _refuse(circuit: Circuit) -> None:
    if circuit.down is not None:
        raise type(circuit.down)(
            f"{SPARED}other targets of this host failed in a row ({circuit.down})",
            phase=circuit.down.phase,
        )
