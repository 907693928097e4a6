"""What changed between two runs, as a table, JSON or JSON lines; where nothing did, next to nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import groupby
from typing import Final, TypeAlias

from crawler.report import escape
from crawler.report.escape import printable
from crawler.report.phrases import counted
from crawler.report.target_json import moment
from storage.queries.report import Change, ChangeKind, EntryLink

MAX_LOOK_BITS: Final = 10  # bits of 64 by which the look of a picture may differ and still be much the same
MAX_CHANGE_LINKS: Final = 3  # links of one target that are shown; the rest are counted
CHANGE_TITLES: Final[Mapping[ChangeKind, str]] = {
    ChangeKind.DEAD: "Newly dead",
    ChangeKind.SUSPECT: "Newly suspect",
    ChangeKind.RECOVERED: "Recovered",
    ChangeKind.MOVED: "Moved for good",
    ChangeKind.IMAGE: "Another picture",
}
WORSE: Final = frozenset({ChangeKind.DEAD, ChangeKind.SUSPECT})
Show: TypeAlias = Callable[[int, Iterable[Change]], Iterator[str]]


def table(since: int, changes: Iterable[Change]) -> Iterator[str]:
    """A block for each kind of news, and not a letter where there is none."""
    del since
    separator = ""
    for news, group in groupby(changes, key=lambda change: change.news):
        targets = list(group)
        yield f"{separator}{CHANGE_TITLES[news]}: {len(targets)}\n"
        separator = "\n"
        for change in targets:
            yield from _block(change)


def _block(change: Change) -> Iterator[str]:
    finding = change.entry.finding
    facts = [f"{change.was.value} -> {change.now.value}"] if change.was is not change.now else []
    facts += [change.entry.verdict.value] if change.entry.finding else []
    facts += [str(finding.status)] if finding and finding.status else []
    facts += [f"now at {printable(finding.moved_to)}"] if finding and finding.moved_to else []
    facts += [_look(change.differs)] if change.news is ChangeKind.IMAGE else []
    yield f"  {printable(change.entry.url)}\n    {' · '.join(facts)}\n"
    links = change.entry.links
    yield from (f"    {_place(link)}\n" for link in links[:MAX_CHANGE_LINKS])
    if len(links) > MAX_CHANGE_LINKS:
        yield f"    … and {counted(len(links) - MAX_CHANGE_LINKS, 'more link')}\n"


def _look(differs: int | None) -> str:
    if differs is None:
        return "other bytes"
    return f"looks {'another' if differs > MAX_LOOK_BITS else 'much the same'}: {differs} of 64 bits differ"


def _place(entry_link: EntryLink) -> str:
    return f"{printable(entry_link.place)}  {printable(entry_link.link.field)}"


def json_lines(since: int, changes: Iterable[Change]) -> Iterator[str]:
    """One change a line."""
    del since
    for change in changes:
        yield escape.json(change_line(change)) + "\n"


def json(since: int, changes: Iterable[Change]) -> Iterator[str]:
    """One object: the run since when, and the changes."""
    lines = [change_line(change) for change in changes]
    yield escape.json({"since": since, "changes": lines}) + "\n"


def change_line(change: Change) -> dict[str, object]:
    """The object of one change; keys never vanish."""
    finding = change.entry.finding
    return {
        "url": change.entry.url,
        "change": change.news.value,
        "from": change.was.value,
        "to": change.now.value,
        "at": moment(change.at),
        "run": change.run,
        "verdict": change.entry.verdict.value,
        "class": change.entry.verdict.cls.value,
        "status": finding.status if finding else None,
        "detail": finding.detail if finding else None,
        "moved_to": finding.moved_to if finding else None,
        "differs": change.differs,
        "links": [
            {"record": at.record, "field": at.link.field, "line": at.link.line, "column": at.link.column}
            for at in change.entry.links
        ],
    }


DIFFS: Final[Mapping[str, Show]] = {"table": table, "json": json, "jsonl": json_lines}
