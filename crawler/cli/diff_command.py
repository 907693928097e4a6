"""What `linkhealth diff` does."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import click
import sqlalchemy as sa

from crawler.cli.output import write
from crawler.config import Config
from crawler.report.views.diff import DIFFS, WORSE
from storage.db.database import open_reader
from storage.queries import report as queries
from storage.queries.report import Change


def tell_changes(config: Config, since: int | None, format_: str, output: str | None) -> int:
    """Write what changed since a run, the last but one without a number; 1 if something got worse."""
    engine = open_reader(config.database.url)
    worse = _WorseningWatch()
    try:
        start = _start(engine, since)
        write(DIFFS[format_](start, worse.watch(queries.changes(engine, start))), output)
    finally:
        engine.dispose()
    return int(worse.found)


class _WorseningWatch:
    """Whether any change that passed by was for the worse."""

    def __init__(self) -> None:
        self.found = False

    def watch(self, changes: Iterable[Change]) -> Iterator[Change]:
        for change in changes:
            self.found = self.found or change.news in WORSE
            yield change


def _start(engine: sa.Engine, since: int | None) -> int:
    """The number of the run to compare with: 0 before the first."""
    numbers = [run.id for run in queries.runs(engine)]
    if since is None:
        return numbers[-2] if len(numbers) > 1 else 0
    if since not in {0, *numbers}:
        range_text = f"there are {numbers[0]} to {numbers[-1]}" if numbers else "there is none yet"
        raise click.BadParameter(f"no run {since}; {range_text}", param_hint="--since")
    return since
