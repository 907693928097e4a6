"""What a run tells at its end: its report or its news, its notices, and its exit code."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import click
import sqlalchemy as sa

from crawler import app, notify
from crawler.cli.output import failed, write
from crawler.config import Config
from crawler.report import REPORTS, Selection, Summary, summarise
from crawler.report.diff import table
from crawler.report.thumbnails import thumbnails
from storage import queries
from storage.database import open_engine
from storage.model import Kind, Run, Verdict
from storage.queries import Totals, known

UNFINISHED: Final = {"interrupted": 130, "deadline": 4, "terminated": 4, "outage": 4, "failed": 4}


def tell(config: Config, run: Run, options: Mapping[str, Any], *, quiet: bool) -> int:
    """Write the report of a run, or its news alone if `quiet`; return the exit code that it means.

    A format or a file that was asked for is written, quiet or not.
    """
    asked = options["format_"] is not None or options["output"] is not None
    engine = open_engine(config.database.url)
    try:
        totals = _news(engine, run) if quiet and not asked else _report(engine, run, options, config)
        problems = len(queries.problems(engine, run=run))
        _notify(config, engine, run)
    finally:
        engine.dispose()
    if run.ended in UNFINISHED:
        return UNFINISHED[run.ended]
    if Verdict.LOCAL_OUTAGE.value in totals.known:
        return UNFINISHED["outage"]  # of what was asked, something is still due for a fault of ours
    return int(failed(totals, problems, options["fail_on"] or config.report.fail_on))


def _report(engine: sa.Engine, run: Run, options: Mapping[str, Any], config: Config) -> Totals:
    summary = _summary(engine, run)
    summary.thumbnail = thumbnails(config.images.cache)
    write(REPORTS[options["format_"] or "table"](summary), options["output"])
    return summary.totals


def _news(engine: sa.Engine, run: Run) -> Totals:
    write(table(run.id - 1, queries.changes(engine, run.id - 1)), None)
    return _summary(engine, run).totals if run.command == app.REFRESH else Totals(known=known(engine, run))


def _summary(engine: sa.Engine, run: Run) -> Summary:
    only = frozenset({Kind.IMAGE.value} if run.command == app.REFRESH else ())
    return summarise(engine, Selection(asked=run, only=only))


def _notify(config: Config, engine: sa.Engine, run: Run) -> None:
    """Send the notices of a run; one that fails is told, and changes nothing."""
    said = config.notify
    faults = []
    if said.urls:
        message = notify.message(queries.changes(engine, run.id - 1), said.on)
        faults.append(notify.send(said.urls, message) if message else None)
    if said.heartbeat and run.ended == "finished":
        faults.append(notify.beat(said.heartbeat))
    for fault in filter(None, faults):
        click.echo(f"linkhealth: {fault}", err=True)
