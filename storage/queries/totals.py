"""Counts over the entries of a report."""

from __future__ import annotations

from dataclasses import dataclass, field

from storage.model import PinWord
from storage.queries.entries import Entry


@dataclass(slots=True)
class Totals:
    """Counts over the entries of a report, by the words of the contract."""

    targets: int = 0
    links: int = 0
    classes: dict[str, int] = field(default_factory=dict)
    verdicts: dict[str, int] = field(default_factory=dict)
    kinds: dict[str, int] = field(default_factory=dict)
    states: dict[str, int] = field(default_factory=dict)
    issues: dict[str, int] = field(default_factory=dict)
    known: set[str] = field(default_factory=set)

    def add(self, entry: Entry) -> None:
        """Count one entry. `known` gathers every word that `--fail-on` can name."""
        self.targets += 1
        self.links += len(entry.links)
        _count(self.verdicts, entry.verdict)
        _count(self.classes, entry.verdict.cls)
        _count(self.kinds, entry.kind)
        _count(self.states, entry.state)
        for link in entry.links:
            for issue in link.issues:
                _count(self.issues, issue.issue)
                self.known.update((issue.issue, "issues"))
        self._know(entry)

    def _know(self, entry: Entry) -> None:
        """Note the words for what is wrong with a target, unless a person said that nothing is."""
        word = entry.pin.word if entry.pin else None
        if word is PinWord.IGNORE:
            return
        self.known.add(entry.state)
        if word is not PinWord.ALIVE:
            self.known.update((entry.known, entry.known.cls))


def _count(counts: dict[str, int], word: str) -> None:
    counts[word] = counts.get(word, 0) + 1
