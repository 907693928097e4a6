"""Begin a run, or resume the shared one that is open, and report the runs that were killed."""

from __future__ import annotations

from datetime import UTC, datetime

import sqlalchemy as sa

from crawler.engine.observer import Observer
from storage.ledger import begin_run, close_killed
from storage.model import Run, iso_utc


def begin(engine: sa.Engine, command: str, observer: Observer, *, shared: bool = False) -> Run:
    """Begin a run; the caller holds the lock.

    `shared`: workers on other machines help. Then an open run of the same command is resumed: after a
    failure, it is enough to start the command again.

    Raises:
        LedgerError: the database cannot take it, or is SQLite and cannot be shared.
    """
    if not shared:
        report_killed_runs(engine, observer)
        return begin_run(engine, command, datetime.now(UTC))
    from storage.shards import database_time, open_plan, require_server  # noqa: PLC0415 - for shared runs only

    require_server(engine)
    open_run = open_plan(engine)
    if open_run is None or open_run[1].terms["command"] != command:
        report_killed_runs(engine, observer)
        return begin_run(engine, command, database_time(engine))
    run = open_run[0]
    report_killed_runs(engine, observer, run.id)
    observer.said(f"run {run.id} is open: this goes on with the rest of it")
    return run


def report_killed_runs(engine: sa.Engine, observer: Observer, open_run: int | None = None) -> None:
    """Report the runs that never ended: their findings are kept, and the other targets are still due."""
    for interruption in close_killed(engine, open_run):
        began = iso_utc(interruption.run.started_at)
        run_name = f"run {interruption.run.id} ({interruption.run.command}, begun {began})"
        observer.said(
            f"{run_name} was killed before its end: "
            f"{interruption.findings} findings of it are kept, and this run goes on with the rest"
        )
