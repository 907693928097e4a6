"""The names of formats, views and orders, for a command line that is only asked for its help."""

from __future__ import annotations

from typing import Final

REPORT_FORMATS: Final = (
    "table",
    "json",
    "jsonl",
    "csv",
    "junit",
    "sarif",
    "github",
    "markdown",
    "html",
    "prometheus",
)
VIEW_NAMES: Final = ("record", "host", "verdict", "kind")
SORT_NAMES: Final = ("severity", "url", "host", "record", "checked", "due", "failing")
DIFF_FORMATS: Final = ("table", "json", "jsonl")
