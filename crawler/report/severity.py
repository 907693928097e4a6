"""How bad a finding is for readers: one rule over class, state, kind and age. Pure.

Points: `hard` 2, `soft` and `content` 2, `transient` 1; a text that is no URL 2. One more if the
target is `dead`, one more if it has been failing for 30 days; one less for AMP and AMP-CDN, since
the web page is still there. What fails has at least 1 point, and at most 4.
"""

from __future__ import annotations

from datetime import timedelta
from enum import IntEnum

from storage.model import Class, Kind, PinWord, State
from storage.queries import Entry, EntryLink
from storage.severity import BASE, BESIDE, ISSUES, LEAST, LONG, MOST, POINTS


class Severity(IntEnum):
    """From nothing at all to what should be mended today."""

    NONE = 0
    LOW = 1
    MEDIUM = 2
    HIGH = 3
    CRITICAL = 4

    @property
    def word(self) -> str:
        """Its name as reports write it."""
        return self.name.lower()


def severity(entry: Entry, kind: Kind | None = None) -> Severity:
    """How bad the state of a target is, as a link of this kind (default: its own) shows it."""
    word = entry.pin.word if entry.pin else None
    known = entry.known
    points = POINTS[Class.HARD] if word is PinWord.DEAD else BASE.get(known.value, 0)
    if not points or word in {PinWord.IGNORE, PinWord.ALIVE}:
        return Severity.NONE
    points += (entry.state is State.DEAD) + (failing_for(entry) >= LONG)
    points -= (kind or entry.kind) in BESIDE
    return Severity(min(max(points, LEAST), MOST))


def failing_for(entry: Entry) -> timedelta:
    """How long it failed, up to its newest check: the clock of today changes no report."""
    if entry.failing_since is None or entry.finding is None:
        return timedelta()
    return max(entry.finding.checked_at - entry.failing_since, timedelta())


def of_link(entry: Entry, one: EntryLink) -> Severity:
    """How bad a link is: its target's state, or the worst of its own issues."""
    own = (Severity(ISSUES[issue.issue]) for issue in one.issues)
    return max(severity(entry, one.link.kind), *own, Severity.NONE)


def of_entry(entry: Entry) -> Severity:
    """How bad a target is: the worst of its links, or its state where no link names it."""
    return max((of_link(entry, one) for one in entry.links), default=severity(entry))
