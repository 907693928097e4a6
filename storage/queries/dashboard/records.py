"""Records with something wrong, for pages: the worst first, each with what its items lost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

import sqlalchemy as sa

from storage.db import schema
from storage.db.predicates import open_link
from storage.db.sql import Query, SqlColumn
from storage.db.transactions import reading
from storage.frozen import frozen
from storage.model import Issue, Kind, LinkIssue, PinWord, RecordProblem, State, Verdict
from storage.rollups.severity import links


@frozen
class RankedRecord:
    """One record: which of its file, how bad from 0 to 4, and how many links have something wrong."""

    id: int
    path: str
    number: int
    severity: int
    faults: int


@frozen
class LinkRow:
    """One link of a record with what is known of its target.

    `lost`: the target fails. `severity` is from 0 to 4, issues included; `state` is what a person
    pinned, if anybody did.
    """

    field: str
    item: str
    line: int
    column: int
    kind: Kind
    target: int
    url: str
    verdict: Verdict
    state: State
    status: int | None
    failing_since: datetime | None
    severity: int
    lost: bool
    issues: tuple[LinkIssue, ...]


@frozen
class ItemCount:
    """How many links of a kind one item has, and how many of them are lost."""

    item: str
    kind: Kind
    links: int
    lost: int


def count_weighed(engine: sa.Engine, *, prefix: str = "", severities: Sequence[int] = ()) -> int:
    """How many records have something wrong; `prefix` is how their path begins.

    Raises:
        LedgerError: the database cannot be read.
    """
    query = sa.select(sa.func.count()).select_from(schema.record).where(*_wrong(prefix, severities))
    with reading(engine) as connection:
        return int(connection.execute(query).scalar_one())


def weighed(
    engine: sa.Engine, *, prefix: str = "", severities: Sequence[int] = (), limit: int, skip: int = 0
) -> list[RankedRecord]:
    """A part of the records with something wrong, the worst first.

    Raises:
        LedgerError: the database cannot be read.
    """
    record = schema.record
    query = _records().where(*_wrong(prefix, severities)).limit(limit).offset(skip)
    query = query.order_by(record.c.severity.desc(), record.c.faults.desc(), record.c.path, record.c.number)
    with reading(engine) as connection:
        return [RankedRecord(*row) for row in connection.execute(query)]


def one_weighed(engine: sa.Engine, path: str, number: int) -> RankedRecord | None:
    """The record of a file with this number; None if none was read, or it is no longer there.

    Raises:
        LedgerError: the database cannot be read.
    """
    link, record = schema.link, schema.record
    open_ = sa.exists().where((link.c.record_id == record.c.id) & open_link())
    query = _records().where(record.c.path == path, record.c.number == number, open_)
    with reading(engine) as connection:
        row = connection.execute(query).one_or_none()
        return None if row is None else RankedRecord(*row)


def _records() -> Query:
    record = schema.record
    return sa.select(record.c.id, record.c.path, record.c.number, record.c.severity, record.c.faults)


def _wrong(prefix: str, severities: Sequence[int]) -> list[sa.ColumnElement[bool]]:
    record = schema.record
    conditions: list[sa.ColumnElement[bool]] = [record.c.severity > sa.literal_column("0", sa.Integer)]
    if prefix:
        conditions.append(sa.func.substr(record.c.path, 1, len(prefix)) == prefix)
    if severities:
        conditions.append(record.c.severity.in_(severities))
    return conditions


def faults(engine: sa.Engine, records: Sequence[int], *, limit: int) -> Mapping[int, list[LinkRow]]:
    """The first `most` links with something wrong of each of these records, in the order of the text.

    Raises:
        LedgerError: the database cannot be read.
    """
    link = _links(engine).where(schema.link.c.record_id.in_(records)).subquery()
    order = (link.c.line, link.c.column, link.c.id)
    place = sa.func.row_number().over(partition_by=link.c.record_id, order_by=order).label("place")
    ranks = sa.select(link, place).where(sa.or_(link.c.lost > 0, link.c.wrong > 0)).subquery()
    query = sa.select(ranks).where(ranks.c.place <= limit).order_by(ranks.c.record_id, ranks.c.place)
    rows_of: dict[int, list[LinkRow]] = {key: [] for key in records}
    with reading(engine) as connection:
        rows = connection.execute(query).mappings().all()
        issues = _issues(connection, [row["id"] for row in rows])
    for row in rows:
        rows_of[row["record_id"]].append(_row(row, issues))
    return rows_of


def links_of(engine: sa.Engine, record: int, *, limit: int, skip: int = 0) -> list[LinkRow]:
    """A part of the links of one record, in the order of the text.

    Raises:
        LedgerError: the database cannot be read.
    """
    link = schema.link
    query = _links(engine).where(link.c.record_id == record).limit(limit).offset(skip)
    with reading(engine) as connection:
        rows = connection.execute(query.order_by(link.c.line, link.c.column, link.c.id)).mappings().all()
        issues = _issues(connection, [row["id"] for row in rows])
    return [_row(row, issues) for row in rows]


def shares(engine: sa.Engine, records: Sequence[int]) -> Mapping[int, list[ItemCount]]:
    """What each item of these records has and lost, in the order of the text.

    Raises:
        LedgerError: the database cannot be read.
    """
    link = schema.link
    query_of_links = links(engine.dialect.name).add_columns(
        *_columns(link, "record_id", "item", "kind", "line")
    )
    each_link = query_of_links.where(link.c.record_id.in_(records)).subquery()
    columns = (each_link.c.record_id, each_link.c.item, each_link.c.kind)
    losses = sa.func.sum(sa.case((each_link.c.lost > 0, 1), else_=0))
    query = sa.select(*columns, sa.func.count(), losses).group_by(*columns)
    query = query.order_by(each_link.c.record_id, sa.func.min(each_link.c.line), *columns[1:])
    counts: dict[int, list[ItemCount]] = {key: [] for key in records}
    with reading(engine) as connection:
        for record, item, kind, total, dead in connection.execute(query):
            counts[record].append(ItemCount(item, Kind(kind), total, int(dead)))
    return counts


def newest_problems(engine: sa.Engine, *, path: str | None = None, limit: int) -> list[RecordProblem]:
    """The newest of what could not be read, of all files or of one.

    Raises:
        LedgerError: the database cannot be read.
    """
    table = schema.problem
    query = sa.select(table.c.path, table.c.line, table.c.reason).order_by(table.c.id.desc()).limit(limit)
    if path is not None:
        query = query.where(table.c.path == path)
    with reading(engine) as connection:
        return [RecordProblem(*row) for row in connection.execute(query)]


def _columns(table: sa.Table, *names: str) -> list[SqlColumn]:
    return [table.c[name] for name in names]


def _links(engine: sa.Engine) -> Query:
    link, target, finding = schema.link, schema.target, schema.finding
    return links(engine.dialect.name).add_columns(
        *_columns(link, "id", "record_id", "field", "item", "line", "column", "kind", "target_id"),
        *_columns(target, "url", "state", "failing_since"),
        *_columns(finding, "verdict", "status"),
        schema.pin.c.word,
    )


def _row(row: sa.RowMapping, issues: Mapping[int, Sequence[LinkIssue]]) -> LinkRow:
    word = row["word"]
    overrules = word is not None and word != PinWord.IGNORE.value
    return LinkRow(
        row["field"],
        row["item"],
        row["line"],
        row["column"],
        Kind(row["kind"]),
        row["target_id"],
        row["url"],
        Verdict(row["verdict"] or Verdict.NOT_REACHED),
        State(word if overrules else row["state"]),
        row["status"],
        row["failing_since"],
        max(row["lost"], row["wrong"]),
        row["lost"] > 0,
        tuple(issues.get(row["id"], ())) if row["wrong"] else (),
    )


def _issues(connection: sa.Connection, ids: Sequence[int]) -> Mapping[int, Sequence[LinkIssue]]:
    table = schema.link_issue
    query = sa.select(table.c.link_id, table.c.issue, table.c.expected, table.c.actual)
    issues: dict[int, list[LinkIssue]] = {}
    for key, name, expected, actual in connection.execute(
        query.where(table.c.link_id.in_(ids)).order_by(table.c.id)
    ):
        issues.setdefault(key, []).append(LinkIssue(Issue(name), expected, actual))
    return issues
