"""Counts over the entries of a report."""

from __future__ import annotations

from dataclasses import dataclass, field

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
        self.known |= {entry.known.value, entry.known.cls.value, entry.state.value, *issues}
        self.known |= {"issues"} if issues else set()
