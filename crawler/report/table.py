"""The table for a terminal: what is wrong, by record, worst first; then the counts as bars."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from crawler.report.base import Summary
from crawler.report.line import pinned
from crawler.report.paper import paper, taken
from crawler.report.safe import shown
from storage.model import Class, PinWord, Verdict
from storage.queries import WORST_FIRST, Entry, EntryLink, Totals

STYLES: Final = {
    Class.HARD: "bold red",
    Class.SOFT: "red",
    Class.CONTENT: "magenta",
    Class.TRANSIENT: "yellow",
    Class.UNKNOWN: "cyan",
    Class.UNCHECKED: "dim",
    Class.ALIVE: "green",
}
BAR: Final = 24  # columns of the longest bar
LINKS: Final = 3  # links of one target that are shown; the rest are counted
QUIET: Final = frozenset({Class.ALIVE})


def report(summary: Summary) -> Iterator[str]:
    """Problems of records, then a block for each target with something to say, then the counts."""
    console = paper()
    for problem in summary.problems:
        place = problem.path if problem.line is None else f"{problem.path}:{problem.line}"
        console.print(Text.assemble((shown(place), "bold"), f"  {shown(problem.reason)}"))
    if summary.problems:
        console.print()
    for entry in summary.entries():
        if _issues(entry) or not (entry.known.cls in QUIET or _ignored(entry)):
            _print_entry(console, entry)
        if console.file.tell() > 65_536:  # noqa: PLR2004 - a piece of 64 KiB
            yield taken(console)
    _print_totals(console, summary)
    yield taken(console)


def _issues(entry: Entry) -> int:
    return sum(len(link.issues) for link in entry.links)


def _ignored(entry: Entry) -> bool:
    return entry.pin is not None and entry.pin.word is PinWord.IGNORE


def _print_entry(console: Console, entry: Entry) -> None:
    verdict = entry.verdict
    word = verdict.value if verdict is entry.known else f"{entry.known.value} ({verdict.value})"
    head = Text.assemble((word, STYLES[entry.known.cls]), "  ", shown(entry.url))
    finding = entry.finding
    facts = [str(finding.status)] if finding and finding.status else []
    facts += [shown(finding.detail)] if finding and finding.detail else []
    facts += [f"now at {shown(finding.moved_to)}"] if finding and finding.moved_to else []
    facts += [entry.state.value] if entry.state.value not in {"new", "alive"} else []
    facts += [shown(pinned(entry.pin))] if entry.pin else []
    console.print(head)
    if facts:
        console.print(Text(f"    {' · '.join(facts)}"))
    ordered = sorted(entry.links, key=lambda one: not one.issues)
    for link in ordered[:LINKS]:
        _print_link(console, link)
    if len(entry.links) > LINKS:
        console.print(Text(f"    … and {len(entry.links) - LINKS} more links", "dim"))


def _print_link(console: Console, one: EntryLink) -> None:
    place = f"{shown(one.record)}:{one.link.line}:{one.link.column}"
    console.print(Text.assemble("    ", (place, "dim"), f"  {shown(one.link.field)}"))
    for issue in one.issues:
        said = f"      {issue.issue.value}: {shown(issue.expected or '')} -> {shown(issue.actual or '')}"
        console.print(Text(said, "magenta"))


def _print_totals(console: Console, summary: Summary) -> None:
    totals = summary.totals
    if totals.targets:
        console.print()
        console.print(_bars(totals))
    ending = "; ".join(summary.certificates)
    if ending:
        console.print(Text(f"Certificates that end soon: {shown(ending)}.", STYLES[Class.TRANSIENT]))
    console.print(Text(_sentence(summary)))


def _bars(totals: Totals) -> Table:
    table = Table.grid(padding=(0, 2))
    largest = max(totals.classes.values(), default=1)
    for cls in reversed(WORST_FIRST):
        count = totals.classes.get(cls.value, 0)
        if not count:
            continue
        bar = "█" * max(1, round(BAR * count / largest))
        verdicts = [f"{v} {n}" for v, n in sorted(totals.verdicts.items()) if Verdict(v).cls is cls]
        table.add_row(
            Text(cls.value, STYLES[cls]),
            Text(str(count)),
            Text(bar, STYLES[cls]),
            Text(", ".join(verdicts), "dim"),
        )
    if totals.issues:
        said = ", ".join(f"{name} {count}" for name, count in sorted(totals.issues.items()))
        table.add_row(Text("link issues", "magenta"), Text(str(sum(totals.issues.values()))), "", said)
    return table


def _sentence(summary: Summary) -> str:
    totals, run = summary.totals, summary.run
    parts = [f"{totals.targets} targets", f"{totals.links} links"]
    if summary.problems:
        parts.append(f"{len(summary.problems)} record problems")
    if run is None:
        return "No run yet: 'linkhealth audit' makes one."
    ended = "" if run.ended in {"finished", None} else f", {run.ended}"
    return f"Run {run.id}{ended}: {', '.join(parts)}."
