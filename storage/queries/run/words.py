"""What holds of the targets of a run, as words alone: enough for an exit code, and quick."""

from __future__ import annotations

import sqlalchemy as sa

from storage.db import schema
from storage.db.predicates import finding_of_run, ignored_target, link_read_by, newest_finding, pin_of_target
from storage.db.sql import Query
from storage.db.transactions import reading
from storage.model import PinWord, Run, State, Verdict


def fail_on_words(engine: sa.Engine, run: Run) -> set[str]:
    """Every word that `--fail-on` can name and that fits a target of the records that a run read.

    The same as `Totals.known` over `entries(asked=...)`, without reading the links.

    Raises:
        LedgerError: the database cannot be read.
    """
    with reading(engine) as connection:
        words: set[str] = set()
        for newest, now, due, state, pin in connection.execute(_standings(run)):
            not_asked = _why_not_asked(now, due=due)
            verdict = Verdict(newest) if newest is not None else not_asked or Verdict.NOT_REACHED
            shown_state = None if newest is not None and state == State.NEW else State(state)
            words |= _words(verdict, not_asked, shown_state, pin and PinWord(pin))
        issues = set(connection.execute(_issues(run)).scalars())
        return words | issues | ({"issues"} if issues else set())


def _why_not_asked(now: str | None, *, due: bool) -> Verdict | None:
    """Why the run did not ask a target with this finding of it; None if it did."""
    if now is None:
        return Verdict.NOT_REACHED if due else Verdict.FRESH
    return Verdict(now) if Verdict(now).unasked else None


def _words(verdict: Verdict, not_asked: Verdict | None, state: State | None, pin: PinWord | None) -> set[str]:
    if pin is PinWord.IGNORE:
        return set()
    if pin is not None:
        state = State(pin.value)
    words = {word.value for word in (not_asked, state) if word is not None}
    return words if pin is PinWord.ALIVE else words | {verdict.value, verdict.cls.value}


def _targets_of_run(run: Run) -> Query:
    """The targets that a record of the run names."""
    link, record = schema.link, schema.record
    query = sa.select(link.c.target_id).join(record, record.c.id == link.c.record_id)
    return query.where(link_read_by(run))


def _standings(run: Run) -> Query:
    target, newest, pin = schema.target, schema.finding, schema.pin
    now = newest.alias("now")
    due = target.c.next_due.is_(None) | (target.c.next_due <= run.started_at)
    query = sa.select(
        newest.c.verdict, now.c.verdict, sa.case((due, 1), else_=0), target.c.state, pin.c.word
    ).distinct()
    tables = target.join(newest, newest_finding(), isouter=True)
    tables = tables.join(now, finding_of_run(run.id, now), isouter=True)
    tables = tables.join(pin, pin_of_target(), isouter=True)
    return query.select_from(tables).where(target.c.id.in_(_targets_of_run(run)))


def _issues(run: Run) -> Query:
    issue, link, record, target = schema.link_issue, schema.link, schema.record, schema.target
    query = sa.select(issue.c.issue).distinct().join(link, link.c.id == issue.c.link_id)
    query = query.join(record, record.c.id == link.c.record_id)
    query = query.join(target, target.c.id == link.c.target_id)
    return query.where(link_read_by(run), ~ignored_target())
