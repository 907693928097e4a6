"""Which responses put a host off, for how long, and what they speak for."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from crawler.fetch.base import Request, Response
from crawler.fetch.middleware.host_delays import HostDelays

A = "http://site.example/a"
B = "http://site.example/b"


class Delays:
    """Delays on a clock that is moved by hand."""

    def __init__(self) -> None:
        self.now = 0.0
        self.delays = HostDelays(60.0, lambda: 1_800_000_000.0 + self.now, lambda: self.now)

    def note(self, status: int, headers: Mapping[str, str], url: str = A, method: str = "GET") -> None:
        """One response."""
        self.delays.note(Request(url, method), Response(url, status, headers))

    def of(self, url: str = B) -> tuple[float, bool] | None:
        """Until when a host rests, and whether that is too long for a run."""
        delay = self.delays.of(url)
        return None if delay is None else (delay.until, delay.postponed is not None)


@pytest.mark.parametrize(
    ("status", "headers", "delay"),
    [
        (429, {"Retry-After": "30"}, (30.0, False)),
        (420, {"Retry-After": "61"}, (61.0, True)),
        (429, {"Retry-After": "0"}, None),
        (429, {}, None),
        (200, {"Retry-After": "30"}, None),
        (200, {"RateLimit": '"d";r=0;t=90'}, (90.0, True)),
        (200, {"RateLimit": '"d";r=5;t=90'}, None),
        (503, {"Retry-After": "90"}, None),
        (404, {"Retry-After": "90"}, None),
    ],
)
def test_one_response(status: int, headers: dict[str, str], delay: tuple[float, bool] | None) -> None:
    """Rate limits and quotas are of the host; anything else is of its page."""
    delays = Delays()
    delays.note(status, headers)

    assert delays.of() == delay
    assert delays.of("http://other.example/") is None


def test_two_pages_speak_for_their_host() -> None:
    """The same page twice is one; a second page counts only while the first still asks for a wait."""
    delays = Delays()
    delays.note(503, {"Retry-After": "90"})
    delays.note(503, {"Retry-After": "90"})
    assert delays.of() is None

    delays.now = 91.0
    delays.note(503, {"Retry-After": "90"}, B)
    assert delays.of() is None

    delays.note(503, {"Retry-After": "90"}, A)
    assert delays.of() == (181.0, True)


def test_a_delay_ends_and_is_never_shortened() -> None:
    """A shorter wait does not reset a longer one, and what is over is forgotten."""
    delays = Delays()
    delays.note(429, {"Retry-After": "50"})
    delays.note(429, {"Retry-After": "5"}, B)
    assert delays.of() == (50.0, False)

    delays.now = 50.0
    assert delays.of() is None


def test_head_puts_nothing_off_for_long() -> None:
    """HEAD is never evidence; but a short wait is obeyed, whatever asked for it."""
    delays = Delays()
    delays.note(429, {"Retry-After": "7200"}, method="HEAD")
    assert delays.of() is None

    delays.note(429, {"Retry-After": "20"}, method="HEAD")
    assert delays.of() == (20.0, False)
