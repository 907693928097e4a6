"""What every report is made of, and the table of formats."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import import_module
from typing import Final, TypeAlias

import sqlalchemy as sa

from crawler.report.certificates import Certificates
from storage import queries
from storage.model import Picture, Problem, Run
from storage.queries import Entry, Totals


@dataclass(frozen=True, slots=True)
class Selection:
    """Which part of the database a report is about.

    `run`: the findings of that run alone; `asked`: every target that this run read, asked or not;
    neither: the newest finding of every target. `only`: words of classes, verdicts, issues, states,
    kinds. `since`: what was found at that time or later.
    """

    run: Run | None = None
    asked: Run | None = None
    only: frozenset[str] = frozenset()
    since: datetime | None = None

    def takes(self, entry: Entry) -> bool:
        """Whether an entry is one of those asked for."""
        if self.since is not None and (entry.finding is None or entry.finding.checked_at < self.since):
            return False
        return not self.only or bool(self.only & words(entry))


def words(entry: Entry) -> set[str]:
    """Every word of the contract that fits an entry."""
    issues = {issue.issue.value for link in entry.links for issue in link.issues}
    own = {entry.verdict.value, entry.verdict.cls.value, entry.state.value, entry.kind.value}
    return own | issues | ({"issues"} if issues else set())


class Summary:
    """What a report shows: counts, what could not be read, and the targets, as often as needed.

    The targets are counted as they pass by for the first time, so that a report that needs its
    counts at its end reads the database once; so are the certificates that end soon. `everything`
    are the targets as they would be if nothing but the run had been asked for. `thumbnail` gives a
    small WebP of a picture that is in the cache, or None; without a cache at hand there are none.
    """

    def __init__(
        self,
        run: Run | None,
        problems: tuple[Problem, ...],
        read: Callable[[], Iterator[Entry]],
        everything: Callable[[], Iterator[Entry]] | None = None,
    ) -> None:
        self.run, self.problems, self._read = run, problems, read
        self.everything = everything or read
        self.thumbnail: Callable[[Picture], bytes | None] = lambda _: None
        self._totals: Totals | None = None
        self.certificates = Certificates(datetime.now(UTC))

    @property
    def totals(self) -> Totals:
        """The counts over all targets."""
        if self._totals is None:
            for _ in self.entries():
                pass
        return self._totals or Totals()

    def entries(self) -> Iterator[Entry]:
        """The targets, worst class first."""
        totals = Totals()
        for entry in self._read():
            totals.add(entry)
            self.certificates.add(entry.finding)
            yield entry
        self._totals = totals


Report: TypeAlias = Callable[[Summary], Iterator[str]]


def summarise(engine: sa.Engine, selection: Selection) -> Summary:
    """Read a summary; the targets are read again each time they are asked for."""

    def everything() -> Iterator[Entry]:
        return queries.entries(engine, run=selection.run, asked=selection.asked)

    def read() -> Iterator[Entry]:
        return (entry for entry in everything() if selection.takes(entry))

    run = selection.run or selection.asked
    problems = tuple(queries.problems(engine, run=run))
    return Summary(run or _newest(engine), problems, read, everything)


def _newest(engine: sa.Engine) -> Run | None:
    return next(reversed(queries.runs(engine)), None)


def _format(name: str) -> Report:
    """A report whose module is imported when it is made."""

    def report(summary: Summary) -> Iterator[str]:
        module = import_module(f"crawler.report.{name}")
        made: Iterator[str] = module.report(summary)
        return made

    return report


REPORTS: Final[Mapping[str, Report]] = {
    name: _format(module)
    for name, module in (
        ("table", "table"),
        ("json", "json_"),
        ("jsonl", "jsonl"),
        ("csv", "csv_"),
        ("junit", "junit"),
        ("sarif", "sarif"),
        ("markdown", "markdown"),
        ("html", "html"),
        ("prometheus", "prometheus"),
    )
}
