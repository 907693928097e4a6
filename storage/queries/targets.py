"""Targets for a page: filtered, sorted and cut by the database, however many there are.

Those that fail are few, and have an index of their own (`ix_target_failing`): they are counted and
sorted wholly. Of others, and by what is searched or other tables say, the first thousands are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

import sqlalchemy as sa

from storage import schema
from storage.database import reading
from storage.model import VERDICTS, Class, Issue, Kind, PinWord, State, Verdict

MOST: Final = 10_000  # targets of a list that is not counted to its end
LINKS: Final = 10_000  # links that are looked at for an issue or a record
# As the index says it: SQLite takes it for a number that it does not know, else.
NOTHING: Final = sa.literal_column("0", sa.Integer)
ENDLESS: Final = 2**31 - 1  # rows: without a bound, what is searched in has no order
NAMED: Final = 1000  # links of one target that are counted


class Order(StrEnum):
    """What comes first in a list of targets."""

    WORST = "worst"
    OLDEST = "oldest"
    CHECKED = "checked"
    HOST = "host"
    URL = "url"


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which targets are wanted: those that fit everything given here.

    `failing`: only those that fail now. `severities` are numbers from 1 to 4, `record` is how the
    path of a record begins, `search` a part of the URL, whatever its case.
    """

    failing: bool = True
    classes: tuple[Class, ...] = ()
    states: tuple[State, ...] = ()
    kinds: tuple[Kind, ...] = ()
    verdicts: tuple[Verdict, ...] = ()
    severities: tuple[int, ...] = ()
    issue: Issue | None = None
    host: str | None = None
    record: str | None = None
    search: str | None = None

    @property
    def whole(self) -> bool:
        """Whether the list is counted to its end, and not only its first thousands."""
        return self.failing and not (self.issue or self.record or self.search)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a record names a target; `line` and `column` are 1-based, `number` is 0-based."""

    record: str
    number: int
    line: int
    column: int
    field: str


@dataclass(frozen=True, slots=True)
class Broken:
    """One target of a list. `severity` is 0 for one that does not fail; `links` stops at 1,000.

    `state` is what a person pinned, if anybody did; `pin` is the word.
    """

    id: int
    url: str
    host: str
    kind: Kind
    state: State
    verdict: Verdict
    severity: int
    status: int | None
    detail: str | None
    failing_since: datetime | None
    checked_at: datetime | None
    pin: PinWord | None
    links: int
    first: Place | None


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a list: `total` targets fit; `more`, if others were not looked at."""

    total: int
    more: bool
    rows: list[Broken]


def broken(engine: sa.Engine, wanted: Wanted, order: Order, *, size: int, page: int = 1) -> Part:
    """The targets that fit, `size` a page; a page after the last has none.

    Raises:
        LedgerError: the database cannot be read.
    """
    target = schema.target
    query = sa.select(target.c.id).where(*_conditions(wanted, engine.dialect.name))
    skip = (page - 1) * size
    with reading(engine) as connection:
        if wanted.whole:
            total, more = connection.execute(_count(query)).scalar_one(), False
            query = query.order_by(*ORDERS[order](target.c)).limit(size).offset(skip)
            keys = list(connection.execute(query).scalars())
        else:
            total, more, keys = _some(connection, wanted, query, order)
            keys = keys[skip : skip + size]
        return Part(total, more, _rows(connection, keys))


def _some(
    connection: sa.Connection, wanted: Wanted, query: sa.Select[Any], order: Order
) -> tuple[int, bool, list[int]]:
    """The keys of the first targets that fit, in their order: one look, however few there are."""
    target = schema.target
    found = sa.select(target.c.id).where(target.c.id.in_(query.limit(MOST + 1)))
    keys = list(connection.execute(found.order_by(*ORDERS[order](target.c))).scalars())
    cut = any(
        connection.execute(_count(some.limit(LINKS + 1))).scalar_one() > LINKS for some in _by_links(wanted)
    )
    return min(len(keys), MOST), cut or len(keys) > MOST, keys[:MOST]


def _count(query: sa.Select[Any]) -> sa.Select[Any]:
    return sa.select(sa.func.count()).select_from(query.subquery())


