"""How bad a finding is for readers: one rule over class, state, kind and age. Pure.

Points: `hard` 2, `soft` and `content` 2, `transient` 1; a text that is no URL 2. One more if the
target is `dead`, one more if it has been failing for 30 days; one less for AMP and AMP-CDN, since
the web page is still there. What fails has at least 1 point, and at most 4.
"""

from __future__ import annotations

from datetime import timedelta
from enum import IntEnum

from storage.model import Class, Kind, PinWord, State
from storage.queries.report import Entry, EntryLink
from storage.rollups.severity import (
    AMP_KINDS,
    CLASS_POINTS,
    ISSUE_POINTS,
    LONG_FAILURE,
    MAX_SEVERITY,
    MIN_SEVERITY,
    VERDICT_POINTS,
)


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
    pin_word = entry.pin.word if entry.pin else None
    verdict = entry.verdict
    points = CLASS_POINTS[Class.HARD] if pin_word is PinWord.DEAD else VERDICT_POINTS.get(verdict.value, 0)
    if not points or pin_word in {PinWord.IGNORE, PinWord.ALIVE}:
        return Severity.NONE
    points += (entry.state is State.DEAD) + (failing_for(entry) >= LONG_FAILURE)
    points -= (kind or entry.kind) in AMP_KINDS
    return Severity(min(max(points, MIN_SEVERITY), MAX_SEVERITY))


def failing_for(entry: Entry) -> timedelta:
    """How long it failed, up to its newest check: the clock of today changes no report."""
    if entry.failing_since is None or entry.finding is None:
        return timedelta()
    return max(entry.finding.checked_at - entry.failing_since, timedelta())


def link_severity(entry: Entry, entry_link: EntryLink) -> Severity:
    """How bad a link is: its target's state, or the worst of its own issues."""
    issue_severities = (Severity(ISSUE_POINTS[issue.issue]) for issue in entry_link.issues)
    return max(severity(entry, entry_link.link.kind), *issue_severities, Severity.NONE)


def entry_severity(entry: Entry) -> Severity:
    """How bad a target is: the worst of its links, or its state where no link names it."""
    return max((link_severity(entry, entry_link) for entry_link in entry.links), default=severity(entry))
