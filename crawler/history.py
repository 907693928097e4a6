"""Histories: what the checks of a target say together, and when to check it again. Pure.

A state follows from the findings in their order and from the policy, and from nothing else: so it
can be judged again over the whole history once the policy is another (`linkhealth db rejudge`).
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from storage.model import Class, Finding, Standing, State, Verdict


@dataclass(frozen=True, slots=True)
class Evidence:
    """How many failing checks, over how long, make a suspect dead.

    A target whose state changed `flaps` times within `flap_span` flaps: it takes `flap_checks`
    good checks in a row to make it alive again, where one is enough for any other.
    """

    hard_failures: int = 2
    hard_span: timedelta = timedelta(hours=24)
    soft_failures: int = 3
    soft_span: timedelta = timedelta(days=6)
    flaps: int = 3
    flap_span: timedelta = timedelta(days=30)
    flap_checks: int = 2


@dataclass(frozen=True, slots=True)
class Freshness:
    """How long each kind of finding stays fresh; `failing` is a ladder, a step a failure.

    `splay` spreads each interval over itself to (1 + splay) times itself, by the URL.
    """

    alive: timedelta = timedelta(days=7)
    failing: tuple[timedelta, ...] = (timedelta(hours=1), timedelta(days=1), timedelta(days=3))
    dead: timedelta = timedelta(days=30)
    unknown: timedelta = timedelta(days=1)
    splay: float = 1.0


FAILING: Final = frozenset({Class.HARD, Class.SOFT, Class.TRANSIENT, Class.CONTENT})
DOWN: Final = frozenset({State.SUSPECT, State.DEAD})
# Unchecked verdicts that stand for a check all the same: asking again today says the same.
SETTLED: Final = frozenset({Verdict.BLOCKED_ADDRESS, Verdict.ROBOTS_DENIED})


def advance(standing: Standing, finding: Finding, evidence: Evidence, freshness: Freshness) -> Standing:
    """What the history says once this finding is part of it."""
    cls = finding.verdict.cls
    if cls is Class.ALIVE:
        after = _alive(standing, finding.checked_at, evidence)
    elif cls in FAILING:
        after = _failing(standing, finding.checked_at, evidence, hard=cls is Class.HARD)
    else:
        after = standing
    checked = cls is not Class.UNCHECKED or finding.verdict in SETTLED
    at = finding.checked_at if checked else standing.checked_at
    state, since, failing_since, failures, hard_since, hard, streak, turns, *_ = after
    due = _due(after, finding, freshness)
    return Standing(state, since, failing_since, failures, hard_since, hard, streak, turns, at, due)


def _alive(standing: Standing, at: datetime, evidence: Evidence) -> Standing:
    """A good check ends the row of failures, whether it is enough to make the target alive or not."""
    streak = standing.alive_streak + 1
    if standing.state is State.ALIVE:
        return Standing(State.ALIVE, standing.since, alive_streak=streak, turns=standing.turns)
    good = Standing(standing.state, standing.since, alive_streak=streak, turns=standing.turns)
    if streak < evidence.flap_checks and standing.state in DOWN and _flaps(standing, at, evidence):
        return good
    return _turned(good, State.ALIVE, at, evidence)


def _flaps(standing: Standing, at: datetime, evidence: Evidence) -> bool:
    turns = standing.turns[-evidence.flaps :]
    return len(turns) == evidence.flaps and at - turns[0] <= evidence.flap_span


def _failing(standing: Standing, at: datetime, evidence: Evidence, *, hard: bool) -> Standing:
    after = Standing(
        standing.state,
        standing.since,
        standing.failing_since or at,
        standing.failures + 1,
        standing.hard_since or (at if hard else None),
        standing.hard + hard,
        turns=standing.turns,
    )
    proven = (hard and _proven_hard(after, at, evidence)) or _proven_soft(after, at, evidence)
    dead = standing.state is State.DEAD or proven
    return _turned(after, State.DEAD if dead else State.SUSPECT, at, evidence)


def _turned(standing: Standing, state: State, at: datetime, evidence: Evidence) -> Standing:
    """The standing in a state, since now if it is another; the first word on a target is no turn."""
    if state is standing.state:
        return standing
    turns = standing.turns if standing.state is State.NEW else (*standing.turns, at)
    return standing._replace(state=state, since=at, turns=turns[-evidence.flaps :])


def _proven_hard(standing: Standing, at: datetime, evidence: Evidence) -> bool:
    first = standing.hard_since
    return first is not None and standing.hard >= evidence.hard_failures and at - first >= evidence.hard_span


def _proven_soft(standing: Standing, at: datetime, evidence: Evidence) -> bool:
    first = standing.failing_since
    return (
        first is not None and standing.failures >= evidence.soft_failures and at - first >= evidence.soft_span
    )


def _due(standing: Standing, finding: Finding, freshness: Freshness) -> datetime | None:
    """When to check again; None is at once.

    A time that the server named is never undercut, unless it lies further ahead than the longest
    interval: no server can have itself forgotten. Who asks for patience gets exactly that.
    """
    at, named = finding.checked_at, finding.retry_at
    if named is not None:
        named = min(named, at + max(freshness.dead, freshness.alive))
    if finding.verdict.cls is Class.UNCHECKED and finding.verdict not in SETTLED:
        return named or standing.next_due
    if named is not None and finding.verdict is Verdict.RATE_LIMITED:
        return named
    due = at + _interval(standing, finding, freshness) * _splay(finding, freshness)
    return max(due, named) if named else due


def _interval(standing: Standing, finding: Finding, freshness: Freshness) -> timedelta:
    ladder = freshness.failing or (freshness.unknown,)
    if finding.verdict.cls is Class.ALIVE:
        return freshness.alive if standing.state is State.ALIVE else ladder[0]
    if finding.verdict.cls not in FAILING:
        return freshness.unknown
    if standing.state is State.DEAD:
        return freshness.dead
    return ladder[min(standing.failures, len(ladder)) - 1]


def _splay(finding: Finding, freshness: Freshness) -> float:
    """A factor from 1 to 1 + splay, the same for a URL each time, so that load spreads."""
    share = zlib.crc32(finding.url.encode("utf-8", "surrogatepass")) / 2**32
    return 1.0 + share * freshness.splay
