"""What was put off since a host asked to come back later: one sentence a host."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from crawler.report.escape import printable
from crawler.urls import host_of


def postponed_lines(targets: Iterable[tuple[str, str]]) -> list[str]:
    """One line a host, for the URLs of targets that were put off, each with its reason."""
    counts: Counter[str] = Counter()
    reasons: dict[str, str] = {}
    for url, reason in targets:
        host = host_of(url)
        counts[host] += 1
        reasons[host] = reason
    return [
        f"{count:,} {'target' if count == 1 else 'targets'} of {printable(host)} {printable(reasons[host])}"
        for host, count in counts.items()
    ]
