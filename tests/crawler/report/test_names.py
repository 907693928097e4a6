"""The names that the command line offers are those of the tables behind it."""

from __future__ import annotations

from crawler.report.base import REPORTS
from crawler.report.names import DIFF_FORMATS, REPORT_FORMATS, SORT_NAMES, VIEW_NAMES
from crawler.report.selection import SORT_KEYS
from crawler.report.views import VIEWS
from crawler.report.views.diff import DIFFS


def test_names_are_those_of_the_tables() -> None:
    """In the same order, which is that of the help."""
    assert tuple(REPORTS) == REPORT_FORMATS
    assert tuple(VIEWS) == VIEW_NAMES
    assert tuple(SORT_KEYS) == SORT_NAMES
    assert tuple(DIFFS) == DIFF_FORMATS
