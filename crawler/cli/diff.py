"""`linkhealth diff`: what changed state between two runs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import click
import sqlalchemy as sa

from crawler.cli.output import output_file, write
from crawler.config import load
from crawler.report.diff import DIFFS, WORSE
from storage import queries
from storage.database import open_engine
from storage.queries import Change


@click.command()
@click.option("--since", type=int, metavar="RUN", help="The run to compare with; default: the last but one.")
@click.option("--format", "format_", type=click.Choice(list(DIFFS)), default="table")
@click.option("-o", "--output", metavar="FILE", callback=output_file, help="Write it there; - is stdout.")
@click.pass_obj
def diff(obj: dict[str, Any], since: int | None, format_: str, output: str | None) -> int:
    """Tell what died, fell under suspicion, came back or moved since a run; nothing, if nothing did.

    The exit code is 1 if something got worse.
    """
    engine = open_engine(load(obj["config"]).database.url, create=False)
    worse = _Worse()
    try:
        start = _start(engine, since)
        write(DIFFS[format_](start, worse.watch(queries.changes(engine, start))), output)
    finally:
        engine.dispose()
    return int(worse.found)


class _Worse:
    """Whether any change that passed by was for the worse."""

    def __init__(self) -> None:
        self.found = False

    def watch(self, changes: Iterable[Change]) -> Iterator[Change]:
        for one in changes:
            self.found = self.found or one.news in WORSE
            yield one


def _start(engine: sa.Engine, since: int | None) -> int:
    """The number of the run to compare with: 0 before the first."""
    numbers = [run.id for run in queries.runs(engine)]
    if since is None:
        return numbers[-2] if len(numbers) > 1 else 0
    if since not in {0, *numbers}:
        known = f"there are {numbers[0]} to {numbers[-1]}" if numbers else "there is none yet"
        raise click.BadParameter(f"no run {since}; {known}", param_hint="--since")
    return since
