"""The beginning of a run: a new one, or the shared one that goes on; and word of those that were killed."""

from __future__ import annotations

from datetime import UTC, datetime

import sqlalchemy as sa

from crawler.run import Observer
from storage.ledger import begin_run, close_killed
from storage.model import Run
from storage.shards import moment, open_plan, require_server


def begin(engine: sa.Engine, command: str, observer: Observer, *, shared: bool = False) -> Run:
    """Begin a run; only who holds the lock may.

    `shared`: workers on other machines help. Then one that is open, and that the same command began,
    goes on; to run the command again is all that it takes after a failure.

    Raises:
        LedgerError: the database cannot take it, or is SQLite and cannot be shared.
    """
    if shared:
        require_server(engine)
    found = open_plan(engine) if shared else None
    if found is None or found[1].terms["command"] != command:
        _tell_of_killed(engine, observer)
        return begin_run(engine, command, moment(engine) if shared else datetime.now(UTC))
    run = found[0]
    _tell_of_killed(engine, observer, run.id)
    observer.said(f"run {run.id} is open: this goes on with the rest of it")
    return run


def _tell_of_killed(engine: sa.Engine, observer: Observer, spared: int | None = None) -> None:
    """Say which runs never ended; what they found is kept, and what they did not is still due."""
    for left in close_killed(engine, spared):
        began = left.run.started_at.strftime("%Y-%m-%dT%H:%M:%SZ")
        observer.said(
            f"run {left.run.id} ({left.run.command}, begun {began}) was killed before its end: "
            f"{left.findings} findings of it are kept, and this run goes on with the rest"
        )
