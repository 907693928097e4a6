"""Records with something wrong, for pages: the worst first, each with what its items lost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from storage import schema
from storage.database import reading
from storage.model import Issue, Kind, LinkIssue, PinWord, Problem, State, Verdict
from storage.severity import links


@dataclass(frozen=True, slots=True)
class Weighed:
    """One record: which of its file, how bad from 0 to 4, and how many links have something wrong."""

    id: int
    path: str
    number: int
    severity: int
    faults: int


@dataclass(frozen=True, slots=True)
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


@dataclass(frozen=True, slots=True)
class Share:
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
    engine: sa.Engine, *, prefix: str = "", severities: Sequence[int] = (), most: int, skip: int = 0
) -> list[Weighed]:
    """A part of the records with something wrong, the worst first.

    Raises:
        LedgerError: the database cannot be read.
    """
    record = schema.record
    query = _records().where(*_wrong(prefix, severities)).limit(most).offset(skip)
    query = query.order_by(record.c.severity.desc(), record.c.faults.desc(), record.c.path, record.c.number)
    with reading(engine) as connection:
        return [Weighed(*row) for row in connection.execute(query)]


def one_weighed(engine: sa.Engine, path: str, number: int) -> Weighed | None:
    """The record of a file with this number; None if none was read, or it is no longer there.

    Raises:
        LedgerError: the database cannot be read.
    """
    link, record = schema.link, schema.record
    open_ = sa.exists().where((link.c.record_id == record.c.id) & link.c.closed_run.is_(None))
    query = _records().where(record.c.path == path, record.c.number == number, open_)
    with reading(engine) as connection:
        row = connection.execute(query).one_or_none()
        return None if row is None else Weighed(*row)


def _records() -> sa.Select[Any]:
    record = schema.record
    return sa.select(record.c.id, record.c.path, record.c.number, record.c.severity, record.c.faults)


def _wrong(prefix: str, severities: Sequence[int]) -> list[sa.ColumnElement[bool]]:
    record = schema.record
    found: list[sa.ColumnElement[bool]] = [record.c.severity > sa.literal_column("0", sa.Integer)]
    if prefix:
        found.append(sa.func.substr(record.c.path, 1, len(prefix)) == prefix)
    if severities:
        found.append(record.c.severity.in_(severities))
    return found


def faults(engine: sa.Engine, records: Sequence[int], *, most: int) -> Mapping[int, list[LinkRow]]:
    """The first `most` links with something wrong of each of these records, in the order of the text.

    Raises:
        LedgerError: the database cannot be read.
    """
    each = _links(engine).where(schema.link.c.record_id.in_(records)).subquery()
    order = (each.c.line, each.c.column, each.c.id)
    place = sa.func.row_number().over(partition_by=each.c.record_id, order_by=order).label("place")
    placed = sa.select(each, place).where(sa.or_(each.c.lost > 0, each.c.wrong > 0)).subquery()
    query = sa.select(placed).where(placed.c.place <= most).order_by(placed.c.record_id, placed.c.place)
    found: dict[int, list[LinkRow]] = {key: [] for key in records}
    with reading(engine) as connection:
        rows = connection.execute(query).mappings().all()
        issues = _issues(connection, [row["id"] for row in rows])
    for row in rows:
        found[row["record_id"]].append(_row(row, issues))
    return found


def links_of(engine: sa.Engine, record: int, *, most: int, skip: int = 0) -> list[LinkRow]:
    """A part of the links of one record, in the order of the text.

    Raises:
        LedgerError: the database cannot be read.
    """
    link = schema.link
    query = _links(engine).where(link.c.record_id == record).limit(most).offset(skip)
    with reading(engine) as connection:
        rows = connection.execute(query.order_by(link.c.line, link.c.column, link.c.id)).mappings().all()
        issues = _issues(connection, [row["id"] for row in rows])
    return [_row(row, issues) for row in rows]


def shares(engine: sa.Engine, records: Sequence[int]) -> Mapping[int, list[Share]]:
    """What each item of these records has and lost, in the order of the text.

    Raises:
        LedgerError: the database cannot be read.
    """
    link = schema.link
    each = links(engine.dialect.name).add_columns(*_own(link, "record_id", "item", "kind", "line"))
    each_link = each.where(link.c.record_id.in_(records)).subquery()
    columns = (each_link.c.record_id, each_link.c.item, each_link.c.kind)
    lost = sa.func.sum(sa.case((each_link.c.lost > 0, 1), else_=0))
    query = sa.select(*columns, sa.func.count(), lost).group_by(*columns)
    query = query.order_by(each_link.c.record_id, sa.func.min(each_link.c.line), *columns[1:])
    found: dict[int, list[Share]] = {key: [] for key in records}
    with reading(engine) as connection:
        for record, item, kind, many, gone in connection.execute(query):
            found[record].append(Share(item, Kind(kind), many, int(gone)))
    return found


def newest_problems(engine: sa.Engine, *, path: str | None = None, most: int) -> list[Problem]:
    """The newest of what could not be read, of all files or of one.

    Raises:
        LedgerError: the database cannot be read.
    """
    table = schema.problem
    query = sa.select(table.c.path, table.c.line, table.c.reason).order_by(table.c.id.desc()).limit(most)
    if path is not None:
        query = query.where(table.c.path == path)
    with reading(engine) as connection:
        return [Problem(*row) for row in connection.execute(query)]


def _own(table: sa.Table, *names: str) -> list[sa.ColumnElement[Any]]:
    return [table.c[name] for name in names]


def _links(engine: sa.Engine) -> sa.Select[Any]:
    link, target, finding = schema.link, schema.target, schema.finding
    return links(engine.dialect.name).add_columns(
        *_own(link, "id", "record_id", "field", "item", "line", "column", "kind", "target_id"),
        *_own(target, "url", "state", "failing_since"),
        *_own(finding, "verdict", "status"),
        schema.pin.c.word,
    )


def _row(row: sa.RowMapping, issues: Mapping[int, Sequence[LinkIssue]]) -> LinkRow:
    word = row["word"]
    pinned = word is not None and word != PinWord.IGNORE.value
    return LinkRow(
        row["field"],
        row["item"],
        row["line"],
        row["column"],
        Kind(row["kind"]),
        row["target_id"],
        row["url"],
        Verdict(row["verdict"] or Verdict.NOT_REACHED),
        State(word if pinned else row["state"]),
        row["status"],
        row["failing_since"],
        max(row["lost"], row["wrong"]),
        row["lost"] > 0,
        tuple(issues.get(row["id"], ())) if row["wrong"] else (),
    )


def _issues(connection: sa.Connection, ids: Sequence[int]) -> Mapping[int, Sequence[LinkIssue]]:
    table = schema.link_issue
    query = sa.select(table.c.link_id, table.c.issue, table.c.expected, table.c.actual)
    found: dict[int, list[LinkIssue]] = {}
    for key, name, expected, actual in connection.execute(
        query.where(table.c.link_id.in_(ids)).order_by(table.c.id)
    ):
        found.setdefault(key, []).append(LinkIssue(Issue(name), expected, actual))
    return found
