"""One screen: what broke since the last run, what holds, where most of it is, and what to do next."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Final

import sqlalchemy as sa
from rich.console import Console
from rich.table import Table
from rich.text import Text

from crawler.report.base import Summary
from crawler.report.console import buffered_console, drain
from crawler.report.escape import printable
from crawler.report.formats.table import CLASS_STYLES, class_bars, run_sentence
from crawler.report.phrases import counted
from crawler.report.postponed import postponed_lines
from crawler.report.severity import Severity, entry_severity, link_severity
from crawler.report.views.diff import CHANGE_TITLES
from crawler.report.views.records import SEVERITY_STYLES
from crawler.urls import host_of
from storage.frozen import frozen
from storage.model import RecordProblem, Run
from storage.queries import report as queries
from storage.queries.report import Change, ChangeKind, Entry
from storage.queries.run import postponed

MAX_LINES: Final = 40  # lines of the whole screen
MAX_NEWS: Final = 6
MAX_PLACE_ROWS: Final = 10  # hosts, and records
MAX_PUT_OFF: Final = 2  # hosts
MAX_COMMANDS: Final = 3
MAX_PROBLEM_LINES: Final = 1  # records that cannot be read
SHOWN_CHANGES: Final = (ChangeKind.DEAD, ChangeKind.SUSPECT, ChangeKind.RECOVERED, ChangeKind.MOVED)
CHANGE_STYLES: Final = {ChangeKind.DEAD: "bold red", ChangeKind.SUSPECT: "red", ChangeKind.RECOVERED: "green"}


@dataclass(slots=True)
class Losses:
    """What fails at one place: how many of how many, and how bad the worst is."""

    failing: int = 0
    total: int = 0
    worst: Severity = Severity.NONE
    words: Counter[str] = field(default_factory=Counter)

    def add(self, severity: Severity, word: str) -> None:
        """Count a target, or a link, that fails or does not."""
        self.total += 1
        if severity:
            self.failing += 1
            self.worst = max(self.worst, severity)
            self.words[word] += 1


@dataclass(slots=True)
class _Places:
    """Where the losses are, and the first of them."""

    hosts: dict[str, Losses] = field(default_factory=dict)
    records: dict[str, Losses] = field(default_factory=dict)
    first: list[Entry] = field(default_factory=list)

    def add(self, entry: Entry) -> None:
        word = entry.verdict.value
        severity = entry_severity(entry)
        self.hosts.setdefault(host_of(entry.url), Losses()).add(severity, word)
        for link in entry.links:
            self.records.setdefault(link.record, Losses()).add(link_severity(entry, link), word)
        if severity and len(self.first) < MAX_NEWS:
            self.first.append(entry)


@frozen
class News:
    """What happened in the newest run: changes since the run `since` (0: none before), and what was put off.

    `postponed` has URL and reason of each target whose host asked to come back later.
    """

    since: int
    changes: Iterable[Change]
    postponed: Sequence[tuple[str, str]]


def news_of(engine: sa.Engine, run: Run | None) -> News:
    """The news of a run; nothing without one."""
    if run is None:
        return News(0, (), ())
    return News(run.id - 1, queries.changes(engine, run.id - 1), postponed(engine, run))


def overview(summary: Summary, news: News) -> Iterator[str]:
    """At most 40 lines on what a run found."""
    places = _Places()
    for entry in summary.entries():
        places.add(entry)
    console = buffered_console()
    console.soft_wrap = False
    _print_line(console, Text(run_sentence(summary), "bold"))
    _print_problems(console, summary.problems)
    if news.since:
        _print_changes(console, list(news.changes), news.since)
    else:
        _print_first(console, places.first)
    if summary.totals.targets:
        console.print()
        console.print(class_bars(summary.totals), no_wrap=True, overflow="ellipsis")
    _print_places(console, places)
    _print_put_off(console, news)
    _print_next(console, summary, places, news.since)
    yield drain(console)


def _print_line(console: Console, text: Text) -> None:
    console.print(text, no_wrap=True, overflow="ellipsis", crop=True)


def _print_problems(console: Console, problems: Sequence[RecordProblem]) -> None:
    for problem in problems[:MAX_PROBLEM_LINES]:
        place = problem.path if problem.line is None else f"{problem.path}:{problem.line}"
        _print_line(
            console, Text.assemble("  ", (printable(place), "bold"), f"  {printable(problem.reason)}")
        )
    _print_rest(console, len(problems) - MAX_PROBLEM_LINES, "record problem")


def _print_rest(console: Console, count: int, noun: str, where: str = "linkhealth -v report") -> None:
    if count > 0:
        _print_line(console, Text(f"  … and {counted(count, f'more {noun}')}: {where}", "dim"))


def _print_changes(console: Console, changes: Sequence[Change], since: int) -> None:
    console.print()
    news = [change for change in changes if change.news in SHOWN_CHANGES]
    if not news:
        _print_line(console, Text(f"Nothing broke, and nothing came back, since run {since}.", "green"))
        return
    counts = Counter(change.news for change in news)
    parts = [f"{CHANGE_TITLES[kind].lower()} {counts[kind]:,}" for kind in SHOWN_CHANGES if counts[kind]]
    _print_line(console, Text(f"Since run {since}: {', '.join(parts)}", "bold"))
    for change in news[:MAX_NEWS]:
        _print_target(console, change.entry, (change.news.value, CHANGE_STYLES.get(change.news, "")))
    _print_rest(console, len(news) - MAX_NEWS, "change", f"linkhealth diff --since {since}")


def _print_first(console: Console, entries: Sequence[Entry]) -> None:
    if entries:
        console.print()
        _print_line(console, Text("What is broken", "bold"))
    for entry in entries:
        _print_target(console, entry, (entry.verdict.value, CLASS_STYLES[entry.verdict.cls]))


def _print_target(console: Console, entry: Entry, word: tuple[str, str]) -> None:
    """A target with its first link, the link first: that is where somebody has to go."""
    place = _short(entry.links[0].place if entry.links else "", console.width * 2 // 5)
    start = Text.assemble("  ", (f"{word[0]:<14}", word[1]), (f"{place}  ", "dim"))
    _print_line(console, start.append(printable(entry.url)))


def _short(text: str, width: int) -> str:
    """A text without its beginning where it is too long: the end of a path or a name tells more."""
    printable_text = printable(text)
    return printable_text if len(printable_text) <= width else f"…{printable_text[1 - width :]}"


def _print_places(console: Console, places: _Places) -> None:
    """The worst hosts and records, beside each other."""
    hosts, records = _worst(places.hosts), _worst(places.records)
    if not hosts:
        return
    table = Table.grid(padding=(0, 2), expand=False)
    for justify in ("left", "right", "left", "right"):
        table.add_column(justify=justify, no_wrap=True, overflow="ellipsis", ratio=None)
    width = max(20, (console.width - 34) // 2)
    table.add_row(Text("Worst hosts", "bold"), "", Text("Worst records", "bold"), "")
    for row in range(max(len(hosts), len(records))):
        table.add_row(*_cells(hosts, row, width), *_cells(records, row, width))
    console.print()
    console.print(table)


def _worst(losses: dict[str, Losses]) -> list[tuple[str, Losses]]:
    failing = ((name, loss) for name, loss in losses.items() if loss.failing)
    return sorted(failing, key=lambda item: (-item[1].worst, -item[1].failing, item[0]))[:MAX_PLACE_ROWS]


def _cells(losses: Sequence[tuple[str, Losses]], row: int, width: int) -> tuple[Text, Text]:
    if row >= len(losses):
        return Text(), Text()
    name, loss = losses[row]
    count = f"{loss.failing:,} of {loss.total:,}"
    return Text(f"  {_short(name, width)}"), Text(count, SEVERITY_STYLES[loss.worst])


def _print_put_off(console: Console, news: News) -> None:
    lines = postponed_lines(news.postponed)
    for line in lines[:MAX_PUT_OFF]:
        _print_line(console, Text(line, "cyan"))
    _print_rest(console, len(lines) - MAX_PUT_OFF, "host")


def _print_next(console: Console, summary: Summary, places: _Places, since: int) -> None:
    console.print()
    for command, purpose in islice(_next_commands(summary, places, since), MAX_COMMANDS):
        _print_line(console, Text.assemble(("  " + f"{command:<38}", "bold"), purpose))


def _next_commands(summary: Summary, places: _Places, since: int) -> Iterator[tuple[str, str]]:
    """What helps next, as the state of things is."""
    if places.first:
        yield "linkhealth report --only hard", "what is broken for certain"
        yield "linkhealth report --by record", "what each record lost, with lines to click on"
    if summary.totals.verdicts.get("moved") or summary.totals.issues:
        yield "linkhealth fix", "the corrections that are safe, as a diff"
    if since and not places.first:
        yield f"linkhealth diff --since {since}", "what changed"
    yield "linkhealth -v report", "all of it"
    yield "linkhealth serve", "the same in a browser"
