"""Counts over the entries of a report."""

from __future__ import annotations

from dataclasses import dataclass, field

from storage.model import PinWord, Verdict
from storage.queries.report.entry import Entry


@dataclass(slots=True)
class Totals:
    """Counts over the entries of a report, by the words of the contract.

    Verdicts and classes are those that hold; `not_asked` counts by why the run did not ask.
    """

    targets: int = 0
    links: int = 0
    classes: dict[str, int] = field(default_factory=dict)
    verdicts: dict[str, int] = field(default_factory=dict)
    kinds: dict[str, int] = field(default_factory=dict)
    states: dict[str, int] = field(default_factory=dict)
    issues: dict[str, int] = field(default_factory=dict)
    not_asked: dict[str, int] = field(default_factory=dict)
    known: set[str] = field(default_factory=set)
    postponed: list[tuple[str, str]] = field(default_factory=list)

    def add(self, entry: Entry) -> None:
        """Count one entry.

        `known` gathers every word that `--fail-on` can name, `postponed` the URLs that were put off,
        each with the reason.
        """
        self.targets += 1
        self.links += len(entry.links)
        _count(self.verdicts, entry.verdict)
        _count(self.classes, entry.verdict.cls)
        _count(self.kinds, entry.kind)
        if entry.known_state is not None:
            _count(self.states, entry.known_state)
        if entry.not_asked is not None:
            _count(self.not_asked, entry.not_asked)
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
        if entry.known_state is not None:
            self.known.add(entry.known_state)
        if word is not PinWord.ALIVE:
            self.known.update((entry.verdict, entry.verdict.cls))
        if entry.not_asked is not None:
            self.known.add(entry.not_asked)
        if entry.not_asked is Verdict.POSTPONED:
            self.postponed.append((entry.url, entry.unasked_reason or ""))


def _count(counts: dict[str, int], word: str) -> None:
    counts[word] = counts.get(word, 0) + 1
