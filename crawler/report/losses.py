"""The findings by record: what each item lost, its web, AMP and AMP-CDN pages and images as one thing.

Only links with something wrong are kept in memory; what else an item has is counted in a second
reading, so that a reader sees what is left of it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias

from crawler.report.base import Summary
from crawler.report.severity import Severity, of_link, severity
from storage.model import Kind, Problem
from storage.queries import Entry, EntryLink

Key: TypeAlias = tuple[str, int]  # the path of a file, and which of its records


@dataclass(frozen=True, slots=True)
class Fault:
    """One link with something wrong; `lost` if its target fails, not only an issue of its own."""

    entry: Entry
    one: EntryLink

    @property
    def lost(self) -> bool:
        """Whether a reader gets nothing there."""
        return severity(self.entry, self.one.link.kind) > Severity.NONE

    @property
    def severity(self) -> Severity:
        """How bad it is."""
        return of_link(self.entry, self.one)


@dataclass(slots=True)
class Item:
    """One entry of `related`, or the record itself (""); `lost` and `links` count links by kind."""

    name: str
    faults: list[Fault] = field(default_factory=list)
    lost: dict[Kind, int] = field(default_factory=dict)
    links: dict[Kind, int] = field(default_factory=dict)

    @property
    def severity(self) -> Severity:
        """That of its worst link."""
        return max(fault.severity for fault in self.faults)


@dataclass(slots=True)
class RecordFaults:
    """One record with something wrong, and its items in the order of the text."""

    path: str
    number: int
    items: dict[str, Item] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    @property
    def severity(self) -> Severity:
        """That of its worst item; what cannot be read is high."""
        worst = max((item.severity for item in self.items.values()), default=Severity.NONE)
        return max(worst, Severity.HIGH) if self.problems else worst

    @property
    def faults(self) -> int:
        """How many links have something wrong."""
        return sum(len(item.faults) for item in self.items.values())


def gather(summary: Summary) -> list[RecordFaults]:
    """The records with something wrong, the worst first."""
    found: dict[Key, RecordFaults] = {}
    for problem in summary.problems:
        found.setdefault((problem.path, 0), RecordFaults(problem.path, 0)).problems.append(problem)
    for entry in summary.entries():
        for one in entry.links:
            if of_link(entry, one):
                _item(found, one).faults.append(Fault(entry, one))
    for record in found.values():
        _order(record)
    _count(summary, found)
    return sorted(found.values(), key=lambda one: (-one.severity, -one.faults, one.path, one.number))


def _item(found: dict[Key, RecordFaults], one: EntryLink) -> Item:
    key = (one.record, one.number)
    record = found.setdefault(key, RecordFaults(*key))
    return record.items.setdefault(one.link.item, Item(one.link.item))


def _order(record: RecordFaults) -> None:
    """Put items and their links in the order of the text."""
    for item in record.items.values():
        item.faults.sort(key=_position)
    ordered = sorted(record.items.values(), key=lambda item: _position(item.faults[0]))
    record.items = {item.name: item for item in ordered}


def _position(fault: Fault) -> tuple[int, int, str]:
    link = fault.one.link
    return link.line, link.column, link.field


def _count(summary: Summary, found: dict[Key, RecordFaults]) -> None:
    """Count what those items have, and what of it is lost, whatever words were asked for."""
    for entry in summary.everything():
        for one in entry.links:
            record = found.get((one.record, one.number))
            item = record.items.get(one.link.item) if record else None
            if item is None:
                continue
            kind = one.link.kind
            item.links[kind] = item.links.get(kind, 0) + 1
            if Fault(entry, one).lost:
                item.lost[kind] = item.lost.get(kind, 0) + 1
