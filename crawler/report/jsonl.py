"""JSON lines: one target a line."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from crawler.report.base import Summary
from crawler.report.line import line


def report(summary: Summary) -> Iterator[str]:
    """A line for each target, streamed."""
    encoder = msgspec.json.Encoder()
    for entry in summary.entries():
        yield encoder.encode(line(entry)).decode() + "\n"
