"""How long a kept image is fresh: RFC 9111, 4.2, with our least and most."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from crawler.staleness import Shelf, directives, stale_at
from storage.model import Cached, Picture, Served, Size

NOW = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
DATE = "Mon, 23 Nov 2026 04:00:00 GMT"
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
SIZE = Size(1, 2)


def fresh_for(headers: dict[str, str], least: timedelta = timedelta(0)) -> timedelta:
    """How long an answer that came just now is fresh."""
    entry = Cached(1, Picture(SIZE, SIZE, "PNG"), Served("u", **headers), "pixels", NOW, NOW)
    return stale_at(entry, Shelf(least, 30 * DAY)) - NOW


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, 0),
        ({"cache_control": "max-age=60"}, 60),
        ({"cache_control": 'public, Max-Age="60"'}, 60),
        ({"cache_control": "max-age=60, s-maxage=10"}, 10),
        ({"cache_control": "max-age=60, max-age=90"}, 60),
        ({"cache_control": "max-age=60", "age": "50"}, 10),
        ({"cache_control": "max-age=60", "age": "70"}, 0),
        ({"cache_control": "max-age=60", "age": "old"}, 60),
        ({"cache_control": "max-age=60", "date": "Mon, 23 Nov 2026 03:59:20 GMT"}, 20),
        ({"cache_control": "max-age=60", "date": "Mon, 23 Nov 2026 05:00:00 GMT"}, 60),
        ({"cache_control": "max-age=60", "expires": DATE, "date": DATE}, 60),
        ({"expires": "Mon, 23 Nov 2026 04:02:00 GMT", "date": DATE}, 120),
        ({"expires": "0", "date": DATE}, 0),
        ({"expires": "Mon, 23 Nov 2026 04:02:00 GMT"}, 0),
        ({"expires": "Mon, 23 Nov 2026 03:00:00 GMT", "date": DATE}, 0),
        ({"cache_control": "max-age=-5"}, 0),
        ({"cache_control": "max-age=99999999999999999999"}, 30 * 86_400),
        ({"cache_control": "no-cache, max-age=60"}, 0),
        ({"cache_control": "no-store, max-age=60"}, 0),
        ({"cache_control": 'private="x", max-age=60'}, 0),
        ({"cache_control": "max-age=60", "vary": "*"}, 0),
        ({"cache_control": "max-age=60", "vary": "Accept"}, 60),
        ({"last_modified": "Mon, 23 Nov 2020 04:00:00 GMT", "date": DATE}, 0),
    ],
)
def test_server_says_how_long(headers: dict[str, str], expected: int) -> None:
    """What each header means, and which of them goes before the others."""
    assert fresh_for(headers) == timedelta(seconds=expected)


def test_least_and_most_hold() -> None:
    """The configuration has the last word on both ends."""
    assert fresh_for({}, HOUR) == HOUR
    assert fresh_for({"cache_control": "no-store"}, HOUR) == HOUR
    assert fresh_for({"cache_control": "max-age=31536000"}, HOUR) == 30 * DAY


def test_directives_are_read_as_written() -> None:
    """Names without regard to case, values quoted or not."""
    assert directives('Public, MAX-AGE = 5 , x="a, b"') == {"public": "", "max-age": "5", "x": "a, b"}
