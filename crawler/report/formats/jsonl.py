"""JSON lines: one target a line."""

from __future__ import annotations

from collections.abc import Iterator

from crawler.report.base import Summary
from crawler.report.escape import json
from crawler.report.target_json import line


def report(summary: Summary) -> Iterator[str]:
    """A line for each target, streamed."""
    for entry in summary.entries():
        yield json(line(entry)) + "\n"
