"""CSV: one link a row, for spreadsheets; a target that no record names any more has one row, too.

What a spreadsheet would take for a formula gets an apostrophe before it, as spreadsheets have it.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import Final

from crawler.report.base import Summary
from crawler.report.line import detail, moment
from crawler.report.safe import whole
from crawler.report.severity import of_link, severity
from storage.model import Picture
from storage.queries import Entry, EntryLink

TARGET: Final = (
    "url verdict class state severity status final_url moved_to detail failing_since checked_at next_due"
)
LINK: Final = "kind record line column field text declared_width declared_height width height issues"
COLUMNS: Final = (*TARGET.split(), *LINK.split())
FORMULA: Final = tuple("=+-@\uff1d\uff0b\uff0d\uff20")  # full-width forms too
PIECE: Final = 65_536  # characters


def report(summary: Summary) -> Iterator[str]:
    """The header, then the rows in pieces of 64 KiB; lines end in a line feed alone."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(COLUMNS)
    for entry in summary.entries():
        writer.writerows([_cell(value) for value in row] for row in _rows(entry))
        if file.tell() > PIECE:
            yield file.getvalue()
            file.seek(0)
            file.truncate()
    yield file.getvalue()


def _cell(value: object) -> object:
    if not isinstance(value, str):
        return value
    text = whole(value)
    return f"'{text}" if text.lstrip().startswith(FORMULA) else text


def _rows(entry: Entry) -> Iterator[tuple[object, ...]]:
    for one in entry.links:
        yield (*_target(entry, of_link(entry, one).word), *_link(entry, one))
    if not entry.links:
        yield (*_target(entry, severity(entry).word), entry.kind.value, *[None] * (len(LINK.split()) - 1))


def _target(entry: Entry, severe: str) -> tuple[object, ...]:
    finding = entry.finding
    return (
        entry.url,
        entry.verdict.value,
        entry.verdict.cls.value,
        entry.state.value,
        severe,
        finding.status if finding else None,
        finding.final_url if finding else None,
        finding.moved_to if finding else None,
        detail(entry),
        moment(entry.failing_since),
        moment(finding.checked_at) if finding else None,
        moment(entry.next_due),
    )


def _link(entry: Entry, one: EntryLink) -> tuple[object, ...]:
    link, declared = one.link, one.link.declared
    size = _size(entry.finding.picture if entry.finding else None)
    issues = "; ".join(f"{i.issue.value}: {i.expected or ''} -> {i.actual or ''}" for i in one.issues)
    said = (declared.width, declared.height) if declared else (None, None)
    return (link.kind.value, one.record, link.line, link.column, link.field, link.text, *said, *size, issues)


def _size(picture: Picture | None) -> tuple[int | None, int | None]:
    size = picture.size if picture else None
    return (size.width, size.height) if size else (None, None)
