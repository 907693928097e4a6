"""What every report is made of, and the table of formats."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from importlib import import_module
from typing import Final, TypeAlias

import sqlalchemy as sa

from crawler.report.certificates import Certificates
from crawler.report.names import REPORT_FORMATS
from crawler.report.selection import Selection
from storage.model import Picture, RecordProblem, Run
from storage.queries import report as queries
from storage.queries.report import Entry, Totals


class Summary:
    """What a report shows: counts, what could not be read, and the targets, as often as needed.

    The targets are counted as they pass by for the first time, so that a report that needs its
    counts at its end reads the database once; so are the certificates that end soon. `all_entries`
    are the targets as they would be if nothing but the run had been asked for. `thumbnail` gives a
    small WebP of a picture that is in the cache, or None; without a cache at hand there are none.
    """

    def __init__(
        self,
        run: Run | None,
        problems: tuple[RecordProblem, ...],
        read: Callable[[], Iterator[Entry]],
        read_all: Callable[[], Iterator[Entry]] | None = None,
        limit: int | None = None,
    ) -> None:
        self.run = run
        self.problems = problems
        self._read = read
        self._limit = limit
        self.all_entries = read_all or read
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
        """The targets in the order of the selection, the first of them where it has a limit."""
        totals = Totals()
        for entry in self._read():
            totals.add(entry)
            self.certificates.add(entry.finding)
            if self._limit is None or totals.targets <= self._limit:
                yield entry
        self._totals = totals


Report: TypeAlias = Callable[[Summary], Iterator[str]]


def summarise(engine: sa.Engine, selection: Selection) -> Summary:
    """Read a summary; the targets are read again each time they are asked for."""

    def everything() -> Iterator[Entry]:
        return queries.entries(engine, run=selection.run, reading_run=selection.asked)

    def read() -> Iterator[Entry]:
        return selection.select(everything())

    run = selection.run or selection.asked
    problems = tuple(
        problem for problem in queries.problems(engine, run=run) if selection.takes_path(problem.path)
    )
    return Summary(run or _newest(engine), problems, read, everything, selection.limit)


def _newest(engine: sa.Engine) -> Run | None:
    return next(reversed(queries.runs(engine)), None)


def _format(name: str) -> Report:
    """A report whose module is imported when it is made."""

    def report(summary: Summary) -> Iterator[str]:
        module = import_module(f"crawler.report.formats.{name}")
        pieces: Iterator[str] = module.report(summary)
        return pieces

    return report


REPORTS: Final[Mapping[str, Report]] = {name: _format(name) for name in REPORT_FORMATS}
