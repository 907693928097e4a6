"""The findings by verdict or by kind: how many targets, links and records, and since when."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from rich.table import Table
from rich.text import Text

from crawler.report.base import Summary
from crawler.report.console import buffered_console, drain
from crawler.report.escape import json as as_json
from crawler.report.formats.table import CLASS_STYLES
from crawler.report.severity import Severity, entry_severity
from crawler.report.target_json import moment
from storage.model import Kind, State, Verdict
from storage.queries.report import WORST_FIRST, Entry


@dataclass(slots=True)
class TargetGroup:
    """The targets that have one word in common; `since` is when the first of them began to fail."""

    word: str
    targets: int = 0
    links: int = 0
    records: set[str] = field(default_factory=set)
    verdicts: Counter[str] = field(default_factory=Counter)
    states: Counter[str] = field(default_factory=Counter)
    severities: Counter[str] = field(default_factory=Counter)
    since: datetime | None = None

    def add(self, entry: Entry) -> None:
        """Count one target."""
        self.targets += 1
        self.links += len(entry.links)
        self.records.update(entry_link.record for entry_link in entry.links)
        self.verdicts[entry.verdict.value] += 1
        self.states[entry.state.value] += 1
        self.severities[entry_severity(entry).word] += 1
        times = [at for at in (self.since, entry.failing_since) if at is not None]
        self.since = min(times, default=None)


def by_verdict(summary: Summary) -> list[TargetGroup]:
    """A group a verdict that holds, worst class first, then the largest."""
    return sorted(_grouped_by(summary, lambda entry: entry.verdict.value), key=_by_class)


def _by_class(group: TargetGroup) -> tuple[int, int, str]:
    return WORST_FIRST.index(Verdict(group.word).cls), -group.targets, group.word


def by_kind(summary: Summary) -> list[TargetGroup]:
    """A group a kind of link, in the order of the contract."""
    order = [kind.value for kind in Kind]
    return sorted(
        _grouped_by(summary, lambda entry: entry.kind.value), key=lambda group: order.index(group.word)
    )


def _grouped_by(summary: Summary, word: Callable[[Entry], str]) -> list[TargetGroup]:
    groups: dict[str, TargetGroup] = {}
    for entry in summary.entries():
        name = word(entry)
        groups.setdefault(name, TargetGroup(name)).add(entry)
    return list(groups.values())


def line(group: TargetGroup, by: str) -> dict[str, object]:
    """The object of one group; keys never vanish."""
    return {
        by: group.word,
        "targets": group.targets,
        "links": group.links,
        "records": len(group.records),
        "verdicts": dict(sorted(group.verdicts.items())),
        "states": {state.value: group.states[state.value] for state in State},
        "severities": {severity.word: group.severities[severity.word] for severity in reversed(Severity)},
        "failing_since": moment(group.since),
    }


def table(groups: Sequence[TargetGroup], by: str) -> Iterator[str]:
    """A row a group."""
    rows = Table(box=None, pad_edge=False, header_style="bold")
    rows.add_column(by, no_wrap=True)
    for name in (
        "targets",
        "links",
        "records",
        *(severity.word for severity in FAILING_SEVERITIES),
        "failing since",
    ):
        rows.add_column(name, justify="right", no_wrap=True)
    for group in groups:
        rows.add_row(*_cells(group, by))
    console = buffered_console()
    console.print(rows, soft_wrap=False)
    yield drain(console)


FAILING_SEVERITIES: Final = (Severity.CRITICAL, Severity.HIGH, Severity.MEDIUM, Severity.LOW)


def _cells(group: TargetGroup, by: str) -> Iterator[Text]:
    yield Text(group.word, CLASS_STYLES[Verdict(group.word).cls] if by == "verdict" else "")
    for number in (group.targets, group.links, len(group.records)):
        yield Text(f"{number:,}")
    for severity in FAILING_SEVERITIES:
        count = group.severities[severity.word]
        yield Text(f"{count:,}" if count else "")
    yield Text(f"{group.since:%Y-%m-%d}" if group.since else "")


def json_(groups: Sequence[TargetGroup], by: str) -> Iterator[str]:
    """One array."""
    yield as_json([line(group, by) for group in groups]) + "\n"


def jsonl(groups: Sequence[TargetGroup], by: str) -> Iterator[str]:
    """A line a group."""
    for group in groups:
        yield as_json(line(group, by)) + "\n"


GROUP_REPORTS: Final[Mapping[str, Callable[..., Iterator[str]]]] = {
    "table": table,
    "json": json_,
    "jsonl": jsonl,
}
