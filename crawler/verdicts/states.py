"""Histories: what the checks of a target say together, and when to check it again. Pure.

A state follows from the findings in their order and from the policy, and from nothing else: so it
can be judged again over the whole history once the policy is another (`linkhealth db rejudge`).
"""

from __future__ import annotations

import zlib
from datetime import datetime, timedelta
from math import log1p
from typing import Final

from crawler.verdicts.revisits import RevisitPlan
from storage.frozen import frozen
from storage.model import Class, Finding, Standing, State, Verdict


@frozen
class StateThresholds:
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


@frozen
class RevisitIntervals:
    """How long each kind of finding stays fresh; `failing` is a ladder, a step a failure.

    `splay` spreads each interval over itself to (1 + splay) times itself, by the URL. `plan` gives
    each target that is alive an interval of its own, in place of `alive`. `outage` is how long a host
    may be away: what fails for the time being is not asked sooner if that check could call it dead.
    """

    alive: timedelta = timedelta(days=7)
    failing: tuple[timedelta, ...] = (timedelta(hours=1), timedelta(days=1), timedelta(days=3))
    dead: timedelta = timedelta(days=30)
    unknown: timedelta = timedelta(days=1)
    splay: float = 1.0
    outage: timedelta = timedelta(days=21)
    plan: RevisitPlan | None = None

    @property
    def checks_per_target(self) -> float:
        """Checks a day that a target which is alive takes at a fixed interval, on average."""
        mean = log1p(self.splay) / self.splay if self.splay else 1.0
        return mean / max(self.alive / timedelta(days=1), 1 / 24)


# How far past its span a row of failures is confirmed, by the URL, so that a dead host's targets spread.
CONFIRMATION_SPLAY: Final = 0.1
# The last check within a span leaves room for a daily run, which comes later than what is due.
SHARE_OF_SPAN: Final = 0.75
LAST_STEP: Final = timedelta(days=1)
DOWN: Final = frozenset({State.SUSPECT, State.DEAD})
# Unchecked verdicts that stand for a check all the same: asking again today says the same.
CHECKLESS_VERDICTS: Final = frozenset({Verdict.BLOCKED_ADDRESS, Verdict.ROBOTS_DENIED})


def advance(
    standing: Standing, finding: Finding, evidence: StateThresholds, freshness: RevisitIntervals
) -> Standing:
    """What the history says once this finding is part of it."""
    cls = finding.verdict.cls
    if cls is Class.ALIVE:
        after = _alive(standing, finding.checked_at, evidence)
    elif cls.fails:
        after = _failing(standing, finding.checked_at, evidence, hard=cls is Class.HARD)
    elif cls is Class.UNKNOWN and standing.failing_since is not None:
        after = _answered(standing, finding.checked_at, freshness.outage)
    else:
        after = standing
    counts = cls is not Class.UNCHECKED or finding.verdict in CHECKLESS_VERDICTS
    at = finding.checked_at if counts else standing.checked_at
    state, since, failing_since, failures, hard_since, hard, streak, turns, *_ = after
    due = _due(after, finding, evidence, freshness)
    hazard = freshness.plan.hazard(finding.target) if freshness.plan else None
    risk = standing.hazard if hazard is None else hazard
    return Standing(state, since, failing_since, failures, hard_since, hard, streak, turns, at, due, risk)


def _alive(standing: Standing, at: datetime, evidence: StateThresholds) -> Standing:
    """A good check ends the row of failures, whether it is enough to make the target alive or not."""
    streak = standing.alive_streak + 1
    if standing.state is State.ALIVE:
        return Standing(State.ALIVE, standing.since, alive_streak=streak, turns=standing.turns)
    good = Standing(standing.state, standing.since, alive_streak=streak, turns=standing.turns)
    if streak < evidence.flap_checks and standing.state in DOWN and _flaps(standing, at, evidence):
        return good
    return _turned(good, State.ALIVE, at, evidence)


def _answered(standing: Standing, at: datetime, outage: timedelta) -> Standing:
    """An answer that tells nothing of the page ends an old row of failures but hard ones, and no state.

    Two outages with months of refusals between them are no evidence together.
    """
    if not outage or standing.state is State.DEAD or at - (standing.failing_since or at) <= outage:
        return standing
    return standing._replace(failing_since=standing.hard_since, failures=standing.hard)


def _flaps(standing: Standing, at: datetime, evidence: StateThresholds) -> bool:
    turns = standing.turns[-evidence.flaps :]
    return len(turns) == evidence.flaps and at - turns[0] <= evidence.flap_span


def _failing(standing: Standing, at: datetime, evidence: StateThresholds, *, hard: bool) -> Standing:
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


