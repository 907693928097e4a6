"""What the page shows of each target, the worst first, and no more of them than a browser likes."""

from __future__ import annotations

import heapq
from base64 import b64encode
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple, TypeAlias

from crawler.report.base import Summary
from crawler.report.html.frames import Frames, frames
from crawler.report.meanings import ISSUE_MEANS, VERDICT_MEANS
from crawler.report.severity import Severity, failing_for, of_entry, of_link
from storage.model import Class, Issue, Picture, Verdict
from storage.queries import Entry, EntryLink

TARGETS: Final = 2_000  # targets that are shown; a page of more is read by nobody
LINKS: Final = 10  # links of one target that are shown
THUMBNAILS: Final = 300  # at some 4 kB each
Thumbnail: TypeAlias = Callable[[Picture], bytes | None]


@dataclass(frozen=True, slots=True)
class Sheet:
    """One target: how bad it is, its links with the worst first, and what there is to draw."""

    entry: Entry
    severity: Severity
    links: Sequence[EntryLink]
    more: int
    frames: Frames | None
    picture: str | None

    @property
    def word(self) -> str:
        """What is wrong, in a word: the verdict, or the first issue of a target that is fine."""
        return self._issue.value if self._issue else self.entry.known.value

    @property
    def means(self) -> str:
        """What is wrong, in a sentence."""
        return ISSUE_MEANS[self._issue] if self._issue else VERDICT_MEANS[self.entry.known]

    @property
    def _issue(self) -> Issue | None:
        issues = self.links[0].issues if self.links else ()
        return issues[0].issue if issues and self.entry.known.cls is Class.ALIVE else None

    @property
    def days(self) -> int:
        """For how many days it has been failing."""
        return failing_for(self.entry).days


class _Row(NamedTuple):
    order: tuple[int, int]
    entry: Entry


def sheets(summary: Summary, most: int = TARGETS) -> tuple[list[tuple[Severity, list[Sheet]]], int]:
    """The `most` worst targets by severity, and how many are not shown."""
    rows, wrong = _worst(summary, most)
    made = list(_sheets((row.entry for row in rows), summary.thumbnail))
    groups = [(bad, [one for one in made if one.severity is bad]) for bad in reversed(Severity)]
    return [group for group in groups if group[1]], wrong - len(rows)


def _worst(summary: Summary, most: int) -> tuple[list[_Row], int]:
    """The worst targets in order, those that the report has first among equals."""
    found: list[_Row] = []
    wrong = 0
    for entry in summary.entries():
        bad = of_entry(entry)
        if bad is Severity.NONE and not _open(entry):
            continue
        # A heap keeps its least on top: what is to go first has the least severity.
        row = _Row((bad, -wrong), entry)
        wrong += 1
        if len(found) < most:
            heapq.heappush(found, row)
        elif row.order > found[0].order:
            heapq.heapreplace(found, row)
    return sorted(found, key=lambda row: row.order, reverse=True), wrong


def _open(entry: Entry) -> bool:
    """Whether it is not known to be alive, nor to be mended: a person may look."""
    return entry.known.cls is not Class.ALIVE and entry.known is not Verdict.NOT_REACHED


def _sheets(entries: Iterator[Entry], thumbnail: Thumbnail) -> Iterator[Sheet]:
    drawn = 0
    for entry in entries:
        links = sorted(entry.links, key=lambda one: -of_link(entry, one))
        picture = entry.finding.picture if entry.finding else None
        found = thumbnail(picture) if picture and drawn < THUMBNAILS else None
        drawn += found is not None
        drawing = next(filter(None, (frames(entry, one) for one in links)), None)
        more = max(0, len(links) - LINKS)
        yield Sheet(entry, of_entry(entry), links[:LINKS], more, drawing, _data(found))


def _data(picture: bytes | None) -> str | None:
    """The picture as a URL that needs no network."""
    return f"data:image/webp;base64,{b64encode(picture).decode()}" if picture else None
