"""Links into rows: one that is still there keeps its row, and with it its history."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

import sqlalchemy as sa

from storage.db import schema
from storage.db.predicates import open_link
from storage.db.rows import Cells
from storage.db.sql import RowValues
from storage.db.statements import PreparedStatement, chunks
from storage.model import Run

LINK_COLUMNS: Final = (
    "record_id",
    "target_id",
    "kind",
    "field",
    "item",
    "line",
    "column",
    "text",
    "declared",
)
# A link is the same if its record, field and text are.
IDENTITY_PLACES: Final = (
    LINK_COLUMNS.index("record_id"),
    LINK_COLUMNS.index("field"),
    LINK_COLUMNS.index("text"),
)

OpenLinks = dict[RowValues, list[tuple[int, RowValues]]]


class LinkWriter:
    """Writes the links of records."""

    def __init__(self, engine: sa.Engine, run: Run) -> None:
        table = schema.link
        self._run = run
        self._insert = PreparedStatement(engine, sa.insert(table), (*LINK_COLUMNS, "first_run"))
        self._update = PreparedStatement(engine, _update(), (*LINK_COLUMNS, "key"))

    def write(self, connection: sa.Connection, records: Sequence[int], rows: Iterable[Cells]) -> None:
        """Keep, open and close links, so that the open ones of these records are the rows."""
        open_links = _open_links(connection, records)
        inserts: list[Cells] = []
        updates: list[Cells] = []
        for row in rows:
            matches = open_links.get(_identity(row))
            if not matches:
                inserts.append((*row, self._run.id))
                continue
            key, old = matches.pop(0)
            if old != row:
                updates.append((*row, key))
        self._insert.run(connection, inserts)
        self._update.run(connection, updates)
        self._close(connection, [key for matches in open_links.values() for key, _ in matches])

    def _close(self, connection: sa.Connection, keys: Sequence[int]) -> None:
        table = schema.link
        for ids in chunks(keys):
            close = sa.update(table).where(table.c.id.in_(ids))
            connection.execute(close.values(closed_run=self._run.id))
            # What is wrong with a link may follow from another of its record: both are judged anew.
            record_ids = sa.select(table.c.record_id).where(table.c.id.in_(ids))
            siblings = table.c.record_id.in_(record_ids) & open_link()
            connection.execute(sa.update(table).where(siblings).values(judged_run=None))


def _update() -> sa.Update:
    table = schema.link
    values: dict[str, object] = {name: sa.bindparam(name, type_=table.c[name].type) for name in LINK_COLUMNS}
    where = table.c.id == sa.bindparam("key", type_=sa.Integer)
    # What a record says of a link is part of what is judged.
    return sa.update(table).where(where).values({**values, "judged_run": sa.null()})


def _identity(row: RowValues) -> RowValues:
    return tuple(row[place] for place in IDENTITY_PLACES)


def _open_links(connection: sa.Connection, records: Sequence[int]) -> OpenLinks:
    """The open links of some records by identity; a field that occurs twice has two."""
    table = schema.link
    columns = [table.c[name] for name in LINK_COLUMNS[:-1]]
    declared = sa.cast(table.c.declared, sa.String)  # as it was written: only to compare
    open_links: OpenLinks = {}
    for ids in chunks(records):
        query = sa.select(table.c.id, *columns, declared).order_by(table.c.id)
        query = query.where(table.c.record_id.in_(ids), open_link())
        for key, *cells in connection.execute(query):
            row = tuple(cells)
            open_links.setdefault(_identity(row), []).append((key, row))
    return open_links
