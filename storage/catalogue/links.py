"""Links into rows: one that is still there keeps its row, and with it its history."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

import sqlalchemy as sa

from storage import schema
from storage.model import Run
from storage.rows import Cells
from storage.statements import Prepared, chunks

LINK: Final = ("record_id", "target_id", "kind", "field", "item", "line", "column", "text", "declared")
# A link is the same if its record, field and text are.
SAME: Final = (LINK.index("record_id"), LINK.index("field"), LINK.index("text"))

Known = dict[tuple[Any, ...], list[tuple[int, tuple[Any, ...]]]]


class LinkWriter:
    """Writes the links of records."""

    def __init__(self, engine: sa.Engine, run: Run) -> None:
        table = schema.link
        self._run = run
        self._insert = Prepared(engine, sa.insert(table), (*LINK, "first_run"))
        self._update = Prepared(engine, _update(), (*LINK, "key"))

    def write(self, connection: sa.Connection, records: Sequence[int], rows: Iterable[Cells]) -> None:
        """Keep, open and close links, so that the open ones of these records are the rows."""
        known = _known(connection, records)
        new: list[Cells] = []
        changed: list[Cells] = []
        for row in rows:
            same = known.get(_identity(row))
            if not same:
                new.append((*row, self._run.id))
                continue
            key, old = same.pop(0)
            if old != row:
                changed.append((*row, key))
        self._insert.run(connection, new)
        self._update.run(connection, changed)
        self._close(connection, [key for same in known.values() for key, _ in same])

    def _close(self, connection: sa.Connection, keys: Sequence[int]) -> None:
        table = schema.link
        for some in chunks(keys):
            close = sa.update(table).where(table.c.id.in_(some))
            connection.execute(close.values(closed_run=self._run.id))
            # What is wrong with a link may follow from another of its record: both are judged anew.
            theirs = sa.select(table.c.record_id).where(table.c.id.in_(some))
            others = table.c.record_id.in_(theirs) & table.c.closed_run.is_(None)
            connection.execute(sa.update(table).where(others).values(judged_run=None))


def _update() -> sa.Update:
    table = schema.link
    values: dict[str, Any] = {name: sa.bindparam(name, type_=table.c[name].type) for name in LINK}
    where = table.c.id == sa.bindparam("key", type_=sa.Integer)
    # What a record says of a link is part of what is judged.
    return sa.update(table).where(where).values({**values, "judged_run": sa.null()})


def _identity(row: Sequence[Any]) -> tuple[Any, ...]:
    return tuple(row[place] for place in SAME)


def _known(connection: sa.Connection, records: Sequence[int]) -> Known:
    """The open links of some records by identity; a field that occurs twice has two."""
    table = schema.link
    columns = [table.c[name] for name in LINK[:-1]]
    declared = sa.cast(table.c.declared, sa.String)  # as it was written: only to compare
    known: Known = {}
    for ids in chunks(records):
        query = sa.select(table.c.id, *columns, declared).order_by(table.c.id)
        query = query.where(table.c.record_id.in_(ids), table.c.closed_run.is_(None))
        for key, *cells in connection.execute(query):
            row = tuple(cells)
            known.setdefault(_identity(row), []).append((key, row))
    return known
