"""Reports: one file a format, each `Summary -> pieces of text`. They see what is stored, no more."""

from crawler.report.base import REPORTS, Selection, Summary, summarise

__all__ = ["REPORTS", "Selection", "Summary", "summarise"]