def _turned(standing: Standing, state: State, at: datetime, evidence: StateThresholds) -> Standing:
    """The standing in a state, since now if it is another; the first finding is not a state change."""
    if state is standing.state:
        return standing
    turns = standing.turns if standing.state is State.NEW else (*standing.turns, at)
    return standing._replace(state=state, since=at, turns=turns[-evidence.flaps :])


def _proven_hard(standing: Standing, at: datetime, evidence: StateThresholds) -> bool:
    first = standing.hard_since
    return first is not None and standing.hard >= evidence.hard_failures and at - first >= evidence.hard_span


def _proven_soft(standing: Standing, at: datetime, evidence: StateThresholds) -> bool:
    first = standing.failing_since
    return (
        first is not None and standing.failures >= evidence.soft_failures and at - first >= evidence.soft_span
    )


def _due(
    standing: Standing, finding: Finding, evidence: StateThresholds, freshness: RevisitIntervals
) -> datetime | None:
    """When to check again; None is at once.

    A time that the server named is never undercut, unless it lies further ahead than the longest
    interval: no server can have itself forgotten. A server that asks for a wait gets exactly that.
    """
    at = finding.checked_at
    server_time = finding.retry_at
    if server_time is not None:
        server_time = min(server_time, at + max(freshness.dead, freshness.alive))
    if finding.verdict.cls is Class.UNCHECKED and finding.verdict not in CHECKLESS_VERDICTS:
        return server_time or standing.next_due
    if server_time is not None and finding.verdict is Verdict.RATE_LIMITED:
        return server_time
    due = at + (_planned(standing, finding, freshness) or _fixed(standing, finding, freshness))
    if standing.state is State.SUSPECT and finding.verdict.cls.fails:
        due = _confirmation(standing, finding, due, evidence, freshness)
    return max(due, server_time) if server_time else due


def _confirmation(
    standing: Standing,
    finding: Finding,
    due: datetime,
    evidence: StateThresholds,
    freshness: RevisitIntervals,
) -> datetime:
    """When to ask a suspect again, given what its step of the ladder says.

    The check that completes the evidence comes as soon as its span is over, but after a failure that
    may pass only once the longest usual outage is over.
    """
    at, delay = finding.checked_at, 1.0 + CONFIRMATION_SPLAY * _share(finding.url)
    if standing.hard_since is not None and standing.hard + 1 >= evidence.hard_failures:
        end = standing.hard_since + evidence.hard_span * delay
        due = min(due, end if end > at else at + evidence.hard_span)
    first = standing.failing_since
    if first is None or standing.failures + 1 < evidence.soft_failures:
        return due
    if finding.verdict.cls is Class.TRANSIENT:
        return _waited_out(standing, at, due, evidence.soft_span, freshness.outage * delay)
    end = first + evidence.soft_span * delay
    return min(due, end) if end > at else due


def _waited_out(
    standing: Standing, at: datetime, due: datetime, span: timedelta, outage: timedelta
) -> datetime:
    """When to ask again what may pass: once more well within the span, then after the outage."""
    first = standing.failing_since or at
    last = first + span * SHARE_OF_SPAN
    if not outage or due <= last:
        return due
    return last if at + LAST_STEP <= last else max(due, first + outage)


def _planned(standing: Standing, finding: Finding, freshness: RevisitIntervals) -> timedelta | None:
    """The interval of the plan, which has one for what is alive alone."""
    if freshness.plan is None or finding.verdict.cls is not Class.ALIVE or standing.state is not State.ALIVE:
        return None
    return freshness.plan.interval(finding.target, finding.url)


def _fixed(standing: Standing, finding: Finding, freshness: RevisitIntervals) -> timedelta:
    return _interval(standing, finding, freshness) * _splay(finding, freshness)


def _interval(standing: Standing, finding: Finding, freshness: RevisitIntervals) -> timedelta:
    ladder = freshness.failing or (freshness.unknown,)
    if finding.verdict.cls is Class.ALIVE:
        return freshness.alive if standing.state is State.ALIVE else ladder[0]
    if not finding.verdict.cls.fails:
        return freshness.unknown
    if standing.state is State.DEAD:
        return freshness.dead
    return ladder[min(standing.failures, len(ladder)) - 1]


def _splay(finding: Finding, freshness: RevisitIntervals) -> float:
    """A factor from 1 to 1 + splay, the same for a URL each time, so that load spreads."""
    return 1.0 + _share(finding.url) * freshness.splay


def _share(url: str) -> float:
    """A number from 0 to 1, the same for a URL each time."""
    return zlib.crc32(url.encode("utf-8", "surrogatepass")) / 2**32
