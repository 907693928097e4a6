"""`linkhealth report`: what is known, in the form you like."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import click
import sqlalchemy as sa

from crawler.cli.output import failed, output_file, word_list, write
from crawler.config import load
from crawler.report import REPORTS, Selection, Summary, summarise
from crawler.report.hosts import HOST_REPORTS, gather
from crawler.report.suspects import SUSPECT_REPORTS
from storage import queries
from storage.database import open_engine
from storage.model import Run


@click.command()
@click.option("--run", "number", type=int, help="The findings of this run alone.")
@click.option("--only", callback=word_list, help="Classes, verdicts, issues or states.")
@click.option("--by", type=click.Choice(["host"]), help="A row a host: requests, rate, waits, times.")
@click.option("--suspects", is_flag=True, help="Pictures that may be stand-ins.")
@click.option("--format", "format_", type=click.Choice(list(REPORTS)), default="table")
@click.option(
    "-o", "--output", metavar="FILE", callback=output_file, help="Write the report there; - is stdout."
)
@click.option("--fail-on", callback=word_list, help="What makes the exit code 1.")
@click.pass_obj
def report(obj: dict[str, Any], /, **options: Any) -> int:
    """Report the newest finding of every target, or one run's."""
    config = load(obj["config"])
    engine = open_engine(config.database.url)
    try:
        if options["suspects"]:
            write(_suspects(engine, options["format_"]), options["output"])
            return 0
        run = None if options["number"] is None else _run(engine, options["number"])
        selection = Selection(run=run, only=frozenset(options["only"]))
        summary = summarise(engine, selection)
        write(_pieces(summary, options["by"], options["format_"]), options["output"])
    finally:
        engine.dispose()
    fail_on = options["fail_on"] or config.report.fail_on
    return int(failed(summary.totals, len(summary.problems), fail_on))


def _suspects(engine: sa.Engine, format_: str) -> Iterator[str]:
    if format_ not in SUSPECT_REPORTS:
        known = ", ".join(SUSPECT_REPORTS)
        raise click.BadParameter(f"--suspects comes as {known}, not as {format_}", param_hint="--format")
    return SUSPECT_REPORTS[format_](queries.suspects(engine))


def _pieces(summary: Summary, by: str | None, format_: str) -> Iterator[str]:
    if by is None:
        return REPORTS[format_](summary)
    if format_ not in HOST_REPORTS:
        known = ", ".join(HOST_REPORTS)
        raise click.BadParameter(f"--by {by} comes as {known}, not as {format_}", param_hint="--format")
    return HOST_REPORTS[format_](gather(summary))


def _run(engine: sa.Engine, number: int) -> Run:
    runs = queries.runs(engine)
    found = next((run for run in runs if run.id == number), None)
    if found is None:
        known = f"there are 1 to {runs[-1].id}" if runs else "there is none yet"
        raise click.BadParameter(f"no run {number}; {known}", param_hint="--run")
    return found
