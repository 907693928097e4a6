"""The tables of judgement."""

from __future__ import annotations

import pytest

from crawler import errors
from crawler.verdict import (
    ERRORS,
    of_chain,
    of_error,
    of_status,
    walled,
)
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
