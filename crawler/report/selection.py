"""Which part of the database a report is about, and in which order it shows the targets."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final, TypeAlias

from crawler.report.severity import entry_severity
from crawler.urls import host_of
from storage.frozen import frozen
from storage.model import KINDS_BY_DEMAND, Kind, Run
from storage.queries.report import Entry

SortKey: TypeAlias = Callable[[Entry], tuple[int | float | str, ...]]
END_OF_TIME: Final = datetime.max.replace(tzinfo=UTC)


@frozen
class Selection:
    """Which part of the database a report is about.

    `run`: the findings of that run alone; `asked`: every target that this run read, asked or not;
    neither: the newest finding of every target. Of each set in `only` one word has to fit: a class,
    verdict, issue, state or kind. `kinds`: only links of these kinds. `in_scope`: only links of the
    records whose path it accepts. `since`: what was found at that time or later. `sort` is a name
    of `SORT_KEYS`; `limit` targets at most are
    shown, while all are counted.
    """

    run: Run | None = None
    asked: Run | None = None
    only: tuple[frozenset[str], ...] = ()
    kinds: frozenset[Kind] = frozenset()
    in_scope: Callable[[str], bool] | None = None
    since: datetime | None = None
    sort: str | None = None
    limit: int | None = None

    def select(self, entries: Iterable[Entry]) -> Iterator[Entry]:
        """The entries of this selection in its order, each with its links of this selection."""
        matches = (
            entry for entry in map(self._narrowed, entries) if entry is not None and self._takes(entry)
        )
        return matches if self.sort is None else iter(sorted(matches, key=SORT_KEYS[self.sort]))

    def takes_path(self, path: str) -> bool:
        """Whether the records in a file are of this selection."""
        return self.in_scope is None or self.in_scope(path)

    def _narrowed(self, entry: Entry) -> Entry | None:
        """The entry with its links of this selection; None if it has none of them."""
        if not self.kinds and self.in_scope is None:
            return entry
        links = tuple(
            link
            for link in entry.links
            if (not self.kinds or link.link.kind in self.kinds) and self.takes_path(link.record)
        )
        kinds = [link.link.kind for link in links]
        return replace(entry, links=links, kind=min(kinds, key=KINDS_BY_DEMAND.index)) if links else None

    def _takes(self, entry: Entry) -> bool:
        if self.since is not None and (entry.finding is None or entry.finding.checked_at < self.since):
            return False
        words = entry_words(entry) if self.only else set()
        return all(words & names for names in self.only)


def entry_words(entry: Entry) -> set[str]:
    """Every word of the contract that fits an entry."""
    issues = {issue.issue.value for link in entry.links for issue in link.issues}
    words = {entry.verdict.value, entry.verdict.cls.value, entry.kind.value}
    words |= {word.value for word in (entry.known_state, entry.not_asked) if word is not None}
    return words | issues | ({"issues"} if issues else set())


def _record_place(entry: Entry) -> tuple[str, int, int, str]:
    if not entry.links:
        return ("", 0, 0, entry.url)
    first = entry.links[0]
    return (first.record, first.number, first.link.line, entry.url)


SORT_KEYS: Final[Mapping[str, SortKey]] = {
    "severity": lambda entry: (-entry_severity(entry), entry.url),
    "url": lambda entry: (entry.url,),
    "host": lambda entry: (host_of(entry.url), entry.url),
    "record": _record_place,
    "checked": lambda entry: (_time(entry.finding.checked_at if entry.finding else None), entry.url),
    "due": lambda entry: (_time(entry.next_due), entry.url),
    "failing": lambda entry: (_time(entry.failing_since), entry.url),
}


def _time(at: datetime | None) -> float:
    """Seconds of a time; what has none comes last."""
    return (at or END_OF_TIME).timestamp()
