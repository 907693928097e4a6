"""`linkhealth report`: what is known, in the form you like."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, Final, NoReturn

import click
import sqlalchemy as sa

from crawler.cli.output import failed, output_file, word_list, word_or_kind_list, write
from crawler.config import load
from crawler.report import REPORTS, Selection, Summary, summarise
from crawler.report.suspects import SUSPECT_REPORTS
from crawler.report.thumbnails import thumbnails
from crawler.report.views import VIEWS
from storage import queries
from storage.database import open_known
from storage.model import Run

LONGEST_NUMBER: Final = 18  # digits; no run has as many


@click.command()
@click.option("--run", "number", type=int, help="The findings of this run alone.")
@click.option("--since", metavar="RUN-OR-DATE", help="What was found after that run, or from that day on.")
@click.option("--only", callback=word_or_kind_list, help="Classes, verdicts, issues, states or kinds.")
@click.option(
    "--by", type=click.Choice(list(VIEWS)), help="A block a record, or a row a host, verdict, kind."
)
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
    engine = open_known(config.database.url)
    try:
        if options["suspects"]:
            write(_suspects(engine, options["format_"]), options["output"])
            return 0
        run = None if options["number"] is None else _run(engine, options["number"])
        since = None if options["since"] is None else _since(engine, options["since"])
        selection = Selection(run=run, only=frozenset(options["only"]), since=since)
        summary = summarise(engine, selection)
        summary.thumbnail = thumbnails(config.images.cache)
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
    if format_ not in VIEWS[by]:
        known = ", ".join(VIEWS[by])
        raise click.BadParameter(f"--by {by} comes as {known}, not as {format_}", param_hint="--format")
    return VIEWS[by][format_](summary)


def _since(engine: sa.Engine, text: str) -> datetime:
    """The start of the run after the one with this number, or the moment that a date names."""
    if not text.isascii() or not text.isdigit():
        return _moment(text)
    runs = queries.runs(engine)
    number = int(text) if len(text) < LONGEST_NUMBER else -1
    if number not in {0, *(run.id for run in runs)}:
        _refuse_run(text, runs, "--since")
    later = (run.started_at for run in runs if run.id > number)
    return next(later, datetime.max.replace(tzinfo=UTC))


def _moment(text: str) -> datetime:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        why = f"{text!r} is no run and no date: write 12, 2026-11-23 or 2026-11-23T04:00:00Z"
        raise click.BadParameter(why, param_hint="--since") from None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _run(engine: sa.Engine, number: int) -> Run:
    runs = queries.runs(engine)
    found = next((run for run in runs if run.id == number), None)
    if found is None:
        _refuse_run(str(number), runs, "--run")
    return found


def _refuse_run(text: str, runs: Sequence[Run], option: str) -> NoReturn:
    known = f"there are 1 to {runs[-1].id}" if runs else "there is none yet"
    raise click.BadParameter(f"no run {text}; {known}", param_hint=option)
