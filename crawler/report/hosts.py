"""The findings by host: how much was asked, how fast, how long it waited, and what came of it."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, TypeAlias

from rich.table import Table
from rich.text import Text

from crawler.report.base import Summary
from crawler.report.paper import paper, taken
from crawler.report.safe import shown
from crawler.report.table import STYLES
from storage.model import Class, Finding, Verdict
from storage.queries import Entry

ERRORS: Final = frozenset({Class.HARD, Class.SOFT, Class.TRANSIENT, Class.CONTENT})


@dataclass(slots=True)
class Host:
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

    def add(self, entry: Entry) -> None:
        """Count one target."""
        self.targets += 1
        self.verdicts[entry.known.value] += 1
        if entry.finding is not None and entry.finding.requests:
            self._measure(entry.finding)

    def _measure(self, finding: Finding) -> None:
        at = finding.checked_at
        self.requests += finding.requests
        self.bytes += finding.bytes
        waited = finding.evidence.get("waited", 0.0)
        self.waited += waited if isinstance(waited, float | int) else 0.0
        self.times.append(finding.elapsed)
        self.first = at if self.first is None else min(self.first, at)
        self.last = at if self.last is None else max(self.last, at)

    @property
    def errors(self) -> int:
        """Targets that something is wrong with."""
        return sum(count for word, count in self.verdicts.items() if Verdict(word).cls in ERRORS)

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


def gather(summary: Summary) -> list[Host]:
    """The hosts of a report, those with the most errors first, then those with the most requests."""
    hosts: dict[str, Host] = {}
    for entry in summary.entries():
        name = host_of(entry.url)
        hosts.setdefault(name, Host(name)).add(entry)
    return sorted(hosts.values(), key=lambda host: (-host.errors, -host.requests, host.name))


def host_of(url: str) -> str:
    """The host of a URL as it is shown; the text itself where there is none."""
    authority = url.partition("://")[2].partition("/")[0].partition("?")[0]
    return authority.rpartition("@")[2] or url


def as_json(host: Host) -> dict[str, Any]:
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
    }


QUANTILES: Final[Mapping[str, float]] = {"p50": 0.5, "p95": 0.95, "max": 1.0}


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)


def table(hosts: Sequence[Host]) -> Iterator[str]:
    """A row a host."""
    made = Table(box=None, pad_edge=False, header_style="bold")
    made.add_column("host", overflow="fold")
    for name in ("targets", "requests", "a second", "waited", "errors", "median", "95 %", "slowest"):
        made.add_column(name, justify="right", no_wrap=True)
    made.add_column("verdicts", overflow="fold")
    for host in hosts:
        made.add_row(*_cells(host))
    console = paper()
    console.print(made, soft_wrap=False)
    yield taken(console)


def _cells(host: Host) -> Iterator[Text]:
    yield Text(shown(host.name))
    for number in (host.targets, host.requests):
        yield Text(f"{number:,}")
    yield Text("" if host.rate is None else f"{host.rate:.1f}")
    yield Text(f"{host.waited:.1f} s" if host.waited else "")
    yield Text(f"{host.errors:,}" if host.errors else "", "red")
    for share in QUANTILES.values():
        time = host.quantile(share)
        yield Text("" if time is None else f"{time:.2f} s")
    parts = [
        (f"{word} {count}  ", STYLES[Verdict(word).cls]) for word, count in sorted(host.verdicts.items())
    ]
    yield Text.assemble(*parts)


def json_(hosts: Sequence[Host]) -> Iterator[str]:
    """One array."""
    yield json.dumps([as_json(host) for host in hosts], indent=1) + "\n"


def jsonl(hosts: Sequence[Host]) -> Iterator[str]:
    """A line a host."""
    for host in hosts:
        yield json.dumps(as_json(host)) + "\n"


HostReport: TypeAlias = Callable[[Sequence[Host]], Iterator[str]]
HOST_REPORTS: Final[Mapping[str, HostReport]] = {"table": table, "json": json_, "jsonl": jsonl}
