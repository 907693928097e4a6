"""The classes of a status, told once."""

from __future__ import annotations

import pytest

from crawler.fetch.base import Request, Response, is_success


@pytest.mark.parametrize(
    ("status", "ok", "redirect"),
    [
        (199, False, False),
        (200, True, False),
        (299, True, False),
        (300, False, True),
        (399, False, True),
        (400, False, False),
        (999, False, False),
    ],
)
def test_a_status_is_of_one_class(status: int, ok: bool, redirect: bool) -> None:  # noqa: FBT001
    """The class of a status is told by its first digit."""
    response = Response("https://a.example/", status)

    assert (response.ok, response.is_redirect, is_success(status)) == (ok, redirect, ok)


def test_every_request_has_a_trace_and_a_state_of_its_own() -> None:
    """Nothing of one visit is seen by another."""
    requests = [Request("https://a.example/"), Request("https://a.example/")]

    assert requests[0].trace is not requests[1].trace
    assert requests[0].trace.state is not requests[1].trace.state
