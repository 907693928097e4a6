"""The findings by verdict or by kind: how many targets, links and records, and since when."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from rich.table import Table
from rich.text import Text

from crawler.report.base import Summary
from crawler.report.line import moment
from crawler.report.paper import paper, taken
from crawler.report.safe import json as as_json
from crawler.report.severity import Severity, of_entry
from crawler.report.table import STYLES
from storage.model import Kind, State, Verdict
from storage.queries import WORST_FIRST, Entry


@dataclass(slots=True)
class Group:
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
        self.records.update(one.record for one in entry.links)
        self.verdicts[entry.known.value] += 1
        self.states[entry.state.value] += 1
        self.severities[of_entry(entry).word] += 1
        times = [at for at in (self.since, entry.failing_since) if at is not None]
        self.since = min(times, default=None)


def by_verdict(summary: Summary) -> list[Group]:
    """A group a verdict that holds, worst class first, then the largest."""
    return sorted(_gather(summary, lambda entry: entry.known.value), key=_by_class)


def _by_class(group: Group) -> tuple[int, int, str]:
    return WORST_FIRST.index(Verdict(group.word).cls), -group.targets, group.word


def by_kind(summary: Summary) -> list[Group]:
    """A group a kind of link, in the order of the contract."""
    order = [kind.value for kind in Kind]
    return sorted(_gather(summary, lambda entry: entry.kind.value), key=lambda one: order.index(one.word))


def _gather(summary: Summary, word: Callable[[Entry], str]) -> list[Group]:
    groups: dict[str, Group] = {}
    for entry in summary.entries():
        name = word(entry)
        groups.setdefault(name, Group(name)).add(entry)
    return list(groups.values())


def line(group: Group, by: str) -> dict[str, Any]:
    """The object of one group; keys never vanish."""
    return {
        by: group.word,
        "targets": group.targets,
        "links": group.links,
        "records": len(group.records),
        "verdicts": dict(sorted(group.verdicts.items())),
        "states": {state.value: group.states[state.value] for state in State},
        "severities": {one.word: group.severities[one.word] for one in reversed(Severity)},
        "failing_since": moment(group.since),
    }


def table(groups: Sequence[Group], by: str) -> Iterator[str]:
    """A row a group."""
    made = Table(box=None, pad_edge=False, header_style="bold")
    made.add_column(by, no_wrap=True)
    for name in ("targets", "links", "records", *(one.word for one in FAILING), "failing since"):
        made.add_column(name, justify="right", no_wrap=True)
    for group in groups:
        made.add_row(*_cells(group, by))
    console = paper()
    console.print(made, soft_wrap=False)
    yield taken(console)


FAILING: Final = (Severity.CRITICAL, Severity.HIGH, Severity.MEDIUM, Severity.LOW)


def _cells(group: Group, by: str) -> Iterator[Text]:
    yield Text(group.word, STYLES[Verdict(group.word).cls] if by == "verdict" else "")
    for number in (group.targets, group.links, len(group.records)):
        yield Text(f"{number:,}")
    for one in FAILING:
        count = group.severities[one.word]
        yield Text(f"{count:,}" if count else "")
    yield Text(f"{group.since:%Y-%m-%d}" if group.since else "")


def json_(groups: Sequence[Group], by: str) -> Iterator[str]:
    """One array."""
    yield as_json([line(group, by) for group in groups]) + "\n"


def jsonl(groups: Sequence[Group], by: str) -> Iterator[str]:
    """A line a group."""
    for group in groups:
        yield as_json(line(group, by)) + "\n"


SHOWS: Final[Mapping[str, Callable[..., Iterator[str]]]] = {
    "table": table,
    "json": json_,
    "jsonl": jsonl,
}
