"""How long a kept image is fresh: RFC 9111, 4.2, with our least and most."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from crawler.fetch.headers.freshness import FreshnessBounds, cache_directives_of, stale_at
from storage.model import CachedImage, Picture, ServedHeaders, Size

NOW = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
DATE = "Mon, 23 Nov 2026 04:00:00 GMT"
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
SIZE = Size(1, 2)


def fresh_for(headers: dict[str, str], least: timedelta = timedelta(0)) -> timedelta:
    """How long an answer that came just now is fresh."""
    entry = CachedImage(1, Picture(SIZE, SIZE, "PNG"), ServedHeaders("u", **headers), "pixels", NOW, NOW)
    return stale_at(entry, FreshnessBounds(least, 30 * DAY)) - NOW


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
        ({"last_modified": "Mon, 23 Nov 2020 04:00:00 GMT", "date": DATE}, 86_400),
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
    assert cache_directives_of('Public, MAX-AGE = 5 , x="a, b"') == {
        "public": "",
        "max-age": "5",
        "x": "a, b",
    }


def entry_of(stored: timedelta, **headers: str) -> CachedImage:
    """An image that was stored some time ago, and confirmed just now."""
    picture = Picture(SIZE, SIZE, "PNG")
    return CachedImage(1, picture, ServedHeaders("u", **headers), "pixels", NOW - stored, NOW)


@pytest.mark.parametrize(
    ("stored", "headers", "expected"),
    [
        (timedelta(0), {"last_modified": "Mon, 23 Nov 2026 02:00:00 GMT"}, 720),
        (timedelta(0), {"last_modified": "Sat, 01 Jan 2000 00:00:00 GMT"}, 86_400),
        (timedelta(0), {"last_modified": "Mon, 23 Nov 2037 02:00:00 GMT"}, 0),
        (10 * HOUR, {}, 3600),
        (90 * DAY, {}, 86_400),
        (-DAY, {}, 0),
        (90 * DAY, {"cache_control": "no-cache"}, 0),
        (90 * DAY, {"cache_control": "public, no-store"}, 0),
        (90 * DAY, {"cache_control": "max-age=0"}, 0),
        (90 * DAY, {"cache_control": "public"}, 86_400),
        (90 * DAY, {"expires": "0"}, 0),
        (90 * DAY, {"vary": "Accept, *"}, 0),
        (90 * DAY, {"vary": "Accept"}, 86_400),
    ],
)
def test_what_says_nothing_is_fresh_for_a_tenth_of_its_age(
    stored: timedelta, headers: dict[str, str], expected: int
) -> None:
    """RFC 9111, 4.2.2: at most a day, and never against what an answer says."""
    fresh = stale_at(entry_of(stored, **headers), FreshnessBounds(timedelta(0), 30 * DAY)) - NOW
    assert fresh == timedelta(seconds=expected)


def test_of_several_ages_the_first_counts() -> None:
    """RFC 9111, 5.1."""
    assert fresh_for({"cache_control": "max-age=60", "age": "50, 10"}) == timedelta(seconds=10)
