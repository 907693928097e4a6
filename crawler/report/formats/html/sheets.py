"""What the page shows of each target, the worst first, and no more of them than a browser likes."""

from __future__ import annotations

import heapq
from base64 import b64encode
from collections.abc import Callable, Iterator, Sequence
from typing import Final, NamedTuple, TypeAlias

from crawler.report.base import Summary
from crawler.report.descriptions import ISSUE_MEANS, VERDICT_MEANS
from crawler.report.formats.html.frames import FrameDrawing, link_frames
from crawler.report.severity import Severity, entry_severity, failing_for, link_severity
from storage.frozen import frozen
from storage.model import Class, Issue, Picture
from storage.queries.report import Entry, EntryLink

MAX_SHEETS: Final = 2_000  # targets that are shown; a page of more is read by nobody
MAX_SHEET_LINKS: Final = 10  # links of one target that are shown
MAX_THUMBNAILS: Final = 300  # at some 4 kB each
Thumbnail: TypeAlias = Callable[[Picture], bytes | None]


@frozen
class TargetSheet:
    """One target: how bad it is, its links with the worst first, and what there is to draw."""

    entry: Entry
    severity: Severity
    links: Sequence[EntryLink]
    more: int
    frames: FrameDrawing | None
    picture: str | None

    @property
    def word(self) -> str:
        """What is wrong, in a word: the verdict, or the first issue of a target that is fine."""
        return self._issue.value if self._issue else self.entry.verdict.value

    @property
    def means(self) -> str:
        """What is wrong, in a sentence."""
        return ISSUE_MEANS[self._issue] if self._issue else VERDICT_MEANS[self.entry.verdict]

    @property
    def _issue(self) -> Issue | None:
        issues = self.links[0].issues if self.links else ()
        return issues[0].issue if issues and self.entry.verdict.cls is Class.ALIVE else None

    @property
    def days(self) -> int:
        """For how many days it has been failing."""
        return failing_for(self.entry).days


class _SheetRow(NamedTuple):
    order: tuple[int, int]
    entry: Entry


def sheets(summary: Summary, limit: int = MAX_SHEETS) -> tuple[list[tuple[Severity, list[TargetSheet]]], int]:
    """The `most` worst targets by severity, and how many are not shown."""
    rows, wrong = _worst(summary, limit)
    all_sheets = list(_sheets((row.entry for row in rows), summary.thumbnail))
    groups = [(bad, [sheet for sheet in all_sheets if sheet.severity is bad]) for bad in reversed(Severity)]
    return [group for group in groups if group[1]], wrong - len(rows)


def _worst(summary: Summary, limit: int) -> tuple[list[_SheetRow], int]:
    """The worst targets in order, those that the report has first among equals."""
    rows: list[_SheetRow] = []
    wrong = 0
    for entry in summary.entries():
        bad = entry_severity(entry)
        if bad is Severity.NONE and not _open(entry):
            continue
        # A heap keeps its least on top: what is to go first has the least severity.
        row = _SheetRow((bad, -wrong), entry)
        wrong += 1
        if len(rows) < limit:
            heapq.heappush(rows, row)
        elif row.order > rows[0].order:
            heapq.heapreplace(rows, row)
    return sorted(rows, key=lambda row: row.order, reverse=True), wrong


def _open(entry: Entry) -> bool:
    """Whether it is not known to be alive, nor to be mended: a person may look."""
    return entry.verdict.cls is not Class.ALIVE and not entry.verdict.unasked


def _sheets(entries: Iterator[Entry], thumbnail: Thumbnail) -> Iterator[TargetSheet]:
    thumbnails = 0
    for entry in entries:
        links = sorted(entry.links, key=lambda entry_link: -link_severity(entry, entry_link))
        picture = entry.finding.picture if entry.finding else None
        image = thumbnail(picture) if picture and thumbnails < MAX_THUMBNAILS else None
        thumbnails += image is not None
        drawing = next(filter(None, (link_frames(entry, entry_link) for entry_link in links)), None)
        hidden_links = max(0, len(links) - MAX_SHEET_LINKS)
        yield TargetSheet(
            entry, entry_severity(entry), links[:MAX_SHEET_LINKS], hidden_links, drawing, _data(image)
        )


def _data(picture: bytes | None) -> str | None:
    """The picture as a URL that needs no network."""
    return f"data:image/webp;base64,{b64encode(picture).decode()}" if picture else None
