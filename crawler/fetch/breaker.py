"""A host that is down is not asked a thousand times: its first failures speak for the rest.

Two rules, both about failures with no answer at all, in a row, from one host:

- a host that never answered in this run is down once two of its targets timed out: the second is
  the probe that decides. Ten dead hosts cost the run one time-out, not hundreds.
- a host is down once `Breaker.failures` requests failed in a row, by at least two targets, one of
  which used up all its attempts: a server that drops its first requests is given its retries.

Any answer, even a refusal by status, closes the circuit again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from crawler.errors import DnsFailure, FetchError, Refused, Reset, Timeout, Unreachable
from crawler.fetch.base import Answer, Fetch, Request
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
    down: FetchError | None = None

    def close(self) -> None:
        """Forget the failures: the host answered."""
        if not self.answered or self.failed:
            self.answered, self.down = True, None
            self.failed.clear()
            self.timed_out.clear()

    def fail(self, url: str, error: FetchError, rules: Breaker) -> None:
        """Count one failure; open the circuit if the rules say so."""
        self.failed[url] += 1
        if isinstance(error, Timeout):
            self.timed_out.add(url)
        if self._silent() or self._exhausted(rules):
            self.down = error

    def _silent(self) -> bool:
        return not self.answered and len(self.timed_out) >= WITNESSES

    def _exhausted(self, rules: Breaker) -> bool:
        return (
            len(self.failed) >= WITNESSES
            and self.failed.total() >= rules.failures
            and max(self.failed.values()) >= rules.attempts
        )


class Circuits:
    """The circuits of a run, one a host."""

    def __init__(self, rules_of: Callable[[str], Breaker]) -> None:
        self._rules_of = rules_of
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
            _refuse(circuit)
            try:
                answer = await fetch(request)
            except SILENCE as exc:
                circuit.fail(request.url, exc, self._rules_of(host_of(request.url)))
                raise
            circuit.close()
            return answer

        return ask


def _refuse(circuit: Circuit) -> None:
    if circuit.down is not None:
        raise type(circuit.down)(
            f"{SPARED}other targets of this host failed in a row ({circuit.down})",
            phase=circuit.down.phase,
        )
