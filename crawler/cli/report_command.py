"""What `linkhealth report` does."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Final, NoReturn

import click
import sqlalchemy as sa

from crawler.cli.context import CliContext
from crawler.cli.output import failed, shows_terminal, write
from crawler.cli.record_scope import record_scope
from crawler.cli.report import ReportOptions
from crawler.config import load
from crawler.report.base import REPORTS, Summary, summarise
from crawler.report.selection import Selection
from crawler.report.thumbnails import thumbnails
from crawler.report.views import VIEWS
from crawler.report.views.placeholders import SUSPECT_REPORTS
from storage.db.database import open_or_empty
from storage.model import Run
from storage.queries import report as queries

LONGEST_NUMBER: Final = 18  # digits; no run has as many


def tell_report(context: CliContext, options: ReportOptions) -> int:
    """Write the report that the options ask for; the exit code is that of --fail-on."""
    config = load(context.config)
    engine = open_or_empty(config.database.url)
    try:
        if options["suspects"]:
            write(_suspects(engine, options["format_"] or "table"), options["output"])
            return 0
        run = None if options["number"] is None else _run(engine, options["number"])
        since = None if options["since"] is None else _since(engine, options["since"])
        in_scope = record_scope(config, options["paths"]) if options["paths"] else None
        selection = Selection(
            run=run,
            only=options["only"],
            in_scope=in_scope,
            since=since,
            sort=options["sort"],
            limit=options["limit"],
        )
        summary = summarise(engine, selection)
        if _one_screen(context, options):
            from crawler.report.views.overview import news_of, overview  # noqa: PLC0415 - for a terminal only

            write(overview(summary, news_of(engine, summary.run)), None)
        else:
            summary.thumbnail = thumbnails(config.images.cache)
            write(_pieces(summary, options["by"], options["format_"] or "table"), options["output"])
    finally:
        engine.dispose()
    return int(failed(summary.totals, len(summary.problems), options["fail_on"] or ()))


def _one_screen(context: CliContext, options: ReportOptions) -> bool:
    """Whether one screen is the answer: a terminal asks, and for nothing in particular."""
    has_choice = any(
        options[name] not in {None, ()}
        for name in ("number", "since", "paths", "only", "sort", "limit", "by", "format_", "output")
    )
    return shows_terminal() and not context.verbose and not has_choice


def _suspects(engine: sa.Engine, format_: str) -> Iterator[str]:
    if format_ not in SUSPECT_REPORTS:
        formats = ", ".join(SUSPECT_REPORTS)
        raise click.BadParameter(f"--suspects comes as {formats}, not as {format_}", param_hint="--format")
    return SUSPECT_REPORTS[format_](queries.suspected_placeholders(engine))


def _pieces(summary: Summary, by: str | None, format_: str) -> Iterator[str]:
    if by is None:
        return REPORTS[format_](summary)
    if format_ not in VIEWS[by]:
        formats = ", ".join(VIEWS[by])
        raise click.BadParameter(f"--by {by} comes as {formats}, not as {format_}", param_hint="--format")
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
    matching_run = next((run for run in runs if run.id == number), None)
    if matching_run is None:
        _refuse_run(str(number), runs, "--run")
    return matching_run


def _refuse_run(text: str, runs: Sequence[Run], option: str) -> NoReturn:
    range_text = f"there are 1 to {runs[-1].id}" if runs else "there is none yet"
    raise click.BadParameter(f"no run {text}; {range_text}", param_hint=option)
