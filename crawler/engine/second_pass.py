"""The second pass: what failed for the time being is asked once more before a run ends.

Most outages of a host are shorter than a minute, and longer than the retries of one visit. A run
gives its second pass a tenth of the time that it has lasted, and no more: a look at ten links ends
at once, and targets that cannot be waited for have their next due time.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from storage.frozen import frozen
from storage.model import Class, Finding, Target, Verdict

TIME_SHARE: Final = 0.1  # of the time of a run, that it may be longer for a second pass
MAX_FUTILE_VISITS: Final = 5  # second visits that fail in a row before the rest of a lane is left alone
# These say nothing about the target: the first finding stands.
VERDICTS_WITHOUT_NEWS: Final = frozenset(
    {Verdict.NOT_REACHED, Verdict.POSTPONED, Verdict.LOCAL_OUTAGE, Verdict.CRASHED}
)


@frozen
class FailedVisit:
    """A target that failed for the time being: its lane, what was found, and when (loop time)."""

    lane: str
    target: Target
    finding: Finding
    at: float


class SecondPass:
    """Remembers what is to be asked once more; `pause` seconds after it failed, 0 for never."""

    def __init__(self, pause: float) -> None:
        self._pause = pause
        self._failed: dict[int, FailedVisit] = {}
        self._before: dict[int, Finding] = {}
        self._in_vain: Counter[str] = Counter()

    def note(self, lane: str, target: Target, finding: Finding, now: float) -> None:
        """Remember a finding: to ask once more, or how a lane does in the second pass."""
        passing = finding.verdict.cls is Class.TRANSIENT
        if self.asks(target.id):
            self._in_vain[lane] = self._in_vain[lane] + 1 if passing else 0
        elif self._pause and passing:
            self._failed[target.id] = FailedVisit(lane, target, finding, now)

    def in_vain(self, target: Target, lane: str) -> bool:
        """Whether this target need not be asked once more: its lane fails as before."""
        return self.asks(target.id) and self._in_vain[lane] >= MAX_FUTILE_VISITS

    def take(self, run_start: float, now: float) -> Iterator[tuple[FailedVisit, float]]:
        """What is asked once more, and not before when; all in loop time, and only once.

        Args:
            run_start: when the run began.
            now: when its first pass ended.
        """
        visits = self._failed
        self._failed = {}
        latest = now + TIME_SHARE * (now - run_start)
        for visit in visits.values():
            if visit.at + self._pause <= latest:
                self._before[visit.target.id] = visit.finding
                yield visit, visit.at + self._pause

    def asks(self, target: int) -> bool:
        """Whether this target is being asked once more."""
        return target in self._before

    def combined(self, finding: Finding) -> Finding | None:
        """What both visits say together; None where the second says nothing new.

        A finding on a target that was asked but once is what it is.
        """
        before = self._before.get(finding.target)
        if before is None:
            return finding
        return None if finding.verdict in VERDICTS_WITHOUT_NEWS else _both(before, finding)


def _both(first: Finding, second: Finding) -> Finding:
    """The second finding, with what both visits cost."""
    return replace(
        second,
        hops=first.hops + tuple(replace(hop, attempt=hop.attempt + first.attempts) for hop in second.hops),
        attempts=first.attempts + second.attempts,
        requests=first.requests + second.requests,
        elapsed=first.elapsed + second.elapsed,
        bytes=first.bytes + second.bytes,
    )
