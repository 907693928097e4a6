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
        for counts, word in (
            (self.classes, entry.verdict.cls.value),
            (self.verdicts, entry.verdict.value),
            (self.kinds, entry.kind.value),
            (self.states, entry.state.value),
        ):
            counts[word] = counts.get(word, 0) + 1
        issues = [issue.issue.value for link in entry.links for issue in link.issues]
        for name in issues:
            self.issues[name] = self.issues.get(name, 0) + 1
        self.known |= _problems(entry) | {*issues} | ({"issues"} if issues else set())


def _problems(entry: Entry) -> set[str]:
    """The words for what is wrong with a target, unless a person said that nothing is."""
    word = entry.pin.word if entry.pin else None
    if word is PinWord.IGNORE:
        return set()
    own = set() if word is PinWord.ALIVE else {entry.known.value, entry.known.cls.value}
    return own | {entry.state.value}
