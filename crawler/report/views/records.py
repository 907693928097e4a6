"""The view by record, for editors: a block a record, every link with its place to click on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

from rich.console import Console
from rich.text import Text

from crawler.report.console import buffered_console, drain
from crawler.report.escape import json as as_json
from crawler.report.escape import printable
from crawler.report.phrases import counted, issue_phrase
from crawler.report.severity import Severity, failing_for
from crawler.report.target_json import detail, moment
from crawler.report.views.record_losses import ItemLosses, LinkProblem, RecordLosses
from storage.model import Kind

KIND_NAMES: Final = {Kind.WEB: "web", Kind.AMP: "AMP", Kind.AMP_CDN: "AMP-CDN", Kind.IMAGE: "images"}
SEVERITY_STYLES: Final = {
    Severity.CRITICAL: "bold red",
    Severity.HIGH: "red",
    Severity.MEDIUM: "magenta",
    Severity.LOW: "yellow",
    Severity.NONE: "dim",
}
RECORD_PIECE_CHARACTERS: Final = 65_536  # characters


def table(records: Sequence[RecordLosses]) -> Iterator[str]:
    """A block a record: its items, what each lost, and the links, each with its place first."""
    console = buffered_console()
    for record in records:
        name = printable(record.path) + (f" (record {record.number + 1})" if record.number else "")
        console.print(Text.assemble((name, "bold"), "  ", _word(record.severity)))
        for problem in record.problems:
            console.print(
                Text(f"    {printable(_place(problem.path, problem.line))}  {printable(problem.reason)}")
            )
        for item in record.items.values():
            _print_item(console, item)
        if console.file.tell() > RECORD_PIECE_CHARACTERS:
            yield drain(console)
    if not records:
        console.print(Text("No record has anything wrong."))
    yield drain(console)


def _word(bad: Severity) -> tuple[str, str]:
    return bad.word, SEVERITY_STYLES[bad]


def _place(path: str, line: int | None) -> str:
    return path if line is None else f"{path}:{line}"


def _print_item(console: Console, item: ItemLosses) -> None:
    console.print(Text(f"  {printable(item.name) or 'the record itself'}: {sentence(item)}"))
    for fault in item.faults:
        link = fault.entry_link.link
        place = f"{printable(fault.entry_link.record)}:{link.line}:{link.column}"
        problems = "; ".join(_what(fault))
        console.print(Text.assemble("    ", place, "  ", _word(fault.severity), f"  {problems}"))
        console.print(Text(f"      {printable(fault.entry.url)}", "dim"))


def sentence(item: ItemLosses) -> str:
    """What is lost, and what is left: "lost web, 2 of 3 images; left AMP"."""
    lost_kinds = [_share(kind, item) for kind in Kind if item.lost.get(kind)]
    whole_kinds = [KIND_NAMES[kind] for kind in Kind if item.links.get(kind, 0) > item.lost.get(kind, 0)]
    parts = [f"lost {', '.join(lost_kinds)}"] if lost_kinds else ["nothing lost"]
    return "; ".join([*parts, f"left {', '.join(whole_kinds)}"] if whole_kinds else parts)


def _share(kind: Kind, item: ItemLosses) -> str:
    losses, links = item.lost[kind], item.links[kind]
    return KIND_NAMES[kind] if losses == links == 1 else f"{losses} of {links} {KIND_NAMES[kind]}"


def _what(fault: LinkProblem) -> Iterator[str]:
    entry = fault.entry
    if fault.lost:
        status = f" ({entry.finding.status})" if entry.finding and entry.finding.status else ""
        why = detail(entry)
        days = failing_for(entry).days
        age = f" for {counted(days, 'day')}" if days else ""
        yield f"{entry.verdict.value}{status}, {entry.state.value}{age}" + (
            f": {printable(why)}" if why else ""
        )
    for issue in fault.entry_link.issues:
        yield issue_phrase(issue, printable)


def line(record: RecordLosses) -> dict[str, object]:
    """The object of one record; keys never vanish."""
    return {
        "record": record.path,
        "number": record.number,
        "severity": record.severity.word,
        "problems": [{"line": problem.line, "reason": problem.reason} for problem in record.problems],
        "items": [_item_line(item) for item in record.items.values()],
    }


def _item_line(item: ItemLosses) -> dict[str, object]:
    return {
        "item": item.name,
        "severity": item.severity.word,
        "lost": {kind.value: item.lost.get(kind, 0) for kind in Kind},
        "of": {kind.value: item.links.get(kind, 0) for kind in Kind},
        "links": [_fault_line(fault) for fault in item.faults],
    }


def _fault_line(fault: LinkProblem) -> dict[str, object]:
    entry, link = fault.entry, fault.entry_link.link
    return {
        "url": entry.url,
        "kind": link.kind.value,
        "field": link.field,
        "line": link.line,
        "column": link.column,
        "severity": fault.severity.word,
        "verdict": entry.verdict.value,
        "state": entry.state.value,
        "failing_since": moment(entry.failing_since),
        "lost": fault.lost,
        "issues": [issue.issue.value for issue in fault.entry_link.issues],
    }


def json_(records: Sequence[RecordLosses]) -> Iterator[str]:
    """One array."""
    yield "["
    separator = "\n"
    for record in records:
        yield separator + as_json(line(record))
        separator = ",\n"
    yield "\n]\n"


def jsonl(records: Sequence[RecordLosses]) -> Iterator[str]:
    """A line a record."""
    for record in records:
        yield as_json(line(record)) + "\n"


RECORD_REPORTS: Final[Mapping[str, Callable[[Sequence[RecordLosses]], Iterator[str]]]] = {
    "table": table,
    "json": json_,
    "jsonl": jsonl,
}
