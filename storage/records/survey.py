"""What records hold: links, values that look like URLs, texts without front matter."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Final

from storage.model import Document, Kind, RecordProblem, UnmappedValue
from storage.records.body import BODY_FIELD
from storage.records.read import read
from storage.records.rules import Rules
from storage.records.suggest import SuggestedRule, suggested_rules

MAX_FILES: Final = 5_000  # more of the same say nothing new


@dataclass(slots=True)
class UnmappedKey:
    """A path of keys that holds URLs, and that no rule takes: how often, and where it is first seen."""

    keys: str
    count: int
    path: str
    value: UnmappedValue


@dataclass(slots=True)
class Survey:
    """What some files hold. `body_links` counts links of bodies, whether they are to count or not."""

    files: int = 0
    records: int = 0
    links: Counter[Kind] = field(default_factory=Counter)
    body_links: int = 0
    unmapped: dict[str, UnmappedKey] = field(default_factory=dict)
    notices: dict[str, list[str]] = field(default_factory=dict)
    problems: list[RecordProblem] = field(default_factory=list)

    def add(self, document: Document) -> None:
        """Count what one file holds."""
        self.files += 1
        self.records += len(document.records)
        self.problems += document.problems
        if document.notice is not None:
            self.notices.setdefault(document.notice, []).append(document.path)
        for record in document.records:
            for link in record.links:
                if link.field == BODY_FIELD:
                    self.body_links += 1
                else:
                    self.links[link.kind] += 1
            for value in record.unmapped:
                self._add_unmapped(document.path, value)

    def _add_unmapped(self, path: str, value: UnmappedValue) -> None:
        key = self.unmapped.setdefault(value.keys, UnmappedKey(value.keys, 0, path, value))
        key.count += 1

    def suggestions(self) -> list[SuggestedRule]:
        """The rules that would take what no rule takes, those that take most first."""
        samples = ((key.keys, key.value.text, key.count) for key in self.unmapped.values())
        return suggested_rules(samples)


def survey(paths: Iterable[str], rules: Rules) -> Survey:
    """Look at the first files, with bodies, whatever the rules say of these."""
    total = Survey()
    for document in surveyed(islice(paths, MAX_FILES), rules):
        total.add(document)
    return total


def surveyed(paths: Iterable[str], rules: Rules) -> Iterator[Document]:
    """The files, read with what no rule takes."""
    wide_rules = rules.surveying()
    wide_rules.body = True
    for path in paths:
        yield read(path, wide_rules)
