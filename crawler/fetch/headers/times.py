"""Numbers and dates of a server, bounded where they are read. Pure.

A server may write a number of any length, a time in another unit, and a date of any year. None of it
may raise, and none may become a time that a calendar, a database or a timer refuses.
"""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

MAX_WAIT_SECONDS: Final = 100 * 366 * 86_400.0  # a century: whatever is longer counts as this
MAX_NUMBER_DIGITS: Final = 24  # a longer number is larger than any that means something
MAX_DATE_CHARACTERS: Final = 64
EPOCH_SECONDS: Final = (10**9, 10**11)  # times since 1970 lie in it: from the year 2001 to 5138
UNITS_PER_SECOND: Final = (1, 10**3, 10**6, 10**9)  # in which servers count the time since 1970


def whole_number(text: str | None) -> int | None:
    """Read a number of ASCII digits; a fraction is cut off, and an endless number is a very large one."""
    digits = (text or "").strip().partition(".")[0]
    if not digits.isascii() or not digits.isdigit():
        return None
    digits = digits.lstrip("0") or "0"
    return int(digits) if len(digits) <= MAX_NUMBER_DIGITS else 10**MAX_NUMBER_DIGITS


def http_date(text: str | None) -> datetime | None:
    """Read an HTTP date; all are in UTC, the form of asctime too, which names no zone (RFC 9110, 5.6.7)."""
    if text is None or len(text) > MAX_DATE_CHARACTERS:
        return None
    try:
        date = parsedate_to_datetime(text)
        return (date if date.tzinfo else date.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def wait_seconds(number: float, now: float) -> float:
    """Return the seconds that a number asks to wait: a delay, or the time since 1970 in any usual unit.

    `now` is a UTC time in seconds. No delay is as long as the time since 1970.
    """
    if number < EPOCH_SECONDS[0]:
        return bounded_wait(number)
    for unit in UNITS_PER_SECOND:
        if EPOCH_SECONDS[0] <= number / unit < EPOCH_SECONDS[1]:
            return bounded_wait(number / unit - now)
    return MAX_WAIT_SECONDS


def bounded_wait(seconds: float) -> float:
    """Return a wait that is neither in the past nor longer than any that makes sense."""
    return min(max(0.0, seconds), MAX_WAIT_SECONDS)
