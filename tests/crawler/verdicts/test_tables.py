"""The tables of judgement."""

from __future__ import annotations

import pytest

from crawler import errors
from crawler.verdicts.bot_walls import walled
from crawler.verdicts.tables import VERDICT_OF_ERROR, of_chain, of_error, of_status
from storage.model import Redirect, Verdict

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
    (418, "bot-blocked"),
    (420, "rate-limited"),
    (421, "client-error"),
    (425, "unavailable"),
    (426, "client-error"),
    (429, "rate-limited"),
    (431, "client-error"),
    (451, "legal-block"),
    (499, "client-error"),
    (500, "unavailable"),
    (501, "server-error"),
    (502, "unavailable"),
    (503, "unavailable"),
    (504, "unavailable"),
    (505, "server-error"),
    (507, "server-error"),
    (509, "unavailable"),
    (510, "server-error"),
    (511, "auth-required"),
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

    # Two are raised themselves although a narrower error stands below each.
    kinds |= {errors.BadResponse, errors.LocalFault}
    assert kinds == set(VERDICT_OF_ERROR)
    assert all(of_error(kind("why")) is VERDICT_OF_ERROR[kind] for kind in kinds)


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
