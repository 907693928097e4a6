"""Retry-After: how long a server asks to be left alone (RFC 9110, 10.2.3)."""

from __future__ import annotations

import time
from collections.abc import Callable

from crawler.fetch.base import Response
from crawler.fetch.headers.rate_limit import quota_wait
from crawler.fetch.headers.times import bounded_wait, http_date, wait_seconds, whole_number


def retry_after(value: str, now: float) -> float | None:
    """Seconds that a Retry-After header asks to wait; None where it says nothing usable.

    `now` is a UTC time in seconds. RFC 9110, 10.2.3: a number of seconds, or an HTTP date. A
    date in the past asks for no wait, and a number as large as the time since 1970 is a time; signs,
    fractions and units are not understood.
    """
    number = whole_number(value) if value.strip().isdigit() else None
    if number is not None:
        return wait_seconds(number, now)
    date = http_date(value)
    return None if date is None else bounded_wait(date.timestamp() - now)


def requested_wait(answer: Response, clock: Callable[[], float] = time.time) -> float | None:
    """Seconds that an answer asks to wait, by Retry-After or by a quota that is used up.

    Both are measured by the server's own clock where it says what that shows, else by `clock`.
    """
    now = _server_time(answer, clock)
    value = answer.headers.get("Retry-After")
    waits = (None if value is None else retry_after(value, now), quota_wait(answer.headers, now))
    return max((wait for wait in waits if wait is not None), default=None)


def _server_time(answer: Response, clock: Callable[[], float]) -> float:
    date = http_date(answer.headers.get("Date"))
    return clock() if date is None else date.timestamp()
