"""What changed between two runs, as a table, JSON or JSON lines; where nothing did, next to nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import groupby
from typing import Any, Final, TypeAlias

from crawler.report import safe
from crawler.report.line import moment
from crawler.report.safe import shown
from storage.queries import Change, EntryLink, News

LIKE: Final = 10  # bits of 64 by which the look of a picture may differ and still be much the same
LINKS: Final = 3  # links of one target that are shown; the rest are counted
TITLES: Final[Mapping[News, str]] = {
    News.DEAD: "Newly dead",
    News.SUSPECT: "Newly suspect",
    News.RECOVERED: "Recovered",
    News.MOVED: "Moved for good",
    News.IMAGE: "Another picture",
}
WORSE: Final = frozenset({News.DEAD, News.SUSPECT})
Show: TypeAlias = Callable[[int, Iterable[Change]], Iterator[str]]


def table(since: int, changes: Iterable[Change]) -> Iterator[str]:
    """A block for each kind of news, and not a letter where there is none."""
    del since
    separator = ""
    for news, some in groupby(changes, key=lambda one: one.news):
        found = list(some)
        yield f"{separator}{TITLES[news]}: {len(found)}\n"
        separator = "\n"
        for one in found:
            yield from _block(one)


def _block(one: Change) -> Iterator[str]:
    finding = one.entry.finding
    facts = [f"{one.was.value} -> {one.now.value}"] if one.was is not one.now else []
    facts += [one.entry.known.value] if one.entry.finding else []
    facts += [str(finding.status)] if finding and finding.status else []
    facts += [f"now at {shown(finding.moved_to)}"] if finding and finding.moved_to else []
    facts += [_look(one.differs)] if one.news is News.IMAGE else []
    yield f"  {shown(one.entry.url)}\n    {' · '.join(facts)}\n"
    links = one.entry.links
    yield from (f"    {_place(link)}\n" for link in links[:LINKS])
    if len(links) > LINKS:
        yield f"    … and {len(links) - LINKS} more links\n"


def _look(differs: int | None) -> str:
    if differs is None:
        return "other bytes"
    return f"looks {'another' if differs > LIKE else 'much the same'}: {differs} of 64 bits differ"


def _place(one: EntryLink) -> str:
    return f"{shown(one.record)}:{one.link.line}:{one.link.column}  {shown(one.link.field)}"


def json_lines(since: int, changes: Iterable[Change]) -> Iterator[str]:
    """One change a line."""
    del since
    for one in changes:
        yield safe.json(change_line(one)) + "\n"


def json(since: int, changes: Iterable[Change]) -> Iterator[str]:
    """One object: the run since when, and the changes."""
    lines = [change_line(one) for one in changes]
    yield safe.json({"since": since, "changes": lines}) + "\n"


def change_line(one: Change) -> dict[str, Any]:
    """The object of one change; keys never vanish."""
    finding = one.entry.finding
    return {
        "url": one.entry.url,
        "change": one.news.value,
        "from": one.was.value,
        "to": one.now.value,
        "at": moment(one.at),
        "run": one.run,
        "verdict": one.entry.known.value,
        "class": one.entry.known.cls.value,
        "status": finding.status if finding else None,
        "detail": finding.detail if finding else None,
        "moved_to": finding.moved_to if finding else None,
        "differs": one.differs,
        "links": [
            {"record": at.record, "field": at.link.field, "line": at.link.line, "column": at.link.column}
            for at in one.entry.links
        ],
    }


DIFFS: Final[Mapping[str, Show]] = {"table": table, "json": json, "jsonl": json_lines}
