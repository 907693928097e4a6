"""Targets for a page: filtered, sorted and cut by the database, however many there are.

Those that fail have an index (`ix_target_failing`): all are counted and sorted; of others thousands.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Final

import sqlalchemy as sa

from storage.db import schema
from storage.db.predicates import newest_finding, open_link, pin_of_target
from storage.db.sql import Query, SqlColumn, TableColumns
from storage.db.transactions import reading
from storage.frozen import frozen
from storage.model import VERDICTS, Class, Issue, Kind, PinWord, State, Verdict

MAX_LISTED_TARGETS: Final = 10_000  # targets of a list that is not counted to its end
MAX_SEARCHED_LINKS: Final = 10_000  # links that are looked at for an issue or a record
# As the index says it: SQLite takes it for a number that it does not know, else.
SEVERITY_ZERO: Final = sa.literal_column("0", sa.Integer)
MAX_ROWS: Final = 2**31 - 1  # rows: without a bound, what is searched in has no order
MAX_COUNTED_LINKS: Final = 1000  # links of one target that are counted


class TargetOrder(StrEnum):
    """What comes first in a list of targets."""

    WORST = "worst"
    OLDEST = "oldest"
    CHECKED = "checked"
    HOST = "host"
    URL = "url"


@frozen
class TargetFilter:
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


@frozen
class LinkPlace:
    """Where a record names a target; `line` and `column` are 1-based, `number` is 0-based."""

    record: str
    number: int
    line: int
    column: int
    field: str


@frozen
class TargetRow:
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
    first: LinkPlace | None


@frozen
class TargetPage:
    """A part of a list: `total` targets fit; `more`, if others were not looked at."""

    total: int
    more: bool
    rows: list[TargetRow]


def broken(
    engine: sa.Engine, filters: TargetFilter, order: TargetOrder, *, size: int, page: int = 1
) -> TargetPage:
    """The targets that fit, `size` a page; a page after the last has none.

    Raises:
        LedgerError: the database cannot be read.
    """
    target = schema.target
    query = sa.select(target.c.id).where(*_conditions(filters, engine.dialect.name))
    skip = (page - 1) * size
    with reading(engine) as connection:
        if filters.whole:
            total, beyond = connection.execute(_count(query)).scalar_one(), False
            query = query.order_by(*TARGET_ORDERS[order](target.c)).limit(size).offset(skip)
            keys = list(connection.execute(query).scalars())
        else:
            total, beyond, keys = _first_targets(connection, filters, query, order)
            keys = keys[skip : skip + size]
        return TargetPage(total, beyond, _rows(connection, keys))


def _first_targets(
    connection: sa.Connection, filters: TargetFilter, query: Query, order: TargetOrder
) -> tuple[int, bool, list[int]]:
    """The keys of the first targets that fit, in their order: one look, however few there are."""
    target = schema.target
    query_of_keys = sa.select(target.c.id).where(target.c.id.in_(query.limit(MAX_LISTED_TARGETS + 1)))
    keys = list(connection.execute(query_of_keys.order_by(*TARGET_ORDERS[order](target.c))).scalars())
    cut = any(
        connection.execute(_count(links.limit(MAX_SEARCHED_LINKS + 1))).scalar_one() > MAX_SEARCHED_LINKS
        for links in _by_links(filters)
    )
    beyond = cut or len(keys) > MAX_LISTED_TARGETS
    return min(len(keys), MAX_LISTED_TARGETS), beyond, keys[:MAX_LISTED_TARGETS]


def _count(query: Query) -> Query:
    return sa.select(sa.func.count()).select_from(query.subquery())


def _conditions(filters: TargetFilter, dialect: str) -> list[sa.ColumnElement[bool]]:
    target = schema.target
    verdicts = [verdict for cls in filters.classes for verdict in VERDICTS[cls]]
    # What fails is named by a record. Its index has the host; the one of hosts would be slower.
    failing, in_records = target.c.severity > SEVERITY_ZERO, target.c.kind.is_not(None)
    conditions: list[sa.ColumnElement[bool]] = [failing if filters.failing else in_records]
    host = sa.func.coalesce(target.c.host, "") if filters.failing else target.c.host
    for column, words in (
        (target.c.verdict, verdicts),
        (target.c.verdict, filters.verdicts),
        (target.c.state, filters.states),
        (target.c.kind, filters.kinds),
    ):
        if words:
            conditions.append(column.in_([word.value for word in words]))
    if filters.severities:
        conditions.append(target.c.severity.in_(filters.severities))
    if filters.host is not None:
        conditions.append(host == filters.host)
    if filters.search is not None:
        conditions.append(target.c.id.in_(_search(filters, filters.search, dialect)))
    return [*conditions, *(target.c.id.in_(links.limit(MAX_SEARCHED_LINKS)) for links in _by_links(filters))]


def _search(filters: TargetFilter, text: str, dialect: str) -> Query:
    """What fits a search, found in an index of URLs: rows are six times as many bytes."""
    match = schema.target.alias("other")
    # LIKE knows no case in SQLite, where ILIKE would take twice as long.
    like = match.c.url.contains if dialect == "sqlite" else match.c.url.icontains
    query = sa.select(match.c.id).where(like(text, autoescape=True))
    if not filters.failing:
        return query
    # SQLite would take the other index of what fails, and read every row for its URL, but for the order.
    return query.where(match.c.severity > SEVERITY_ZERO).order_by(match.c.url).limit(MAX_ROWS)


def _by_links(filters: TargetFilter) -> list[Query]:
    """The targets of links that have an issue, or stand in some records."""
    link, issue, record = schema.link, schema.link_issue, schema.record
    open_ = sa.select(link.c.target_id).where(open_link())
    selects = []
    if filters.issue is not None:
        wrong = sa.select(issue.c.link_id).where(issue.c.issue == filters.issue.value)
        selects.append(open_.where(link.c.id.in_(wrong.limit(MAX_SEARCHED_LINKS))))
    if filters.record is not None:
        begins = sa.func.substr(record.c.path, 1, len(filters.record)) == filters.record
        selects.append(
            open_.where(link.c.record_id.in_(sa.select(record.c.id).where(begins).limit(MAX_SEARCHED_LINKS)))
        )
    return selects


TARGET_ORDERS: Final[Mapping[TargetOrder, Callable[[TableColumns], Sequence[SqlColumn]]]] = {
    TargetOrder.WORST: lambda c: (c.severity.desc(), c.failing_since.asc().nulls_first(), c.id),
    TargetOrder.OLDEST: lambda c: (c.failing_since.is_(None), c.failing_since, c.severity.desc(), c.id),
    TargetOrder.CHECKED: lambda c: (c.checked_at.asc().nulls_first(), c.id),
    TargetOrder.HOST: lambda c: (c.host, c.severity.desc(), c.id),
    TargetOrder.URL: lambda c: (c.url,),
}


def _rows(connection: sa.Connection, ids: Sequence[int]) -> list[TargetRow]:
    target, finding, pin = schema.target, schema.finding, schema.pin
    target_columns = ("id", "url", "host", "kind", "state", "severity", "failing_since", "checked_at")
    columns = (finding.c.verdict, finding.c.status, finding.c.detail, pin.c.word)
    query = sa.select(*(target.c[name] for name in target_columns), *columns)
    query = query.join(finding, newest_finding(), isouter=True).join(pin, pin_of_target(), isouter=True)
    mappings = connection.execute(query.where(target.c.id.in_(ids))).mappings()
    rows = {row["id"]: row for row in mappings}
    return [_broken(connection, rows[key]) for key in ids]


def _broken(connection: sa.Connection, row: sa.RowMapping) -> TargetRow:
    word = row["word"] and PinWord(row["word"])
    overrules = word is not None and word is not PinWord.IGNORE
    return TargetRow(
        row["id"],
        row["url"],
        row["host"],
        Kind(row["kind"]),
        State(word if overrules else row["state"]),
        Verdict(row["verdict"] or Verdict.NOT_REACHED),
        row["severity"],
        row["status"],
        row["detail"],
        row["failing_since"],
        row["checked_at"],
        word,
        *_named(connection, row["id"]),
    )


def _named(connection: sa.Connection, target: int) -> tuple[int, LinkPlace | None]:
    """How many links name a target, and the first of them."""
    link, record = schema.link, schema.record
    open_ = sa.select(link.c.id).where(link.c.target_id == target, open_link())
    naming = open_.order_by(link.c.id).limit(MAX_COUNTED_LINKS).subquery()
    count, first = connection.execute(sa.select(sa.func.count(), sa.func.min(naming.c.id))).one()
    query = sa.select(record.c.path, record.c.number, link.c.line, link.c.column, link.c.field)
    query = query.join(link, link.c.record_id == record.c.id).where(link.c.id == first)
    place = connection.execute(query).one_or_none()
    return count, None if place is None else LinkPlace(*place)
