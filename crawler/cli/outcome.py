"""What a run tells at its end: its report or its news, its notices, and its exit code."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Final

import click
import sqlalchemy as sa

from crawler import app, notify
from crawler.cli.context import CliContext
from crawler.cli.exit_code import Exit
from crawler.cli.output import failed, shows_terminal, write
from crawler.cli.run_options import RunOptions
from crawler.config import Config
from crawler.report.base import REPORTS, Summary, summarise
from crawler.report.escape import printable
from crawler.report.postponed import postponed_lines
from crawler.report.selection import Selection
from crawler.report.thumbnails import thumbnails
from crawler.report.views.diff import table
from crawler.urls import host_of
from storage.db.database import open_engine, open_or_empty
from storage.model import Kind, RecordProblem, Run, RunEnd, Verdict
from storage.queries import report as queries
from storage.queries.report import Totals
from storage.queries.run import fail_on_words, postponed

FORMATS_WITHOUT_PROBLEMS: Final = frozenset({"jsonl", "csv"})
MAX_NAMES: Final = 10  # targets without a finding that are named


def tell(
    config: Config,
    run: Run,
    options: RunOptions,
    context: CliContext,
    known_problems: Collection[RecordProblem] = (),
) -> int:
    """Write the report of a run, or with -q its news alone; return the exit code that it means.

    Of record problems, those that were not known before the run are news. A format or a file that was
    asked for is written, quiet or not.
    """
    report_wanted = options["format_"] is not None or options["output"] is not None
    one_screen = not report_wanted and not context.quiet and _is_for_one_screen(run, context)
    engine = open_engine(config.database.url)
    try:
        problems = queries.problems(engine, run=run)
        totals = (
            _news(engine, run, options, new_problems(problems, known_problems))
            if context.quiet and not report_wanted
            else _report(engine, run, options, config, one_screen=one_screen)
        )
        if options["format_"] in FORMATS_WITHOUT_PROBLEMS and not context.quiet:
            _tell_problems(problems)
        if not one_screen:
            _tell_postponed(engine, run, news_only=context.quiet)
        _notify(config, engine, run)
    finally:
        engine.dispose()
    if run.ended is not None and run.ended.exit_code:
        return run.ended.exit_code
    if Verdict.LOCAL_OUTAGE.value in totals.known:
        return RunEnd.OUTAGE.exit_code  # of what was asked, something is still due for a fault of ours
    fail_on = config.report.fail_on if options["fail_on"] is None else options["fail_on"]
    code = int(failed(totals, len(problems), fail_on))
    return code or (RunEnd.OUTAGE.exit_code if Verdict.POSTPONED.value in totals.known else 0)


def _tell_problems(problems: Sequence[RecordProblem]) -> None:
    """Name on standard error what could not be read, where the format has no place for it."""
    for problem in problems:
        click.echo(f"linkhealth: {_problem_text(problem)}", err=True)


def problems_before(url: str) -> frozenset[RecordProblem]:
    """The record problems that a database knows before a run; none where it is not there yet.

    Raises:
        StorageError: the database cannot be used.
    """
    engine = open_or_empty(url)
    try:
        return frozenset(queries.problems(engine))
    finally:
        engine.dispose()


def new_problems(
    problems: Sequence[RecordProblem], earlier_problems: Collection[RecordProblem]
) -> Sequence[RecordProblem]:
    """The problems that are news: one that only moved to another line is none."""
    known_reasons = {(problem.path, problem.reason) for problem in earlier_problems}
    return [problem for problem in problems if (problem.path, problem.reason) not in known_reasons]


def problem_lines(problems: Sequence[RecordProblem]) -> list[str]:
    """New record problems as a table of news has them."""
    if not problems:
        return []
    return [
        f"Newly unreadable: {len(problems)}\n",
        *(f"  {_problem_text(problem)}\n" for problem in problems),
    ]


def _problem_text(problem: RecordProblem) -> str:
    place = problem.path if problem.line is None else f"{problem.path}:{problem.line}"
    return f"{printable(place)}: {printable(problem.reason)}"


def _tell_postponed(engine: sa.Engine, run: Run, *, news_only: bool) -> None:
    """Name on standard error what was put off; of news, only hosts that the run before did not put off."""
    targets = postponed(engine, run)
    if news_only and targets:
        known_hosts = {host_of(url) for url, _ in postponed(engine, replace(run, id=run.id - 1))}
        targets = [(url, reason) for url, reason in targets if host_of(url) not in known_hosts]
    for line in postponed_lines(targets):
        click.echo(f"linkhealth: {line}", err=True)


def tell_defect(lacking: Sequence[str]) -> int:
    """Name the targets that a finished run has no finding of, a defect; return its exit code, or 0."""
    if not lacking:
        return 0
    names = ", ".join(map(printable, lacking[:MAX_NAMES]))
    more_names = f" and {len(lacking) - MAX_NAMES} others" if len(lacking) > MAX_NAMES else ""
    count = "1 target has" if len(lacking) == 1 else f"{len(lacking)} targets have"
    click.echo(f"linkhealth: a defect of this program: {count} no finding: {names}{more_names}", err=True)
    return Exit.DEFECT


def _is_for_one_screen(run: Run, context: CliContext) -> bool:
    """Whether a terminal shows one screen: not with -v, unless somebody has just had enough."""
    return shows_terminal() and (not context.verbose or run.ended is RunEnd.INTERRUPTED)


def _report(engine: sa.Engine, run: Run, options: RunOptions, config: Config, *, one_screen: bool) -> Totals:
    summary = _summary(engine, run, options)
    if one_screen:
        from crawler.report.views.overview import news_of, overview  # noqa: PLC0415 - for a terminal only

        write(overview(summary, news_of(engine, run)), None)
        return summary.totals
    summary.thumbnail = thumbnails(config.images.cache)
    write(REPORTS[options["format_"] or "table"](summary), options["output"])
    return summary.totals


def _news(engine: sa.Engine, run: Run, options: RunOptions, problems: Sequence[RecordProblem]) -> Totals:
    write([*table(run.id - 1, queries.changes(engine, run.id - 1)), *problem_lines(problems)], None)
    return (
        _summary(engine, run, options).totals
        if run.command == app.REFRESH or options["only_kind"]
        else Totals(known=fail_on_words(engine, run))
    )


def _summary(engine: sa.Engine, run: Run, options: RunOptions) -> Summary:
    kinds = frozenset({Kind.IMAGE} if run.command == app.REFRESH else map(Kind, options["only_kind"]))
    return summarise(engine, Selection(asked=run, kinds=kinds))


def _notify(config: Config, engine: sa.Engine, run: Run) -> None:
    """Send the notices of a run; one that fails is told, and changes nothing."""
    section = config.notify
    faults = []
    if section.urls:
        message = notify.message(queries.changes(engine, run.id - 1), section.on)
        faults.append(notify.send(section.urls, message) if message else None)
    if section.heartbeat and run.ended == RunEnd.FINISHED:
        faults.append(notify.beat(section.heartbeat))
    for fault in filter(None, faults):
        click.echo(f"linkhealth: {fault}", err=True)
