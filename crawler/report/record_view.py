"""The view by record, for editors: a block a record, every link with its place to click on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from rich.console import Console
from rich.text import Text

from crawler.report.line import detail, moment
from crawler.report.losses import Fault, Item, RecordFaults
from crawler.report.paper import paper, taken
from crawler.report.safe import json as as_json
from crawler.report.safe import shown
from crawler.report.severity import Severity, failing_for
from storage.model import Kind

NAMES: Final = {Kind.WEB: "web", Kind.AMP: "AMP", Kind.AMP_CDN: "AMP-CDN", Kind.IMAGE: "images"}
STYLES: Final = {
    Severity.CRITICAL: "bold red",
    Severity.HIGH: "red",
    Severity.MEDIUM: "magenta",
    Severity.LOW: "yellow",
    Severity.NONE: "dim",
}
PIECE: Final = 65_536  # characters


def table(records: Sequence[RecordFaults]) -> Iterator[str]:
    """A block a record: its items, what each lost, and the links, each with its place first."""
    console = paper()
    for record in records:
        name = shown(record.path) + (f" (record {record.number + 1})" if record.number else "")
        console.print(Text.assemble((name, "bold"), "  ", _word(record.severity)))
        for problem in record.problems:
            console.print(Text(f"    {shown(_place(problem.path, problem.line))}  {shown(problem.reason)}"))
        for item in record.items.values():
            _print_item(console, item)
        if console.file.tell() > PIECE:
            yield taken(console)
    if not records:
        console.print(Text("No record has anything wrong."))
    yield taken(console)


def _word(bad: Severity) -> tuple[str, str]:
    return bad.word, STYLES[bad]


def _place(path: str, line: int | None) -> str:
    return path if line is None else f"{path}:{line}"


def _print_item(console: Console, item: Item) -> None:
    console.print(Text(f"  {shown(item.name) or 'the record itself'}: {sentence(item)}"))
    for fault in item.faults:
        link = fault.one.link
        place = f"{shown(fault.one.record)}:{link.line}:{link.column}"
        said = "; ".join(_what(fault))
        console.print(Text.assemble("    ", place, "  ", _word(fault.severity), f"  {said}"))
        console.print(Text(f"      {shown(fault.entry.url)}", "dim"))


def sentence(item: Item) -> str:
    """What is lost, and what is left: "lost web, 2 of 3 images; left AMP"."""
    lost = [_share(kind, item) for kind in Kind if item.lost.get(kind)]
    left = [NAMES[kind] for kind in Kind if item.links.get(kind, 0) > item.lost.get(kind, 0)]
    parts = [f"lost {', '.join(lost)}"] if lost else ["nothing lost"]
    return "; ".join([*parts, f"left {', '.join(left)}"] if left else parts)


def _share(kind: Kind, item: Item) -> str:
    lost, links = item.lost[kind], item.links[kind]
    return NAMES[kind] if lost == links == 1 else f"{lost} of {links} {NAMES[kind]}"


def _what(fault: Fault) -> Iterator[str]:
    entry = fault.entry
    if fault.lost:
        status = f" ({entry.finding.status})" if entry.finding and entry.finding.status else ""
        why = detail(entry)
        days = failing_for(entry).days
        age = f" for {days} days" if days else ""
        yield f"{entry.known.value}{status}, {entry.state.value}{age}" + (f": {shown(why)}" if why else "")
    for issue in fault.one.issues:
        yield f"{issue.issue.value}: {shown(issue.expected or '')} -> {shown(issue.actual or '')}"


def line(record: RecordFaults) -> dict[str, Any]:
    """The object of one record; keys never vanish."""
    return {
        "record": record.path,
        "number": record.number,
        "severity": record.severity.word,
        "problems": [{"line": one.line, "reason": one.reason} for one in record.problems],
        "items": [_item_line(item) for item in record.items.values()],
    }


def _item_line(item: Item) -> dict[str, Any]:
    return {
        "item": item.name,
        "severity": item.severity.word,
        "lost": {kind.value: item.lost.get(kind, 0) for kind in Kind},
        "of": {kind.value: item.links.get(kind, 0) for kind in Kind},
        "links": [_fault_line(fault) for fault in item.faults],
    }


def _fault_line(fault: Fault) -> dict[str, Any]:
    entry, link = fault.entry, fault.one.link
    return {
        "url": entry.url,
        "kind": link.kind.value,
        "field": link.field,
        "line": link.line,
        "column": link.column,
        "severity": fault.severity.word,
        "verdict": entry.known.value,
        "state": entry.state.value,
        "failing_since": moment(entry.failing_since),
        "lost": fault.lost,
        "issues": [issue.issue.value for issue in fault.one.issues],
    }


def json_(records: Sequence[RecordFaults]) -> Iterator[str]:
    """One array."""
    yield "["
    separator = "\n"
    for record in records:
        yield separator + as_json(line(record))
        separator = ",\n"
    yield "\n]\n"


def jsonl(records: Sequence[RecordFaults]) -> Iterator[str]:
    """A line a record."""
    for record in records:
        yield as_json(line(record)) + "\n"


SHOWS: Final[Mapping[str, Callable[[Sequence[RecordFaults]], Iterator[str]]]] = {
    "table": table,
    "json": json_,
    "jsonl": jsonl,
}
