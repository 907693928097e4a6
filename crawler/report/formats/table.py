"""The table for a terminal: what is wrong, by record, worst first; then the counts as bars."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from crawler.report.base import Summary
from crawler.report.console import buffered_console, drain
from crawler.report.escape import printable
from crawler.report.phrases import counted, issue_phrase, not_asked_phrase
from crawler.report.postponed import postponed_lines
from crawler.report.target_json import pin_phrase
from storage.model import Class, PinWord, RunEnd, Verdict
from storage.queries.report import WORST_FIRST, Entry, EntryLink, Totals

CLASS_STYLES: Final = {
    Class.HARD: "bold red",
    Class.SOFT: "red",
    Class.CONTENT: "magenta",
    Class.TRANSIENT: "yellow",
    Class.UNKNOWN: "cyan",
    Class.UNCHECKED: "dim",
    Class.ALIVE: "green",
}
MAX_BAR_COLUMNS: Final = 24  # columns of the longest bar
MAX_TABLE_LINKS: Final = 3  # links of one target that are shown; the rest are counted
UNLISTED_CLASSES: Final = frozenset({Class.ALIVE})


def report(summary: Summary) -> Iterator[str]:
    """Problems of records, then a block for each target with something to say, then the counts."""
    console = buffered_console()
    for problem in summary.problems:
        place = problem.path if problem.line is None else f"{problem.path}:{problem.line}"
        console.print(Text.assemble((printable(place), "bold"), f"  {printable(problem.reason)}"))
    if summary.problems:
        console.print()
    for entry in summary.entries():
        if _issues(entry) or not (_is_unlisted(entry.verdict) or _ignored(entry)):
            _print_entry(console, entry)
        if console.file.tell() > 65_536:  # noqa: PLR2004 - a piece of 64 KiB
            yield drain(console)
    _print_totals(console, summary)
    yield drain(console)


def _is_unlisted(verdict: Verdict) -> bool:
    """Whether a target is counted alone; what was never asked is listed by no line of its own."""
    return verdict.cls in UNLISTED_CLASSES or verdict.unasked


def _issues(entry: Entry) -> int:
    return sum(len(link.issues) for link in entry.links)


def _ignored(entry: Entry) -> bool:
    return entry.pin is not None and entry.pin.word is PinWord.IGNORE


def _print_entry(console: Console, entry: Entry) -> None:
    head = Text.assemble((entry.verdict.value, CLASS_STYLES[entry.verdict.cls]), "  ", printable(entry.url))
    finding = entry.finding
    facts = [str(finding.status)] if finding and finding.status else []
    facts += [printable(finding.detail)] if finding and finding.detail else []
    facts += [f"now at {printable(finding.moved_to)}"] if finding and finding.moved_to else []
    facts += [entry.state.value] if entry.state.value not in {"new", "alive"} else []
    facts += [printable(pin_phrase(entry.pin))] if entry.pin else []
    console.print(head)
    if facts:
        console.print(Text(f"    {' · '.join(facts)}"))
    links = sorted(entry.links, key=lambda entry_link: not entry_link.issues)
    for link in links[:MAX_TABLE_LINKS]:
        _print_link(console, link)
    if len(entry.links) > MAX_TABLE_LINKS:
        console.print(Text(f"    … and {counted(len(entry.links) - MAX_TABLE_LINKS, 'more link')}", "dim"))


def _print_link(console: Console, entry_link: EntryLink) -> None:
    place = f"{printable(entry_link.record)}:{entry_link.link.line}:{entry_link.link.column}"
    console.print(Text.assemble("    ", (place, "dim"), f"  {printable(entry_link.link.field)}"))
    for issue in entry_link.issues:
        console.print(Text(f"      {issue_phrase(issue, printable)}", "magenta"))


def _print_totals(console: Console, summary: Summary) -> None:
    totals = summary.totals
    if totals.targets:
        console.print()
        console.print(class_bars(totals))
    for line in postponed_lines(totals.postponed):
        console.print(Text(line, CLASS_STYLES[Class.UNKNOWN]))
    ending = "; ".join(summary.certificates)
    if ending:
        console.print(
            Text(f"Certificates that end soon: {printable(ending)}.", CLASS_STYLES[Class.TRANSIENT])
        )
    console.print(Text(run_sentence(summary)))


def class_bars(totals: Totals) -> Table:
    """The counts by class as bars, each with its verdicts."""
    table = Table.grid(padding=(0, 2))
    largest = max(totals.classes.values(), default=1)
    for cls in reversed(WORST_FIRST):
        count = totals.classes.get(cls.value, 0)
        if not count:
            continue
        bar = "█" * max(1, round(MAX_BAR_COLUMNS * count / largest))
        verdicts = [f"{v} {n}" for v, n in sorted(totals.verdicts.items()) if Verdict(v).cls is cls]
        table.add_row(
            Text(cls.value, CLASS_STYLES[cls]),
            Text(str(count)),
            Text(bar, CLASS_STYLES[cls]),
            Text(", ".join(verdicts), "dim"),
        )
    if totals.issues:
        issues = ", ".join(f"{name} {count}" for name, count in sorted(totals.issues.items()))
        table.add_row(Text("link issues", "magenta"), Text(str(sum(totals.issues.values()))), "", issues)
    return table


def run_sentence(summary: Summary) -> str:
    """Which run it is, how it ended, and how much it was about."""
    totals, run = summary.totals, summary.run
    parts = [counted(totals.targets, "target"), counted(totals.links, "link")]
    if summary.problems:
        parts.append(counted(len(summary.problems), "record problem"))
    if totals.not_asked:
        parts.append(f"not asked: {not_asked_phrase(totals.not_asked)}")
    if run is None:
        return "No run yet: 'linkhealth audit' makes one."
    run_end = "" if run.ended in {RunEnd.FINISHED, None} else f", {run.ended}"
    return f"Run {run.id}{run_end}: {', '.join(parts)}."
