"""How bad a finding is for readers, in SQL: pages sort and filter millions of targets by it.

`crawler.report.severity` has the same rule for one target at a time, and its words; the numbers
that both use stand here. 0 is nothing at all, 4 what should be mended today.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Final, TypeAlias

import sqlalchemy as sa

from storage import schema
from storage.model import VERDICTS, Class, Issue, Kind, PinWord, State, Verdict

POINTS: Final[Mapping[Class, int]] = {Class.HARD: 2, Class.SOFT: 2, Class.CONTENT: 2, Class.TRANSIENT: 1}
# Nothing was asked, and still the record is wrong.
MISWRITTEN: Final = frozenset({Verdict.INVALID_URL, Verdict.UNSUPPORTED_SCHEME})
BESIDE: Final = frozenset({Kind.AMP, Kind.AMP_CDN})
LONG: Final = timedelta(days=30)
LEAST: Final = 1  # of what fails at all
MOST: Final = 4
ISSUES: Final[Mapping[Issue, int]] = {
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
BASE: Final[Mapping[str, int]] = {
    **{verdict.value: points for cls, points in POINTS.items() for verdict in VERDICTS[cls]},
    **{verdict.value: POINTS[Class.HARD] for verdict in MISWRITTEN},
}
FINE: Final = (PinWord.IGNORE.value, PinWord.ALIVE.value)
Number: TypeAlias = sa.ColumnElement[int]


def severity(dialect: str, beside: sa.ColumnElement[bool]) -> Number:
    """The severity of a row of `target` with its newest `finding` and its `pin`, issues left out.

    `beside`: whether the link that shows it is one of AMP, which has a web page beside it.
    """
    target, finding, word = schema.target, schema.finding, schema.pin.c.word
    pinned = word == PinWord.DEAD.value
    base = sa.case((pinned, POINTS[Class.HARD]), else_=sa.case(BASE, value=finding.c.verdict, else_=0))
    dead = _one(sa.or_(target.c.state == State.DEAD.value, pinned))
    points = base + dead + _one(_is_long(dialect)) - _one(beside)
    nothing = sa.or_(base == 0, word.in_(FINE))
    return sa.case((nothing, 0), (points < LEAST, LEAST), (points > MOST, MOST), else_=points)


def found() -> tuple[sa.ColumnElement[bool], sa.ColumnElement[bool]]:
    """How a target is joined with its newest finding, and with its pin."""
    target, finding = schema.target, schema.finding
    newest = (finding.c.run_id == target.c.last_run) & (finding.c.target_id == target.c.id)
    return newest, schema.pin.c.url == target.c.url


def links(dialect: str) -> sa.Select[Any]:
    """Every open link with the severity of its target (`lost`) and of its own issues (`wrong`)."""
    link, target, finding, pin = schema.link, schema.target, schema.finding, schema.pin
    newest, pinned = found()
    issue = schema.link_issue.c
    points = sa.case({one.value: number for one, number in ISSUES.items()}, value=issue.issue, else_=0)
    own = sa.select(sa.func.max(points)).where(issue.link_id == link.c.id).correlate(link).scalar_subquery()
    ignored = pin.c.word == PinWord.IGNORE.value
    return (
        sa.select(
            severity(dialect, link.c.kind.in_([kind.value for kind in BESIDE])).label("lost"),
            sa.case((ignored, 0), else_=sa.func.coalesce(own, 0)).label("wrong"),
        )
        .select_from(link)
        .join(target, target.c.id == link.c.target_id)
        .join(finding, newest, isouter=True)
        .join(pin, pinned, isouter=True)
        .where(link.c.closed_run.is_(None))
    )


def weigh(connection: sa.Connection, records: Sequence[int]) -> None:
    """Note how bad these records are, and how many of their links have something wrong."""
    link, record = schema.link, schema.record
    each = links(connection.dialect.name).add_columns(link.c.record_id)
    each_link = each.where(link.c.record_id.in_(records)).subquery()
    lost, wrong = each_link.c.lost, each_link.c.wrong
    worst = sa.func.max(sa.case((lost > wrong, lost), else_=wrong))
    faults = sa.func.sum(_one(sa.or_(lost > 0, wrong > 0)))
    query = sa.select(each_link.c.record_id, worst, faults).group_by(each_link.c.record_id)
    known = {key: (int(bad), int(many)) for key, bad, many in connection.execute(query)}
    weighed = [(key, *known.get(key, (0, 0))) for key in records]
    rows = [{"key": key, "bad": bad, "many": many} for key, bad, many in weighed]
    update = sa.update(record).where(record.c.id == sa.bindparam("key"))
    differs = (record.c.severity != sa.bindparam("bad")) | (record.c.faults != sa.bindparam("many"))
    update = update.where(differs)
    if rows:
        connection.execute(update.values(severity=sa.bindparam("bad"), faults=sa.bindparam("many")), rows)


def _one(holds: sa.ColumnElement[bool]) -> Number:
    return sa.case((holds, 1), else_=0)


def _is_long(dialect: str) -> sa.ColumnElement[bool]:
    """Whether a target had failed for so long when it was checked last; each database has its own way."""
    since, checked = schema.target.c.failing_since, schema.finding.c.checked_at
    if dialect == "postgresql":
        return checked - since >= LONG
    end = sa.func.strftime("%Y-%m-%d %H:%M:%f", since, f"+{LONG.days} days")
    return sa.type_coerce(checked, sa.String) >= end
