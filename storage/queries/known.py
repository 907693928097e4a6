"""What holds of the targets of a run, as words alone: enough for an exit code, and quick."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from storage import schema
from storage.database import reading
from storage.model import PinWord, Run, State, Verdict
from storage.queries.entries import ignored


def known(engine: sa.Engine, asked: Run) -> set[str]:
    """Every word that `--fail-on` can name and that fits a target of the records that a run read.

    The same as `Totals.known` over `entries(asked=...)`, without reading the links.

    Raises:
        LedgerError: the database cannot be read.
    """
    with reading(engine) as connection:
        words: set[str] = set()
        for said, now, due, state, pin in connection.execute(_standings(asked)):
            words |= _words(_verdict(said, now, due=due), State(state), pin and PinWord(pin))
        issues = set(connection.execute(_issues(asked)).scalars())
        return words | issues | ({"issues"} if issues else set())


def _verdict(newest: str | None, now: str | None, *, due: bool) -> Verdict:
    """The verdict that holds: of this run, or the newest, if the run had no need to ask."""
    found = Verdict(now) if now is not None else Verdict.NOT_REACHED if due else Verdict.FRESH
    return Verdict(newest) if found is Verdict.FRESH and newest is not None else found


def _words(verdict: Verdict, state: State, pin: PinWord | None) -> set[str]:
    if pin is PinWord.IGNORE:
        return set()
    if pin is not None:
        state = State(pin.value)
    own = set() if pin is PinWord.ALIVE else {verdict.value, verdict.cls.value}
    return own | {state.value}


def _named(asked: Run) -> sa.Select[Any]:
    """The targets that a record of the run names."""
    link, record = schema.link, schema.record
    query = sa.select(link.c.target_id).join(record, record.c.id == link.c.record_id)
    return query.where(link.c.closed_run.is_(None), record.c.seen_run == asked.id)


def _standings(asked: Run) -> sa.Select[Any]:
    target, newest, pin = schema.target, schema.finding, schema.pin
    now = newest.alias("now")
    due = target.c.next_due.is_(None) | (target.c.next_due <= asked.started_at)
    query = sa.select(
        newest.c.verdict, now.c.verdict, sa.case((due, 1), else_=0), target.c.state, pin.c.word
    ).distinct()
    joined = target.join(
        newest, (newest.c.target_id == target.c.id) & (newest.c.run_id == target.c.last_run), isouter=True
    )
    joined = joined.join(now, (now.c.target_id == target.c.id) & (now.c.run_id == asked.id), isouter=True)
    joined = joined.join(pin, pin.c.url == target.c.url, isouter=True)
    return query.select_from(joined).where(target.c.id.in_(_named(asked)))


def _issues(asked: Run) -> sa.Select[Any]:
    issue, link, record, target = schema.link_issue, schema.link, schema.record, schema.target
    query = sa.select(issue.c.issue).distinct().join(link, link.c.id == issue.c.link_id)
    query = query.join(record, record.c.id == link.c.record_id)
    query = query.join(target, target.c.id == link.c.target_id)
    return query.where(link.c.closed_run.is_(None), record.c.seen_run == asked.id, ~ignored())
