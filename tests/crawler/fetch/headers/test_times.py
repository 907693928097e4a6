"""Numbers and dates of servers: none of any length or year raises, or becomes a time that cannot be."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import Final

import pytest
from multidict import CIMultiDict

from crawler.fetch.base import Response
from crawler.fetch.headers.freshness import FreshnessBounds, lifetime, stale_at
from crawler.fetch.headers.retry_after import requested_wait
from crawler.fetch.headers.times import MAX_WAIT_SECONDS, http_date, wait_seconds, whole_number
from storage.model import CachedImage, Picture, ServedHeaders, Size

NOW: Final = 1_796_000_000.0
FIELDS: Final = (
    "Retry-After",
    "Date",
    "Age",
    "Expires",
    "Cache-Control",
    "RateLimit",
    "RateLimit-Remaining",
    "RateLimit-Reset",
    "X-RateLimit-Remaining",
    "X-RateLimit-Reset",
)


@pytest.mark.parametrize(
    ("text", "number"),
    [("0", 0), (" 17 ", 17), ("007", 7), ("3.9", 3), ("9" * 50_000, 10**24), ("0" * 50_000 + "5", 5)],
)
def test_a_number_of_any_length_is_one(text: str, number: int) -> None:
    """Python refuses to read thousands of digits; what they say is that it is a lot."""
    assert whole_number(text) == number


@pytest.mark.parametrize("text", [None, "", "-1", "+1", "1e5", "0x10", "\u0663", "1 2", "NaN", "."])
def test_what_is_no_number_is_none(text: str | None) -> None:
    """A sign, an exponent and other digits are not of the grammar."""
    assert whole_number(text) is None


@pytest.mark.parametrize("unit", [1, 10**3, 10**6, 10**9])
def test_times_since_1970_are_known_by_their_size(unit: int) -> None:
    """Seconds, milliseconds, microseconds and nanoseconds of the same moment are the same wait."""
    assert wait_seconds((NOW + 30) * unit, NOW) == pytest.approx(30)
    assert wait_seconds((NOW - 30) * unit, NOW) == 0


def test_a_date_of_any_year_is_none_or_in_utc() -> None:
    """A zone that leads out of the calendar is no date."""
    assert http_date("Fri, 31 Dec 9999 23:59:59 -1400") is None
    assert http_date("Mon, 30 Nov 2026 10:00:00 +0200") == datetime(2026, 11, 30, 8, tzinfo=UTC)


def _values(chance: random.Random) -> str:
    digits = "".join(chance.choices("0123456789", k=chance.choice((1, 3, 10, 13, 16, 19, 40, 5000))))
    day, year = chance.randint(-1, 40), chance.choice((0, 1, 1970, 2026, 9999, 10_000, int(digits[:9])))
    return chance.choice(
        (
            digits,
            f"-{digits}",
            f"{digits}.{digits}",
            f"Mon, {day:02} Nov {year} 23:59:60 {chance.choice(('GMT', '+1400', '-9999', digits[:40]))}",
            f"max-age={digits}, s-maxage={digits}",
            f'"d";r=0;t={digits}',
            f"limit=1, remaining=0, reset={digits}",
            "0",
            "\x00\xff" * 9,
        )
    )


def test_no_answer_asks_for_a_wait_that_cannot_be() -> None:
    """Whatever a server writes into any of these: a wait within its bounds, or none."""
    chance = random.Random(20261130)
    bounds = FreshnessBounds(timedelta(hours=1), timedelta(days=90))
    at = datetime.fromtimestamp(NOW, UTC)
    for _ in range(4000):
        headers = CIMultiDict((name, _values(chance)) for name in chance.sample(FIELDS, 5))
        wait = requested_wait(Response("https://a.example/", 429, headers), lambda: NOW)
        served = ServedHeaders(
            "https://a.example/",
            cache_control=headers.get("Cache-Control"),
            expires=headers.get("Expires"),
            age=headers.get("Age"),
            date=headers.get("Date"),
        )

        assert wait is None or 0 <= wait <= MAX_WAIT_SECONDS
        assert lifetime(served) <= timedelta(days=4_000_000)
        entry = CachedImage(1, Picture(Size(1, 1), Size(1, 1), "PNG"), served, "pixels", at, at)
        assert bounds.least <= stale_at(entry, bounds) - at <= bounds.most