def _conditions(wanted: Wanted, dialect: str) -> list[sa.ColumnElement[bool]]:
    target = schema.target
    verdicts = [one for cls in wanted.classes for one in VERDICTS[cls]]
    # What fails is named by a record. Its index has the host; the one of hosts would be slower.
    failing, named = target.c.severity > NOTHING, target.c.kind.is_not(None)
    found: list[sa.ColumnElement[bool]] = [failing if wanted.failing else named]
    host = sa.func.coalesce(target.c.host, "") if wanted.failing else target.c.host
    for column, words in (
        (target.c.verdict, verdicts),
        (target.c.verdict, wanted.verdicts),
        (target.c.state, wanted.states),
        (target.c.kind, wanted.kinds),
    ):
        if words:
            found.append(column.in_([word.value for word in words]))
    if wanted.severities:
        found.append(target.c.severity.in_(wanted.severities))
    if wanted.host is not None:
        found.append(host == wanted.host)
    if wanted.search is not None:
        found.append(target.c.id.in_(_search(wanted, wanted.search, dialect)))
    return [*found, *(target.c.id.in_(links.limit(LINKS)) for links in _by_links(wanted))]


def _search(wanted: Wanted, text: str, dialect: str) -> sa.Select[Any]:
    """What fits a search, found in an index of URLs: rows are six times as many bytes."""
    other = schema.target.alias("other")
    # LIKE knows no case in SQLite, where ILIKE would take twice as long.
    like = other.c.url.contains if dialect == "sqlite" else other.c.url.icontains
    query = sa.select(other.c.id).where(like(text, autoescape=True))
    if not wanted.failing:
        return query
    # SQLite would take the other index of what fails, and read every row for its URL, but for the order.
    return query.where(other.c.severity > NOTHING).order_by(other.c.url).limit(ENDLESS)


def _by_links(wanted: Wanted) -> list[sa.Select[Any]]:
    """The targets of links that have an issue, or stand in some records."""
    link, issue, record = schema.link, schema.link_issue, schema.record
    open_ = sa.select(link.c.target_id).where(link.c.closed_run.is_(None))
    found = []
    if wanted.issue is not None:
        wrong = sa.select(issue.c.link_id).where(issue.c.issue == wanted.issue.value)
        found.append(open_.where(link.c.id.in_(wrong.limit(LINKS))))
    if wanted.record is not None:
        begins = sa.func.substr(record.c.path, 1, len(wanted.record)) == wanted.record
        found.append(open_.where(link.c.record_id.in_(sa.select(record.c.id).where(begins).limit(LINKS))))
    return found


ORDERS: Final[Mapping[Order, Callable[[Any], Sequence[sa.ColumnElement[Any]]]]] = {
    Order.WORST: lambda c: (c.severity.desc(), c.failing_since.asc().nulls_first(), c.id),
    Order.OLDEST: lambda c: (c.failing_since.is_(None), c.failing_since, c.severity.desc(), c.id),
    Order.CHECKED: lambda c: (c.checked_at.asc().nulls_first(), c.id),
    Order.HOST: lambda c: (c.host, c.severity.desc(), c.id),
    Order.URL: lambda c: (c.url,),
}


def _rows(connection: sa.Connection, ids: Sequence[int]) -> list[Broken]:
    target, finding, pin = schema.target, schema.finding, schema.pin
    newest = (finding.c.run_id == target.c.last_run) & (finding.c.target_id == target.c.id)
    own = ("id", "url", "host", "kind", "state", "severity", "failing_since", "checked_at")
    theirs = (finding.c.verdict, finding.c.status, finding.c.detail, pin.c.word)
    query = sa.select(*(target.c[name] for name in own), *theirs)
    query = query.join(finding, newest, isouter=True).join(pin, pin.c.url == target.c.url, isouter=True)
    found = connection.execute(query.where(target.c.id.in_(ids))).mappings()
    rows = {row["id"]: row for row in found}
    return [_broken(connection, rows[key]) for key in ids]


def _broken(connection: sa.Connection, row: sa.RowMapping) -> Broken:
    word = row["word"] and PinWord(row["word"])
    pinned = word is not None and word is not PinWord.IGNORE
    return Broken(
        row["id"],
        row["url"],
        row["host"],
        Kind(row["kind"]),
        State(word if pinned else row["state"]),
        Verdict(row["verdict"] or Verdict.NOT_REACHED),
        row["severity"],
        row["status"],
        row["detail"],
        row["failing_since"],
        row["checked_at"],
        word,
        *_named(connection, row["id"]),
    )


def _named(connection: sa.Connection, target: int) -> tuple[int, Place | None]:
    """How many links name a target, and the first of them."""
    link, record = schema.link, schema.record
    open_ = sa.select(link.c.id).where(link.c.target_id == target, link.c.closed_run.is_(None))
    some = open_.order_by(link.c.id).limit(NAMED).subquery()
    count, first = connection.execute(sa.select(sa.func.count(), sa.func.min(some.c.id))).one()
    query = sa.select(record.c.path, record.c.number, link.c.line, link.c.column, link.c.field)
    query = query.join(link, link.c.record_id == record.c.id).where(link.c.id == first)
    place = connection.execute(query).one_or_none()
    return count, None if place is None else Place(*place)
