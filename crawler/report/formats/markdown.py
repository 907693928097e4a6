"""Markdown for a comment on an issue or a pull request: counts, then the worst links, never too long.

Text of others stands in code spans alone, where Markdown, HTML, mentions and links mean nothing; the
two letters that could end one, or end the cell of a table, are spelled out.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from typing import Final, NamedTuple

from crawler.report.base import Summary
from crawler.report.escape import printable_in_full
from crawler.report.phrases import counted, issue_phrase, not_asked_phrase
from crawler.report.severity import Severity, link_severity, severity
from crawler.report.target_json import detail, moment
from storage.model import RecordProblem, RunEnd
from storage.queries.report import WORST_FIRST, Entry, EntryLink, Totals

MAX_COMMENT_BYTES: Final = 60_000  # bytes; GitHub takes 65,536 characters
MAX_COMMENT_ROWS: Final = 200  # links that are shown at most
MAX_CELL_CHARACTERS: Final = 300  # characters of one cell
MAX_COMMENT_PROBLEMS: Final = 20


class _LinkRow(NamedTuple):
    """One link with something wrong; the worst are the least, the first found among equals."""

    order: tuple[int, int]
    entry: Entry
    entry_link: EntryLink


def report(summary: Summary) -> Iterator[str]:
    """The comment in pieces: no more than 60,000 bytes in all."""
    worst, wrong = _worst(summary)
    bytes_left = MAX_COMMENT_BYTES
    for piece in _head(summary):
        bytes_left -= len(piece.encode())
        yield piece
    row_count = 0
    for row in worst:
        line = _line(row)
        bytes_left -= len(line.encode())
        if bytes_left < 200:  # noqa: PLR2004 - what the last line takes
            break
        yield ("" if row_count else "\n| severity | what | link | where |\n|---|---|---|---|\n") + line
        row_count += 1
    if wrong > row_count:
        yield f"\n… and {counted(wrong - row_count, 'more link')}.\n"


def _worst(summary: Summary) -> tuple[list[_LinkRow], int]:
    """The worst links in order, and how many have something wrong."""
    rows: list[_LinkRow] = []
    wrong = 0
    for entry in summary.entries():
        for entry_link in entry.links:
            bad = link_severity(entry, entry_link)
            if bad is Severity.NONE:
                continue
            # A heap keeps its least on top: what is to go first has the least severity.
            row = _LinkRow((bad, -wrong), entry, entry_link)
            wrong += 1
            if len(rows) < MAX_COMMENT_ROWS:
                heapq.heappush(rows, row)
            elif row.order > rows[0].order:
                heapq.heapreplace(rows, row)
    return sorted(rows, key=lambda row: row.order, reverse=True), wrong


def _head(summary: Summary) -> Iterator[str]:
    run, totals = summary.run, summary.totals
    yield "## Link health\n\n"
    if run is None:
        yield "No run yet.\n"
    else:
        run_end = "" if run.ended in {RunEnd.FINISHED, None} else f" ({code(run.ended)})"
        yield f"Run {run.id} of {moment(run.started_at)}{run_end}: "
        yield f"{counted(totals.targets, 'target')}, {counted(totals.links, 'link')}"
        yield f"; not asked: {not_asked_phrase(totals.not_asked)}.\n" if totals.not_asked else ".\n"
    if totals.targets:
        yield from _counts(totals)
    if summary.problems:
        yield f"\n{counted(len(summary.problems), 'record problem')}:\n\n"
        yield from (_problem(problem) for problem in summary.problems[:MAX_COMMENT_PROBLEMS])
    if len(summary.problems) > MAX_COMMENT_PROBLEMS:
        yield f"- … and {len(summary.problems) - MAX_COMMENT_PROBLEMS:,} more\n"


def _counts(totals: Totals) -> Iterator[str]:
    yield "\n| class | targets |\n|---|---:|\n"
    for cls in WORST_FIRST:
        if cls.value in totals.classes:
            yield f"| {cls.value} | {totals.classes[cls.value]:,} |\n"
    if totals.issues:
        yield f"| link issues | {sum(totals.issues.values()):,} |\n"


def _problem(problem: RecordProblem) -> str:
    place = problem.path if problem.line is None else f"{problem.path}:{problem.line}"
    return f"- {code(place)} {code(problem.reason)}\n"


def _line(row: _LinkRow) -> str:
    entry, entry_link = row.entry, row.entry_link
    where = f"{entry_link.record}:{entry_link.link.line}:{entry_link.link.column}"
    problems = "<br>".join(_what(entry, entry_link))
    return f"| {link_severity(entry, entry_link).word} | {problems} | {code(entry.url)} | {code(where)} |\n"


def _what(entry: Entry, entry_link: EntryLink) -> Iterator[str]:
    if severity(entry, entry_link.link.kind):
        status = entry.finding.status if entry.finding else None
        word = f"{entry.verdict.value} ({status})" if status else entry.verdict.value
        why = detail(entry)
        yield f"{word}, {entry.state.value}" + (f": {code(why)}" if why else "")
    for issue in entry_link.issues:
        yield issue_phrase(issue, code)


def code(text: str) -> str:
    """A code span that is safe in a cell, cut at 300 characters; its text may hold anything."""
    cut = printable_in_full(text[:MAX_CELL_CHARACTERS]).replace("|", "\\u007c").replace("`", "\\u0060")
    ellipsis = f"… ({len(text)} characters)" if len(text) > MAX_CELL_CHARACTERS else ""
    return f"`{cut}{ellipsis}`" if cut.strip() else "-"
