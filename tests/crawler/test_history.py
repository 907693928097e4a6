"""What histories say, and when to check again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from crawler.history import Evidence, Freshness, advance
from storage.model import Finding, Standing, State, Verdict

START = datetime(2026, 1, 1, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def history(*checks: tuple[timedelta, Verdict]) -> Standing:
    """What the history says after these checks."""
    standing = Standing()
    for after, verdict in checks:
        finding = Finding(1, "http://a.example/", verdict, START + after)
        standing = advance(standing, finding, Evidence(), Freshness())
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
    ([(0 * DAY, Verdict.FORBIDDEN)], State.NEW),
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
    ([(0 * DAY, TIMEOUT), (DAY, TIMEOUT), (2 * DAY, TIMEOUT)], 3 * DAY, 6 * DAY),
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

    assert advance(Standing(), finding, Evidence(), Freshness()).next_due == START + due


def test_a_ladder_without_steps() -> None:
    """Where `failing` is empty, a failure is asked again like what refused to tell."""
    finding = Finding(1, "http://a.example/", TIMEOUT, START)
    after = advance(Standing(), finding, Evidence(), Freshness(failing=(), splay=0))

    assert after.next_due == START + DAY


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
