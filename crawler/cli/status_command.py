"""What `linkhealth status` does."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Final

import msgspec
import sqlalchemy as sa

from crawler.cli.context import CliContext
from crawler.cli.output import write
from crawler.cli.shared_status import shared_document, shared_table
from crawler.config import load
from crawler.engine.lower_bound import duration
from crawler.report.escape import printable
from crawler.report.phrases import counted
from crawler.report.postponed import postponed_lines
from storage.db.database import open_or_empty
from storage.db.lock import lock_holder
from storage.frozen import frozen
from storage.model import Run, State, iso_utc
from storage.queries import report as queries
from storage.queries.report.target_counts import TargetCounts, count_targets
from storage.queries.run import postponed
from storage.shards import SharedState, shared_state

MAX_POSTPONED_HOSTS: Final = 5  # hosts that the table names
WITHOUT_RUN: Final = "no run yet: 'linkhealth audit' makes one\n"


@frozen
class _Status:
    """All that there is to tell; `postponed` has URL and reason of what the last run put off."""

    run: Run | None
    holder: str | None
    counts: TargetCounts
    postponed: list[tuple[str, str]]
    shared: SharedState | None


def show_status(context: CliContext, format_: str) -> int:
    """Write how things stand; return the exit code."""
    engine = open_or_empty(load(context.config).database.url)
    try:
        state = _status(engine)
    finally:
        engine.dispose()
    write(STATUS_FORMATS[format_](state), None)
    return 0


def _status(engine: sa.Engine) -> _Status:
    runs = queries.runs(engine)
    run = runs[-1] if runs else None
    return _Status(
        run,
        lock_holder(engine),
        count_targets(engine, datetime.now(UTC)),
        postponed(engine, run) if run else [],
        shared_state(engine) if engine.dialect.name == "postgresql" else None,
    )


def _run_end(state: _Status) -> str | None:
    """How the last run ended; None while it goes on. One that never said so, and that is over, was killed."""
    if state.run is None:
        return None
    if state.run.ended is not None:
        return state.run.ended.value
    goes_on = state.holder is not None or (state.shared is not None and state.shared.run.id == state.run.id)
    return None if goes_on else "killed"


def _json(state: _Status) -> Iterator[str]:
    due = state.counts.due
    document: Mapping[str, object] = {
        "last_run": _run_document(state),
        "lock": state.holder,
        "known_targets": state.counts.targets,
        "states": {word.value: count for word, count in state.counts.states.items()},
        "due": {
            "now": due.now,
            "hour": due.hour,
            "day": due.day,
            "later": due.later,
            "next": iso_utc(due.next_due) if due.next_due else None,
        },
        "postponed": len(state.postponed),
        **shared_document(state.shared),
    }
    yield msgspec.json.encode(document).decode() + "\n"


def _run_document(state: _Status) -> Mapping[str, object] | None:
    run = state.run
    if run is None:
        return None
    finished_at = iso_utc(run.finished_at) if run.finished_at else None
    return {
        "id": run.id,
        "command": run.command,
        "started_at": iso_utc(run.started_at),
        "finished_at": finished_at,
        "ended": _run_end(state),
    }


def _table(state: _Status) -> Iterator[str]:
    if state.run is None:
        yield WITHOUT_RUN
        yield from _lock_lines(state)
        return
    yield f"last run  {_run_sentence(state.run, _run_end(state))}\n"
    yield from _lock_lines(state)
    yield f"targets   {_target_sentence(state.counts)}\n"
    yield f"due       {_due_sentence(state.counts)}\n"
    lines = postponed_lines(state.postponed)
    for line in lines[:MAX_POSTPONED_HOSTS]:
        yield f"put off   {line}\n"
    if len(lines) > MAX_POSTPONED_HOSTS:
        yield f"put off   targets of {counted(len(lines) - MAX_POSTPONED_HOSTS, 'more host')}\n"
    if state.shared is not None:
        yield "\n"
        yield from shared_table(state.shared)


def _lock_lines(state: _Status) -> Iterator[str]:
    holder = printable(state.holder) if state.holder else "free"
    yield f"lock      {holder}\n"


def _run_sentence(run: Run, run_end: str | None) -> str:
    """A run in one line."""
    start = f"run {run.id} ({run.command}), begun {iso_utc(run.started_at)}"
    if run_end is None:
        return f"{start}, goes on"
    if run.finished_at is None:
        return f"{start}, {run_end}"
    seconds = (run.finished_at - run.started_at).total_seconds()
    return f"{start}, {run_end} after {duration(seconds)}"


def _target_sentence(target_counts: TargetCounts) -> str:
    counts = [
        f"{target_counts.states[state]:,} {state.value}" for state in State if target_counts.states.get(state)
    ]
    untold = target_counts.targets - sum(target_counts.states.values())
    counts += [f"{untold:,} that told nothing yet"] if untold else []
    return ": ".join(filter(None, [f"{target_counts.targets:,}", ", ".join(counts)]))


def _due_sentence(target_counts: TargetCounts) -> str:
    due = target_counts.due
    text = f"{due.now:,} now, {due.hour:,} within an hour, {due.day:,} within a day, {due.later:,} later"
    return f"{text}; the next at {iso_utc(due.next_due)}" if due.next_due else text


STATUS_FORMATS: Final[Mapping[str, Callable[[_Status], Iterator[str]]]] = {"table": _table, "json": _json}
