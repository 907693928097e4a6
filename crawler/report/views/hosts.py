"""The findings by host: how much was asked, how fast, how long it waited, and what came of it."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from statistics import fmean, median
from typing import Final, TypeAlias

from rich.table import Table
from rich.text import Text

from crawler.report.base import Summary
from crawler.report.console import buffered_console, drain
from crawler.report.escape import printable
from crawler.report.formats.table import CLASS_STYLES
from storage.model import Finding, Verdict
from storage.queries.report import Entry


@dataclass(slots=True)
class HostRow:
    """What is known of one host: seconds for times, all of them of the newest check of a target.

    `waited` are the seconds of back-off and Retry-After.
    """

    name: str
    targets: int = 0
    requests: int = 0
    bytes: int = 0
    waited: float = 0.0
    times: list[float] = field(default_factory=list)
    first: datetime | None = None
    last: datetime | None = None
    verdicts: Counter[str] = field(default_factory=Counter)
    hazards: list[float] = field(default_factory=list)
    intervals: list[float] = field(default_factory=list)

    def add(self, entry: Entry) -> None:
        """Count one target."""
        self.targets += 1
        self.verdicts[entry.verdict.value] += 1
        if entry.finding is not None and entry.finding.requests:
            self._measure(entry.finding)
        if entry.finding is not None and entry.hazard is not None and entry.next_due is not None:
            self.hazards.append(entry.hazard)
            self.intervals.append((entry.next_due - entry.finding.checked_at) / timedelta(days=1))

    @property
    def hazard(self) -> float | None:
        """Deaths a year that a target of the host risks, on average."""
        return fmean(self.hazards) if self.hazards else None

    @property
    def interval(self) -> float | None:
        """Days between two checks of a target, the median."""
        return median(self.intervals) if self.intervals else None

    def _measure(self, finding: Finding) -> None:
        at = finding.checked_at
        self.requests += finding.requests
        self.bytes += finding.bytes
        self.waited += finding.evidence.waited
        self.times.append(finding.elapsed)
        self.first = at if self.first is None else min(self.first, at)
        self.last = at if self.last is None else max(self.last, at)

    @property
    def errors(self) -> int:
        """Targets that something is wrong with."""
        return sum(count for word, count in self.verdicts.items() if Verdict(word).cls.fails)

    @property
    def rate(self) -> float | None:
        """Requests a second from the first answer to the last; None for a single moment."""
        if self.first is None or self.last is None or self.first == self.last:
            return None
        return self.requests / (self.last - self.first).total_seconds()

    def quantile(self, share: float) -> float | None:
        """The time within which this share of the targets was checked, by the nearest rank."""
        times = sorted(self.times)
        return times[max(0, math.ceil(share * len(times)) - 1)] if times else None


def host_rows(summary: Summary) -> list[HostRow]:
    """The hosts of a report, those with the most errors first, then those with the most requests."""
    hosts: dict[str, HostRow] = {}
    for entry in summary.entries():
        name = host_of(entry.url)
        hosts.setdefault(name, HostRow(name)).add(entry)
    return sorted(hosts.values(), key=lambda host: (-host.errors, -host.requests, host.name))


def host_of(url: str) -> str:
    """The host of a URL as it is shown; the text itself where there is none."""
    authority = url.partition("://")[2].partition("/")[0].partition("?")[0]
    return authority.rpartition("@")[2] or url


def as_json(host: HostRow) -> dict[str, object]:
    """The object of one host: times in seconds, null where nothing was asked."""
    return {
        "host": host.name,
        "targets": host.targets,
        "requests": host.requests,
        "rate": _rounded(host.rate),
        "waited": round(host.waited, 3),
        "errors": host.errors,
        "bytes": host.bytes,
        "elapsed": {name: _rounded(host.quantile(share)) for name, share in QUANTILES.items()},
        "verdicts": dict(sorted(host.verdicts.items())),
        "hazard": _rounded(host.hazard),
        "interval": _rounded(host.interval),
    }


QUANTILES: Final[Mapping[str, float]] = {"p50": 0.5, "p95": 0.95, "max": 1.0}


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)


def table(hosts: Sequence[HostRow]) -> Iterator[str]:
    """A row a host."""
    rows = Table(box=None, pad_edge=False, header_style="bold")
    rows.add_column("host", overflow="fold")
    for name in (
        "targets",
        "requests",
        "a second",
        "waited",
        "errors",
        "median",
        "95 %",
        "slowest",
        "hazard",
        "interval",
    ):
        rows.add_column(name, justify="right", no_wrap=True)
    rows.add_column("verdicts", overflow="fold")
    for host in hosts:
        rows.add_row(*_cells(host))
    console = buffered_console()
    console.print(rows, soft_wrap=False)
    yield drain(console)


def _cells(host: HostRow) -> Iterator[Text]:
    yield Text(printable(host.name))
    for number in (host.targets, host.requests):
        yield Text(f"{number:,}")
    yield Text("" if host.rate is None else f"{host.rate:.1f}")
    yield Text(f"{host.waited:.1f} s" if host.waited else "")
    yield Text(f"{host.errors:,}" if host.errors else "", "red")
    for share in QUANTILES.values():
        time = host.quantile(share)
        yield Text("" if time is None else f"{time:.2f} s")
    yield Text("" if host.hazard is None else f"{host.hazard:.3f}")
    yield Text("" if host.interval is None else f"{host.interval:.1f} d")
    parts = [
        (f"{word} {count}  ", CLASS_STYLES[Verdict(word).cls])
        for word, count in sorted(host.verdicts.items())
    ]
    yield Text.assemble(*parts)


def json_(hosts: Sequence[HostRow]) -> Iterator[str]:
    """One array."""
    yield json.dumps([as_json(host) for host in hosts], indent=1) + "\n"


def jsonl(hosts: Sequence[HostRow]) -> Iterator[str]:
    """A line a host."""
    for host in hosts:
        yield json.dumps(as_json(host)) + "\n"


HostReport: TypeAlias = Callable[[Sequence[HostRow]], Iterator[str]]
HOST_REPORTS: Final[Mapping[str, HostReport]] = {"table": table, "json": json_, "jsonl": jsonl}
