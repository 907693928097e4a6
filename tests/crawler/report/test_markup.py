"""Which URLs become links: one answer for the report and for the dashboard."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from crawler.dashboard import filters
from crawler.report import markup

BASE = "https://a.example/"


@pytest.mark.parametrize(
    ("url", "link"),
    [
        (BASE, True),
        ("HTTP://a.example/", True),
        (f"{BASE}{'x' * 2000}", True),
        (f"{BASE}\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645", True),
        (f"{BASE}\u0378", True),
        (f"{BASE}\u202ehtml.exe", False),
        (f"{BASE}\u00ad", False),
        (f"{BASE}\n", False),
        (f"{BASE}\ud800", False),
        (f"{BASE}\ue000", False),
        ("javascript:alert(1)", False),
        ("ftp://a.example/", False),
        ("https://", False),
        ("http://[", False),
        ("", False),
    ],
)
def test_a_url_is_a_link_where_its_text_is_where_it_leads(url: str, *, link: bool) -> None:
    """Hidden and turning letters make text of it; length and letters of any script do not."""
    assert markup.is_web(url) is link
    assert ("<a " in markup.external(url)) is link


def test_the_dashboard_formats_as_the_report_does() -> None:
    """The filters of its templates are those of the report."""
    filter_table = filters.environment().filters

    assert filter_table["external"] is markup.external
    assert filter_table["moment"] is markup.time_element
    assert filter_table["number"] is markup.grouped_number


def test_a_time_is_written_for_people_and_for_machines() -> None:
    """Both in UTC; a dash where there is none."""
    at = datetime(2026, 11, 30, 4, 5, 6, tzinfo=UTC)

    assert markup.time_element(at) == '<time datetime="2026-11-30T04:05:06Z">2026-11-30 04:05 UTC</time>'
    assert markup.time_element(None) == "-"
    assert markup.grouped_number(1234567) == "1,234,567"
