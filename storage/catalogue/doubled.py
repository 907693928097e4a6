"""Records that stand in the database under two names of one file: joined under its identity."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import sqlalchemy as sa

from storage.catalogue.identity import RecordPaths
from storage.db import schema
from storage.db.predicates import open_link
from storage.db.transactions import reading, writing

PATH_TABLES = (schema.record, schema.problem, schema.source)


def join_doubled_records(engine: sa.Engine, paths: RecordPaths) -> int:
    """Give the records of every file its identity; the links of doubled records become one.

    Returns how many paths were renamed.

    Raises:
        LedgerError: the database cannot take it.
    """
    with reading(engine) as connection:
        names = {path: paths.identity(path) for path in _suspect_paths(connection)}
    renames = {path: identity for path, identity in names.items() if identity != path}
    if not renames:
        return 0
    with writing(engine) as connection:
        for path, identity in renames.items():
            _rename(connection, path, identity)
    return len(renames)


def _suspect_paths(connection: sa.Connection) -> Iterator[str]:
    """The paths that may be another name of a file: absolute ones, and those with a detour."""
    for table in PATH_TABLES:
        column = table.c.path
        detours = (column.like(pattern) for pattern in ("/%", "./%", "%/./%", "%../%", "%//%"))
        for path in connection.execute(sa.select(column).distinct().where(sa.or_(*detours))).scalars():
            if "\\" not in path and Path(path).exists():  # else the name was not kept whole
                yield path


def _rename(connection: sa.Connection, path: str, identity: str) -> None:
    record = schema.record
    new_ids = _record_ids(connection, identity)
    for number, old_id in _record_ids(connection, path).items():
        if number in new_ids:
            _merge(connection, old_id, new_ids[number])
        else:
            connection.execute(sa.update(record).where(record.c.id == old_id).values(path=identity))
    source, problem = schema.source, schema.problem
    if new_ids:  # read the file once more: nobody knows which of the two readings was the last
        connection.execute(sa.delete(source).where(source.c.path.in_((path, identity))))
        connection.execute(sa.delete(problem).where(problem.c.path == path))
    else:
        for table in (source, problem):
            connection.execute(sa.update(table).where(table.c.path == path).values(path=identity))


def _record_ids(connection: sa.Connection, path: str) -> dict[int, int]:
    record = schema.record
    query = sa.select(record.c.number, record.c.id).where(record.c.path == path)
    return {row.number: row.id for row in connection.execute(query)}


def _merge(connection: sa.Connection, old_id: int, kept_id: int) -> None:
    """Move the links of one record to another; of two open ones with one field and text, one is kept."""
    link, issue, record = schema.link, schema.link_issue, schema.record
    kept_links = {(field, text): key for key, field, text in _open_links(connection, kept_id)}
    runs = sa.select(record.c.id, record.c.seen_run).where(record.c.id.in_((old_id, kept_id)))
    seen_runs = {row.id: row.seen_run for row in connection.execute(runs)}
    for key, field, text in _open_links(connection, old_id):
        twin = kept_links.pop((field, text), None)
        if twin is None:
            # The record that was read last knows which links there are.
            if seen_runs[old_id] < seen_runs[kept_id]:
                close = sa.update(link).where(link.c.id == key)
                connection.execute(close.values(closed_run=seen_runs[kept_id]))
            continue
        first = sa.select(sa.func.min(link.c.first_run)).where(link.c.id.in_((key, twin))).scalar_subquery()
        connection.execute(sa.update(link).where(link.c.id == twin).values(first_run=first, judged_run=None))
        connection.execute(sa.delete(issue).where(issue.c.link_id == key))
        connection.execute(sa.delete(link).where(link.c.id == key))
    if seen_runs[kept_id] < seen_runs[old_id]:
        close = sa.update(link).where(link.c.id.in_(kept_links.values()))
        connection.execute(close.values(closed_run=seen_runs[old_id]))
    connection.execute(sa.update(link).where(link.c.record_id == old_id).values(record_id=kept_id))
    newest = max(seen_runs.values())
    connection.execute(sa.update(record).where(record.c.id == kept_id).values(seen_run=newest))
    connection.execute(sa.delete(record).where(record.c.id == old_id))


def _open_links(connection: sa.Connection, record_id: int) -> list[tuple[int, str, str]]:
    link = schema.link
    query = sa.select(link.c.id, link.c.field, link.c.text).where(link.c.record_id == record_id, open_link())
    return [(key, field, text) for key, field, text in connection.execute(query.order_by(link.c.id))]
