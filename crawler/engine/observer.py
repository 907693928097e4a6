"""What a run reports while it goes on."""

from __future__ import annotations

from typing import Protocol

from storage.model import Finding


class Observer(Protocol):
    """Watches a run as it goes; every call is quick and never raises."""

    def read(self, records: int, links: int) -> None:
        """So many records and links were read by now."""

    def planned(self, total: int, lanes: int) -> None:
        """So many targets in so many lanes are due."""

    def bounded(self, text: str) -> None:
        """The run cannot end before some time, and why; one sentence."""

    def found(self, finding: Finding) -> None:
        """One target was checked."""

    def left(self, targets: int, workers: int) -> None:
        """So many targets are left of a run that others help with; `workers` counts all at it."""

    def judging(self) -> None:
        """Nothing is asked any more; links are judged now."""

    def said(self, text: str) -> None:
        """Something that a person should know, one sentence."""


class NullObserver:
    """An observer that does nothing; the base of those that want to see only some of a run."""

    def read(self, records: int, links: int) -> None:
        """Ignore it."""

    def planned(self, total: int, lanes: int) -> None:
        """Ignore it."""

    def bounded(self, text: str) -> None:
        """Ignore it."""

    def found(self, finding: Finding) -> None:
        """Ignore it."""

    def left(self, targets: int, workers: int) -> None:
        """Ignore it."""

    def judging(self) -> None:
        """Ignore it."""

    def said(self, text: str) -> None:
        """Ignore it."""
