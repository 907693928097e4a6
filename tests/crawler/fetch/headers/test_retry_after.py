"""Retry-After: what HTTP libraries' own tests expect of it, and where this program differs."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.fetch.headers.retry_after import retry_after
from crawler.fetch.headers.times import MAX_WAIT_SECONDS

pytestmark = pytest.mark.libraries

NOW: Final = datetime(2019, 6, 3, 11, 0, tzinfo=UTC).timestamp()
UNUSABLE: Final = {"InvalidHeader", "not retried, link broken"}
# Value -> what we make of it, and why it is not what its source makes of it.
DEVIATIONS: Final[dict[str, tuple[float | None, str]]] = {
    "21601 (= DEFAULT_RETRY_AFTER_MAX 21600 + 1)": (None, "a description; the number is tried on its own"),
    "3 then 9 from same host": (None, "a description of two answers, no header value"),
    "3s": (None, "RFC 9110 knows no units: the back-off decides"),
    "1m1s": (None, "RFC 9110 knows no units: the back-off decides"),
    "1970-01-01T00:00:10.000Z": (None, "RFC 9110 knows no ISO 8601: the back-off decides"),
}


def _vectors(corpus: Path) -> Iterator[tuple[str, float, object]]:
    """Value, the time of its arrival, and what its source expects."""
    for row in json.loads((corpus / "vectors" / "retry_after.json").read_text()):
        if row["value"] is not None:
            now = datetime.fromisoformat(row["now"]).timestamp() if "now" in row else NOW
            yield row["value"], now, row["expect"]


def _expected(value: str, published: object) -> float | None:
    if value in DEVIATIONS:
        return DEVIATIONS[value][0]
    if published in UNUSABLE:
        return None
    if published == "no sleep":
        return 0.0
    assert isinstance(published, int), f"{value!r}: nobody says what {published!r} means here"
    return float(published)


@pytest.fixture(params=["UTC", "Asia/Jerusalem", "America/New_York"])
def _zone(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A machine that stands elsewhere."""
    monkeypatch.setenv("TZ", request.param)
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("_zone")
def test_values_of_other_libraries(corpus: Path) -> None:
    """Every published value is understood as published, but for the deviations that have a name."""
    vectors = list(_vectors(corpus))
    found = {value: retry_after(value, now) for value, now, _ in vectors}

    assert found == {value: _expected(value, published) for value, _, published in vectors}
    assert DEVIATIONS.keys() <= found.keys()
    assert len(found) >= 19


@pytest.mark.usefixtures("_zone")
@pytest.mark.parametrize(
    "date",
    [
        "Mon, 03 Jun 2019 11:30:12 GMT",
        "Monday, 03-Jun-19 11:30:12 GMT",
        "Mon Jun  3 11:30:12 2019",
        "Mon, 03 Jun 2019 11:30:12 -0000",
    ],
)
def test_dates_are_utc_wherever_this_machine_stands(date: str) -> None:
    """All forms of a date that RFC 9110 names mean the same moment, with and without a zone."""
    assert retry_after(date, NOW) == 1812


@pytest.mark.parametrize(
    ("value", "wait"),
    [
        ("21601", 21601),
        ("9" * 400, MAX_WAIT_SECONDS),
        ("9" * 60_000, MAX_WAIT_SECONDS),
        ("999999999", 999_999_999),
        (f"{int(NOW) + 90}", 90),
        (f"{int(NOW) + 90}000", 90),
        ("Fri, 31 Dec 9999 23:59:59 GMT", MAX_WAIT_SECONDS),
        ("Mon, 01 Jan 0001 00:00:00 GMT", 0),
        ("Mon, 03 Jun 2019 11:00:00 +" + "9" * 5000, None),
        ("Mon, 03 Jun 2019 10:59:59 GMT", 0),
        ("Thu, 01 Jan 1970 00:00:00 GMT", 0),
        ("", None),
        ("  ", None),
        ("1e5", None),
        ("0.5", None),
        ("nan", None),
        ("infinity", None),
        ("٣", None),
        ("1 2 3", None),
        ("\x00", None),
        ("3600, 7200", None),
        ("Mon, 32 Jun 2019 11:00:00 GMT", None),
        ("Mon, 03 Jun 99999 11:00:00 GMT", None),
        ("Mon, 03 Jun 2019 11:00:00 +9999999", None),
    ],
)
def test_odd_values(value: str, wait: float | None) -> None:
    """A long number stays finite, what is past asks for no wait, and nonsense for nothing."""
    assert retry_after(value, NOW) == wait


@given(st.text(max_size=60))
def test_no_text_is_too_odd(value: str) -> None:
    """Whatever a server sends, there comes a finite wait of 0 or more, or nothing."""
    wait = retry_after(value, NOW)
    assert wait is None or 0 <= wait < float("inf")


@given(st.datetimes(datetime(1900, 1, 1), datetime(9999, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001 - bounds
def test_every_date_is_read_back(date: datetime) -> None:
    """A date that a server writes is the moment that it means, to the second."""
    date = date.replace(microsecond=0)
    wait = retry_after(format_datetime(date, usegmt=True), NOW)
    assert wait == min(max(0.0, date.timestamp() - NOW), MAX_WAIT_SECONDS)
