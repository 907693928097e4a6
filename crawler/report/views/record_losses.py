"""The findings by record: what each item lost, its web, AMP and AMP-CDN pages and images as one thing.

Only links with something wrong are kept in memory; what else an item has is counted in a second
reading, so that a reader sees what is left of it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias

from crawler.report.base import Summary
from crawler.report.severity import Severity, link_severity, severity
from storage.frozen import frozen
from storage.model import Kind, RecordProblem
from storage.queries.report import Entry, EntryLink

Key: TypeAlias = tuple[str, int]  # the path of a file, and which of its records


@frozen
class LinkProblem:
    """One link with something wrong; `lost` if its target fails, not only an issue of its own."""

    entry: Entry
    entry_link: EntryLink

    @property
    def lost(self) -> bool:
        """Whether a reader gets nothing there."""
        return severity(self.entry, self.entry_link.link.kind) > Severity.NONE

    @property
    def severity(self) -> Severity:
        """How bad it is."""
        return link_severity(self.entry, self.entry_link)


@dataclass(slots=True)
class ItemLosses:
    """One entry of `related`, or the record itself (""); `lost` and `links` count links by kind."""

    name: str
    faults: list[LinkProblem] = field(default_factory=list)
    lost: dict[Kind, int] = field(default_factory=dict)
    links: dict[Kind, int] = field(default_factory=dict)

    @property
    def severity(self) -> Severity:
        """That of its worst link."""
        return max(fault.severity for fault in self.faults)


@dataclass(slots=True)
class RecordLosses:
    """One record with something wrong, and its items in the order of the text."""

    path: str
    number: int
    items: dict[str, ItemLosses] = field(default_factory=dict)
    problems: list[RecordProblem] = field(default_factory=list)

    @property
    def severity(self) -> Severity:
        """That of its worst item; what cannot be read is high."""
        worst = max((item.severity for item in self.items.values()), default=Severity.NONE)
        return max(worst, Severity.HIGH) if self.problems else worst

    @property
    def faults(self) -> int:
        """How many links have something wrong."""
        return sum(len(item.faults) for item in self.items.values())


def record_losses(summary: Summary) -> list[RecordLosses]:
    """The records with something wrong, the worst first."""
    records: dict[Key, RecordLosses] = {}
    for problem in summary.problems:
        records.setdefault((problem.path, 0), RecordLosses(problem.path, 0)).problems.append(problem)
    for entry in summary.entries():
        for entry_link in entry.links:
            if link_severity(entry, entry_link):
                _item(records, entry_link).faults.append(LinkProblem(entry, entry_link))
    for record in records.values():
        _order(record)
    _count(summary, records)
    return sorted(
        records.values(),
        key=lambda entry_link: (-entry_link.severity, -entry_link.faults, entry_link.path, entry_link.number),
    )


def _item(records: dict[Key, RecordLosses], entry_link: EntryLink) -> ItemLosses:
    key = (entry_link.record, entry_link.number)
    record = records.setdefault(key, RecordLosses(*key))
    return record.items.setdefault(entry_link.link.item, ItemLosses(entry_link.link.item))


def _order(record: RecordLosses) -> None:
    """Put items and their links in the order of the text."""
    for item in record.items.values():
        item.faults.sort(key=_position)
    items = sorted(record.items.values(), key=lambda item: _position(item.faults[0]))
    record.items = {item.name: item for item in items}


def _position(fault: LinkProblem) -> tuple[int, int, str]:
    link = fault.entry_link.link
    return link.line, link.column, link.field


def _count(summary: Summary, records: dict[Key, RecordLosses]) -> None:
    """Count what those items have, and what of it is lost, whatever words were asked for."""
    for entry in summary.all_entries():
        for entry_link in entry.links:
            record = records.get((entry_link.record, entry_link.number))
            item = record.items.get(entry_link.link.item) if record else None
            if item is None:
                continue
            kind = entry_link.link.kind
            item.links[kind] = item.links.get(kind, 0) + 1
            if LinkProblem(entry, entry_link).lost:
                item.lost[kind] = item.lost.get(kind, 0) + 1
