"""Markdown for a comment on an issue or a pull request: counts, then the worst links, never too long.

Text of others stands in code spans alone, where Markdown, HTML, mentions and links mean nothing; the
two letters that could end one, or end the cell of a table, are spelled out.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from typing import Final, NamedTuple

from crawler.report.base import Summary
from crawler.report.line import detail, moment
from crawler.report.safe import whole
from crawler.report.severity import Severity, of_link, severity
from storage.model import Problem
from storage.queries import WORST_FIRST, Entry, EntryLink, Totals

LONGEST: Final = 60_000  # bytes; GitHub takes 65,536 characters
ROWS: Final = 200  # links that are shown at most
WIDE: Final = 300  # characters of one cell
PROBLEMS: Final = 20


class _Row(NamedTuple):
    """One link with something wrong; the worst are the least, the first found among equals."""

    order: tuple[int, int]
    entry: Entry
    one: EntryLink


def report(summary: Summary) -> Iterator[str]:
    """The comment in pieces: no more than 60,000 bytes in all."""
    worst, wrong = _worst(summary)
    left = LONGEST
    for piece in _head(summary):
        left -= len(piece.encode())
        yield piece
    shown = 0
    for row in worst:
        line = _line(row)
        left -= len(line.encode())
        if left < 200:  # noqa: PLR2004 - what the last line takes
            break
        yield ("" if shown else "\n| severity | what | link | where |\n|---|---|---|---|\n") + line
        shown += 1
    if wrong > shown:
        yield f"\n… and {wrong - shown:,} more links.\n"


def _worst(summary: Summary) -> tuple[list[_Row], int]:
    """The worst links in order, and how many have something wrong."""
    found: list[_Row] = []
    wrong = 0
    for entry in summary.entries():
        for one in entry.links:
            bad = of_link(entry, one)
            if bad is Severity.NONE:
                continue
            # A heap keeps its least on top: what is to go first has the least severity.
            row = _Row((bad, -wrong), entry, one)
            wrong += 1
            if len(found) < ROWS:
                heapq.heappush(found, row)
            elif row.order > found[0].order:
                heapq.heapreplace(found, row)
    return sorted(found, key=lambda row: row.order, reverse=True), wrong


def _head(summary: Summary) -> Iterator[str]:
    run, totals = summary.run, summary.totals
    yield "## Link health\n\n"
    if run is None:
        yield "No run yet.\n"
    else:
        ended = "" if run.ended in {"finished", None} else f" ({code(run.ended or '')})"
        yield f"Run {run.id} of {moment(run.started_at)}{ended}: "
        yield f"{totals.targets:,} targets, {totals.links:,} links.\n"
    if totals.targets:
        yield from _counts(totals)
    if summary.problems:
        yield f"\n{len(summary.problems):,} record problems:\n\n"
        yield from (_problem(problem) for problem in summary.problems[:PROBLEMS])
    if len(summary.problems) > PROBLEMS:
        yield f"- … and {len(summary.problems) - PROBLEMS:,} more\n"


def _counts(totals: Totals) -> Iterator[str]:
    yield "\n| class | targets |\n|---|---:|\n"
    for cls in WORST_FIRST:
        if cls.value in totals.classes:
            yield f"| {cls.value} | {totals.classes[cls.value]:,} |\n"
    if totals.issues:
        yield f"| link issues | {sum(totals.issues.values()):,} |\n"


def _problem(problem: Problem) -> str:
    place = problem.path if problem.line is None else f"{problem.path}:{problem.line}"
    return f"- {code(place)} {code(problem.reason)}\n"


def _line(row: _Row) -> str:
    entry, one = row.entry, row.one
    where = f"{one.record}:{one.link.line}:{one.link.column}"
    what = "<br>".join(_what(entry, one))
    return f"| {of_link(entry, one).word} | {what} | {code(entry.url)} | {code(where)} |\n"


def _what(entry: Entry, one: EntryLink) -> Iterator[str]:
    if severity(entry, one.link.kind):
        status = entry.finding.status if entry.finding else None
        word = f"{entry.known.value} ({status})" if status else entry.known.value
        why = detail(entry)
        yield f"{word}, {entry.state.value}" + (f": {code(why)}" if why else "")
    for issue in one.issues:
        sides = f"{code(issue.expected or '-')} → {code(issue.actual or '-')}"
        yield f"{issue.issue.value}: {sides}"


def code(text: str) -> str:
    """A code span that is safe in a cell, cut at 300 characters; its text may hold anything."""
    cut = whole(text[:WIDE]).replace("|", "\\u007c").replace("`", "\\u0060")
    more = f"… ({len(text)} characters)" if len(text) > WIDE else ""
    return f"`{cut}{more}`" if cut.strip() else "-"
