"""What histories say, and when to check again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from crawler.verdicts.states import RevisitIntervals, StateThresholds, advance
from storage.model import Finding, Standing, State, Verdict

START = datetime(2026, 1, 1, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def history(*checks: tuple[timedelta, Verdict]) -> Standing:
    """What the history says after these checks."""
    standing = Standing()
    for after, verdict in checks:
        finding = Finding(1, "http://a.example/", verdict, START + after)
        standing = advance(standing, finding, StateThresholds(), RevisitIntervals())
    return standing


NOT_FOUND, TIMEOUT, OK = Verdict.NOT_FOUND, Verdict.TIMEOUT, Verdict.OK
HISTORIES = [
    ([], State.NEW),
    ([(0 * DAY, OK)], State.ALIVE),
    ([(0 * DAY, NOT_FOUND)], State.SUSPECT),
    ([(0 * DAY, NOT_FOUND), (23 * HOUR, NOT_FOUND)], State.SUSPECT),
    ([(0 * DAY, NOT_FOUND), (24 * HOUR, NOT_FOUND)], State.DEAD),
    ([(0 * DAY, TIMEOUT), (3 * DAY, TIMEOUT)], State.SUSPECT),
    ([(0 * DAY, TIMEOUT), (1 * DAY, TIMEOUT), (5 * DAY, TIMEOUT)], State.SUSPECT),
    ([(0 * DAY, TIMEOUT), (1 * DAY, TIMEOUT), (6 * DAY, TIMEOUT)], State.DEAD),
    ([(0 * DAY, TIMEOUT), (6 * DAY, TIMEOUT)], State.SUSPECT),
    ([(0 * DAY, TIMEOUT), (1 * DAY, NOT_FOUND), (6 * DAY, TIMEOUT)], State.DEAD),
    ([(0 * DAY, TIMEOUT), (1 * DAY, NOT_FOUND), (2 * DAY, NOT_FOUND)], State.DEAD),
    ([(0 * DAY, NOT_FOUND), (2 * DAY, OK)], State.ALIVE),
    ([(0 * DAY, NOT_FOUND), (1 * DAY, OK), (2 * DAY, NOT_FOUND)], State.SUSPECT),
    ([(0 * DAY, NOT_FOUND), (2 * DAY, NOT_FOUND), (9 * DAY, OK)], State.ALIVE),
    ([(0 * DAY, NOT_FOUND), (2 * DAY, NOT_FOUND), (9 * DAY, TIMEOUT)], State.DEAD),
    ([(0 * DAY, OK), (1 * DAY, Verdict.FORBIDDEN)], State.ALIVE),
    # What refuses to tell neither ends a row of failures nor adds to it.
    ([(0 * DAY, TIMEOUT), (DAY, TIMEOUT), (2 * DAY, Verdict.FORBIDDEN), (7 * DAY, TIMEOUT)], State.DEAD),
    ([(0 * DAY, TIMEOUT), (DAY, TIMEOUT), (7 * DAY, Verdict.FORBIDDEN)], State.SUSPECT),
    ([(0 * DAY, NOT_FOUND), (DAY, Verdict.FORBIDDEN), (2 * DAY, NOT_FOUND)], State.DEAD),
    ([(0 * DAY, NOT_FOUND), (DAY, NOT_FOUND), (2 * DAY, Verdict.FORBIDDEN)], State.DEAD),
    ([(0 * DAY, Verdict.FORBIDDEN)], State.NEW),
    # Outages with weeks of refusals between them are no row; what was not there remains so.
    (
        [(0 * DAY, TIMEOUT), (25 * DAY, Verdict.FORBIDDEN), (90 * DAY, TIMEOUT), (180 * DAY, TIMEOUT)],
        State.SUSPECT,
    ),
    (
        [(0 * DAY, TIMEOUT), (DAY, TIMEOUT), (30 * DAY, Verdict.BOT_BLOCKED), (31 * DAY, TIMEOUT)],
        State.SUSPECT,
    ),
    ([(0 * DAY, NOT_FOUND), (30 * DAY, Verdict.FORBIDDEN), (60 * DAY, NOT_FOUND)], State.DEAD),
    ([(0 * DAY, TIMEOUT), (30 * DAY, TIMEOUT), (60 * DAY, TIMEOUT)], State.DEAD),
    ([(0 * DAY, NOT_FOUND), (2 * DAY, Verdict.LOCAL_OUTAGE)], State.SUSPECT),
    ([(0 * DAY, NOT_FOUND), (2 * DAY, Verdict.CRASHED)], State.SUSPECT),
]


@pytest.mark.parametrize(("checks", "state"), HISTORIES)
def test_states(checks: list[tuple[timedelta, Verdict]], state: State) -> None:
    """The state that a history leads to."""
    assert history(*checks).state is state


def test_failing_since_is_the_first_failure() -> None:
    """A row of failures remembers when it began, and an alive check ends it."""
    assert history((DAY, TIMEOUT), (2 * DAY, NOT_FOUND)).failing_since == START + DAY
    assert history((DAY, TIMEOUT), (2 * DAY, OK)).failing_since is None


DUE = [
    ([(0 * DAY, OK)], 7 * DAY, 14 * DAY),
    ([(0 * DAY, TIMEOUT)], HOUR, 2 * HOUR),
    ([(0 * DAY, TIMEOUT), (DAY, TIMEOUT)], DAY, 2 * DAY),
    ([(0 * DAY, TIMEOUT), (HOUR, TIMEOUT), (DAY, TIMEOUT)], 3 * DAY, 5 * DAY),
    # Its next check could call it dead: the longest usual outage is waited out, 21 days from the first.
    ([(0 * DAY, TIMEOUT), (DAY, TIMEOUT), (4 * DAY, TIMEOUT)], 17 * DAY, 20 * DAY),
    ([(0 * DAY, TIMEOUT), (7 * DAY, TIMEOUT)], 14 * DAY, 17 * DAY),
    # What is hard or soft is confirmed as soon as its span is over.
    ([(0 * DAY, NOT_FOUND), (2 * HOUR, NOT_FOUND)], 22 * HOUR, 25 * HOUR),
    ([(0 * DAY, TIMEOUT), (DAY, TIMEOUT), (4 * DAY, TIMEOUT), (5 * DAY, NOT_FOUND)], DAY, 27 * HOUR),
    ([(0 * DAY, NOT_FOUND), (2 * HOUR, TIMEOUT)], 22 * HOUR, 25 * HOUR),
    ([(0 * DAY, NOT_FOUND), (2 * DAY, TIMEOUT)], DAY, DAY),
    ([(0 * DAY, Verdict.SOFT_404), (DAY, Verdict.SOFT_404), (5 * DAY, Verdict.SOFT_404)], DAY, 2 * DAY),
    ([(0 * DAY, NOT_FOUND), (2 * DAY, NOT_FOUND)], 30 * DAY, 60 * DAY),
    ([(0 * DAY, Verdict.FORBIDDEN)], DAY, 2 * DAY),
]


@pytest.mark.parametrize(("checks", "least", "most"), DUE)
def test_when_it_is_due_again(
    checks: list[tuple[timedelta, Verdict]], least: timedelta, most: timedelta
) -> None:
    """Each class and state has its own time, spread over once to twice itself."""
    due = history(*checks).next_due

    assert due is not None
    assert least <= due - (START + checks[-1][0]) <= most


NAMED = [
    (Verdict.RATE_LIMITED, 2 * HOUR, 2 * HOUR),
    (Verdict.RATE_LIMITED, 7 * DAY, 7 * DAY),
    (Verdict.RATE_LIMITED, 9999 * DAY, 30 * DAY),
    (Verdict.UNAVAILABLE, 7 * DAY, 7 * DAY),
    (Verdict.NOT_REACHED, 3 * HOUR, 3 * HOUR),
]


@pytest.mark.parametrize(("verdict", "named", "due"), NAMED)
def test_a_named_time_is_kept(verdict: Verdict, named: timedelta, due: timedelta) -> None:
    """A target is due at the end of its Retry-After, but no server can have itself forgotten."""
    finding = Finding(1, "http://a.example/", verdict, START, retry_at=START + named)

    assert advance(Standing(), finding, StateThresholds(), RevisitIntervals()).next_due == START + due


def test_a_ladder_without_steps() -> None:
    """Where `failing` is empty, a failure is asked again like what refused to tell."""
    finding = Finding(1, "http://a.example/", TIMEOUT, START)
    after = advance(Standing(), finding, StateThresholds(), RevisitIntervals(failing=(), splay=0))

    assert after.next_due == START + DAY


def test_without_an_outage_to_wait_out_the_ladder_decides() -> None:
    """Where `outage` is nothing, a transient failure climbs the steps of `failing` alone."""
    intervals = RevisitIntervals(splay=0, outage=timedelta())
    standing = Standing()
    for day in (0, 1, 5):
        finding = Finding(1, "http://a.example/", TIMEOUT, START + day * DAY)
        standing = advance(standing, finding, StateThresholds(), intervals)

    assert standing.next_due == START + 8 * DAY


def test_what_was_not_checked_stays_due() -> None:
    """A target that a run did not reach, or that crashed us, is due at once."""
    assert history((0 * DAY, Verdict.NOT_REACHED)).next_due is None
    assert history((0 * DAY, Verdict.CRASHED)).checked_at is None


FLAPPING = [
    ([3, OK], State.SUSPECT),
    ([3, OK, 4, OK], State.ALIVE),
    ([3, OK, 4, NOT_FOUND, 5, OK], State.SUSPECT),
    ([3, OK, 3.5, Verdict.FORBIDDEN, 4, OK], State.ALIVE),
    ([33, OK], State.ALIVE),
    ([3, NOT_FOUND, 5, OK], State.DEAD),
    ([3, NOT_FOUND, 5, OK, 6, OK], State.ALIVE),
]


@pytest.mark.parametrize(("then", "state"), FLAPPING)
def test_flapping_needs_two_good_checks(then: list[Any], state: State) -> None:
    """After three changes in 30 days, one good check ends the failures, and two make it alive."""
    flaps = [(0 * DAY, OK), (1 * DAY, NOT_FOUND), (1.5 * DAY, OK), (2 * DAY, NOT_FOUND)]
    after = history(*flaps, *((days * DAY, verdict) for days, verdict in batched(then)))

    assert after.state is state
    assert (after.failures == 0) is (then[-1] is OK)


def batched(values: list[Any]) -> list[tuple[float, Verdict]]:
    """Days and verdicts in pairs."""
    return list(zip(values[::2], values[1::2], strict=True))


def test_one_failure_is_no_flapping() -> None:
    """Down and up again is two changes: one good check is enough."""
    assert history((0 * DAY, OK), (DAY, NOT_FOUND), (2 * DAY, OK)).state is State.ALIVE
    assert (
        history((0 * DAY, NOT_FOUND), (DAY, OK), (2 * DAY, NOT_FOUND), (2.5 * DAY, OK)).state is State.ALIVE
    )


def test_half_proven_target_is_asked_soon() -> None:
    """A flapping target with one good check is asked again within hours, not in a week."""
    flaps = [(0 * DAY, OK), (1 * DAY, NOT_FOUND), (1.5 * DAY, OK), (2 * DAY, NOT_FOUND), (3 * DAY, OK)]
    due = history(*flaps).next_due

    assert due is not None
    assert HOUR <= due - (START + 3 * DAY) <= 2 * HOUR
