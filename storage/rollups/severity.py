"""How bad a finding is for readers, in SQL: pages sort and filter millions of targets by it.

`crawler.report.severity` has the same rule for one target at a time, and its words; the numbers
that both use stand here. 0 is nothing at all, 4 what should be mended today.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Final, TypeAlias

import sqlalchemy as sa

from storage.db import schema
from storage.db.predicates import among, newest_finding, open_link, pin_of_target
from storage.db.sql import Query
from storage.model import VERDICTS, Class, Issue, Kind, PinWord, State, Verdict

CLASS_POINTS: Final[Mapping[Class, int]] = {
    Class.HARD: 2,
    Class.SOFT: 2,
    Class.CONTENT: 2,
    Class.TRANSIENT: 1,
}
# Nothing was asked, and still the record is wrong.
MISWRITTEN_VERDICTS: Final = frozenset({Verdict.INVALID_URL, Verdict.UNSUPPORTED_SCHEME})
AMP_KINDS: Final = frozenset({Kind.AMP, Kind.AMP_CDN})
LONG_FAILURE: Final = timedelta(days=30)
MIN_SEVERITY: Final = 1  # of what fails at all
MAX_SEVERITY: Final = 4
ISSUE_POINTS: Final[Mapping[Issue, int]] = {
    Issue.SIZE_MISMATCH: 2,
    Issue.SIZE_ROTATED: 2,
    Issue.SIZE_SCALED: 1,
    Issue.CACHE_STALE: 1,
    Issue.AMP_UNPAIRED: 2,
    Issue.AMP_CACHE_URL: 2,
    Issue.INSECURE_SCHEME: 1,
    Issue.DECLARED_INVALID: 2,
    Issue.FRAGMENT_MISSING: 1,
}
VERDICT_POINTS: Final[Mapping[str, int]] = {
    **{verdict.value: points for cls, points in CLASS_POINTS.items() for verdict in VERDICTS[cls]},
    **{verdict.value: CLASS_POINTS[Class.HARD] for verdict in MISWRITTEN_VERDICTS},
}
HARMLESS_PINS: Final = (PinWord.IGNORE.value, PinWord.ALIVE.value)
Number: TypeAlias = sa.ColumnElement[int]


def severity(dialect: str, beside: sa.ColumnElement[bool]) -> Number:
    """The severity of a row of `target` with its newest `finding` and its `pin`, issues left out.

    `beside`: whether the link that shows it is one of AMP, which has a web page beside it.
    """
    target, finding, word = schema.target, schema.finding, schema.pin.c.word
    is_pinned_dead = word == PinWord.DEAD.value
    base = sa.case(
        (is_pinned_dead, CLASS_POINTS[Class.HARD]),
        else_=sa.case(VERDICT_POINTS, value=finding.c.verdict, else_=0),
    )
    dead = _as_number(sa.or_(target.c.state == State.DEAD.value, is_pinned_dead))
    points = base + dead + _as_number(_is_long(dialect)) - _as_number(beside)
    is_harmless = sa.or_(base == 0, word.in_(HARMLESS_PINS))
    return sa.case(
        (is_harmless, 0),
        (points < MIN_SEVERITY, MIN_SEVERITY),
        (points > MAX_SEVERITY, MAX_SEVERITY),
        else_=points,
    )


def links(dialect: str) -> Query:
    """Every open link with the severity of its target (`lost`) and of its own issues (`wrong`)."""
    link, target, finding, pin = schema.link, schema.target, schema.finding, schema.pin
    issue = schema.link_issue.c
    points = sa.case(
        {kind_of_issue.value: number for kind_of_issue, number in ISSUE_POINTS.items()},
        value=issue.issue,
        else_=0,
    )
    worst_issue = (
        sa.select(sa.func.max(points)).where(issue.link_id == link.c.id).correlate(link).scalar_subquery()
    )
    is_ignored = pin.c.word == PinWord.IGNORE.value
    return (
        sa.select(
            severity(dialect, link.c.kind.in_([kind.value for kind in AMP_KINDS])).label("lost"),
            sa.case((is_ignored, 0), else_=sa.func.coalesce(worst_issue, 0)).label("wrong"),
        )
        .select_from(link)
        .join(target, target.c.id == link.c.target_id)
        .join(finding, newest_finding(), isouter=True)
        .join(pin, pin_of_target(), isouter=True)
        .where(open_link())
    )


def update_record_severities(connection: sa.Connection, records: Sequence[int]) -> None:
    """Note how bad these records are, and how many of their links have something wrong."""
    link, record, dialect = schema.link, schema.record, connection.dialect.name
    links_of_records = links(dialect).add_columns(link.c.record_id)
    each_link = links_of_records.where(among(link.c.record_id, records, dialect)).subquery()
    target_severity, issue_severity = each_link.c.lost, each_link.c.wrong
    worst = sa.func.max(sa.case((target_severity > issue_severity, target_severity), else_=issue_severity))
    faults = sa.func.sum(_as_number(sa.or_(target_severity > 0, issue_severity > 0)))
    query = sa.select(each_link.c.record_id, worst.label("bad"), faults.label("many"))
    figures = query.group_by(each_link.c.record_id).subquery()
    # A record without a link has no figures, and nothing wrong.
    every_record = sa.select(
        record.c.id,
        sa.func.coalesce(figures.c.bad, 0).label("bad"),
        sa.func.coalesce(figures.c.many, 0).label("many"),
    )
    every_record = every_record.join(figures, figures.c.record_id == record.c.id, isouter=True)
    new = every_record.where(among(record.c.id, records, dialect)).subquery()
    update = sa.update(record).where(record.c.id == new.c.id)
    update = update.where((record.c.severity != new.c.bad) | (record.c.faults != new.c.many))
    connection.execute(update.values(severity=new.c.bad, faults=new.c.many))


def _as_number(holds: sa.ColumnElement[bool]) -> Number:
    return sa.case((holds, 1), else_=0)


def _is_long(dialect: str) -> sa.ColumnElement[bool]:
    """Whether a target had failed for so long when it was checked last; each database has its own way."""
    since, checked_at = schema.target.c.failing_since, schema.finding.c.checked_at
    if dialect == "postgresql":
        return checked_at - since >= LONG_FAILURE
    end = sa.func.strftime("%Y-%m-%d %H:%M:%f", since, f"+{LONG_FAILURE.days} days")
    return sa.type_coerce(checked_at, sa.String) >= end
