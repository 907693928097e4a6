"""CSV: one link a row, for spreadsheets; a target that no record names any more has one row, too.

What a spreadsheet would take for a formula gets an apostrophe before it, as spreadsheets have it.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import Final

from crawler.report.base import Summary
from crawler.report.escape import printable_in_full
from crawler.report.phrases import issue_phrase
from crawler.report.severity import link_severity, severity
from crawler.report.target_json import detail, moment
from storage.model import Picture
from storage.queries.report import Entry, EntryLink
from storage.upkeep.spreadsheet import cell_text

CSV_TARGET_COLUMNS: Final = (
    "url asked not_asked verdict class state severity status final_url moved_to detail "
    "failing_since checked_at next_due"
)
ENTRY_COLUMNS: Final = "kind record line column field text declared_width declared_height width height issues"
COLUMNS: Final = (*CSV_TARGET_COLUMNS.split(), *ENTRY_COLUMNS.split())
CSV_PIECE_CHARACTERS: Final = 65_536  # characters


def report(summary: Summary) -> Iterator[str]:
    """The header, then the rows in pieces of 64 KiB; lines end in a line feed alone."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(COLUMNS)
    for entry in summary.entries():
        writer.writerows([_cell(value) for value in row] for row in _rows(entry))
        if file.tell() > CSV_PIECE_CHARACTERS:
            yield file.getvalue()
            file.seek(0)
            file.truncate()
    yield file.getvalue()


def _cell(value: object) -> object:
    if not isinstance(value, str):
        return value
    return cell_text(printable_in_full(value))


def _rows(entry: Entry) -> Iterator[tuple[object, ...]]:
    for entry_link in entry.links:
        yield (*_target(entry, link_severity(entry, entry_link).word), *_link(entry, entry_link))
    if not entry.links:
        yield (
            *_target(entry, severity(entry).word),
            entry.kind.value,
            *[None] * (len(ENTRY_COLUMNS.split()) - 1),
        )


def _target(entry: Entry, severe: str) -> tuple[object, ...]:
    finding = entry.finding
    return (
        entry.url,
        "true" if entry.asked else "false",
        entry.not_asked.value if entry.not_asked else None,
        entry.verdict.value,
        entry.verdict.cls.value,
        entry.known_state.value if entry.known_state else None,
        severe,
        finding.status if finding else None,
        finding.final_url if finding else None,
        finding.moved_to if finding else None,
        detail(entry),
        moment(entry.failing_since),
        moment(finding.checked_at) if finding else None,
        moment(entry.next_due),
    )


def _link(entry: Entry, entry_link: EntryLink) -> tuple[object, ...]:
    link, declared = entry_link.link, entry_link.link.declared
    size = _size(entry.finding.picture if entry.finding else None)
    issues = "; ".join(issue_phrase(issue, str) for issue in entry_link.issues)
    declared_size = (declared.width, declared.height) if declared else (None, None)
    return (
        link.kind.value,
        entry_link.record,
        link.line,
        link.column,
        link.field,
        link.text,
        *declared_size,
        *size,
        issues,
    )


def _size(picture: Picture | None) -> tuple[int | None, int | None]:
    size = picture.size if picture else None
    return (size.width, size.height) if size else (None, None)
