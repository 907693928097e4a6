"""The tables of judgement."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from crawler import errors
from crawler.verdict import (
    ERRORS,
    Evidence,
    Freshness,
    advance,
    of_chain,
    of_error,
    of_status,
    walled,
)
from storage.model import Finding, Redirect, Standing, State, Verdict

START = datetime(2026, 1, 1, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)

STATUSES = [
    (200, "ok"),
    (204, "ok"),
    (299, "ok"),
    (300, "bad-redirect"),
    (304, "bad-redirect"),
    (400, "client-error"),
    (401, "auth-required"),
    (402, "auth-required"),
    (403, "forbidden"),
    (404, "not-found"),
    (405, "client-error"),
    (407, "auth-required"),
    (408, "unavailable"),
    (410, "gone"),
    (418, "client-error"),
    (420, "rate-limited"),
    (425, "unavailable"),
    (429, "rate-limited"),
    (451, "legal-block"),
    (499, "client-error"),
    (500, "unavailable"),
    (501, "server-error"),
    (502, "unavailable"),
    (503, "unavailable"),
    (504, "unavailable"),
    (505, "server-error"),
    (519, "server-error"),
    (520, "unavailable"),
    (527, "unavailable"),
    (528, "server-error"),
    (529, "unavailable"),
    (530, "unavailable"),
    (599, "server-error"),
    (999, "bot-blocked"),
    (600, "bad-response"),
    (101, "bad-response"),
]


@pytest.mark.parametrize(("status", "verdict"), STATUSES)
def test_status_to_verdict(status: int, verdict: str) -> None:
    """Each status has the verdict that the contract gives it."""
    assert of_status(status) == verdict


def leaves(kind: type[errors.CrawlerError]) -> list[type[errors.CrawlerError]]:
    """The kinds below a kind of error that have none below them."""
    below = [leaf for sub in kind.__subclasses__() for leaf in leaves(sub)]
    return below or [kind]


def test_every_failure_has_a_verdict() -> None:
    """No leaf of the error tree of fetching and URLs is without its row in the table."""
    kinds = {*leaves(errors.FetchError), *leaves(errors.UrlError)}

    assert kinds == set(ERRORS)
    assert all(of_error(kind("why")) is ERRORS[kind] for kind in kinds)


def test_an_unforeseen_error_is_a_crash() -> None:
    """A kind of error that no table names is a defect of this program."""
    assert of_error(errors.LaneClosed("why")) is Verdict.CRASHED


@pytest.mark.parametrize("status", [202, 403, 405, 406, 429, 503])
@pytest.mark.parametrize("name", ["cf-mitigated", "x-datadome", "x-amzn-waf-action"])
def test_marks_of_a_wall(status: int, name: str) -> None:
    """A wall is known by its header or its page, at the statuses where walls stand."""
    assert walled(status, {name: "challenge"}, b"") == f"header {name}"
    assert walled(status, {}, b"<title>Just a moment...</title>") is not None
    assert walled(status, {}, b"<title>Forbidden</title>") is None
    assert walled(404, {name: "challenge"}, b"") is None


def test_the_chain_has_the_word_on_what_is_fine() -> None:
    """Permanent first is moved, temporary first is redirected, none is ok."""
    chain = [Redirect("http://a.example/", 301)]

    assert of_chain([], None) is Verdict.OK
    assert of_chain(chain, "http://b.example/") is Verdict.MOVED
    assert of_chain(chain, None) is Verdict.REDIRECTED


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


def test_a_named_time_is_not_undercut() -> None:
    """Retry-After of a week makes the target due in a week."""
    week = START + 7 * DAY
    finding = Finding(1, "http://a.example/", Verdict.RATE_LIMITED, START, retry_at=week)

    assert advance(Standing(), finding, Evidence(), Freshness()).next_due == week


def test_what_was_not_checked_stays_due() -> None:
    """A target that a run did not reach, or that crashed us, is due at once."""
    assert history((0 * DAY, Verdict.NOT_REACHED)).next_due is None
    assert history((0 * DAY, Verdict.CRASHED)).checked_at is None
