"""Statements that SQLite and PostgreSQL both take, and the quick way to run one for many rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, Final, TypeVar

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

CHUNK: Final = 500  # values of one IN (...); SQLite takes 32,766
PARAMSTYLES: Final = {"postgresql": "format", "sqlite": "qmark"}
T = TypeVar("T")


def chunks(values: Iterable[T], size: int = CHUNK) -> Iterator[list[T]]:
    """The values in lists of at most `size`."""
    left = iter(values)
    while chunk := list(islice(left, size)):
        yield chunk


def _insert(engine: sa.Engine, table: sa.Table) -> postgresql.Insert | sqlite.Insert:
    return postgresql.insert(table) if engine.dialect.name == "postgresql" else sqlite.insert(table)


def insert_new(engine: sa.Engine, table: sa.Table) -> sa.Insert:
    """An INSERT that leaves a row alone that is there already."""
    return _insert(engine, table).on_conflict_do_nothing()


def insert_or_replace(engine: sa.Engine, table: sa.Table, keys: Sequence[str]) -> sa.Insert:
    """An INSERT that writes anew all but the keys (and the id) of a row that is there already."""
    statement = _insert(engine, table)
    kept = {*keys, "id"}
    fresh = {c.name: statement.excluded[c.name] for c in table.c if c.name not in kept}
    return statement.on_conflict_do_update(index_elements=list(keys), set_=fresh)


class Prepared:
    """A statement compiled once, whose rows go to the driver as they are, in the order of `names`.

    SQLAlchemy converts every value of every row otherwise: three quarters of the time of a batch.
    """

    def __init__(self, engine: sa.Engine, statement: sa.Insert | sa.Update, names: Sequence[str]) -> None:
        make: Any = type(engine.dialect)  # a DefaultDialect, which the type of an engine does not tell
        dialect = make(paramstyle=PARAMSTYLES[engine.dialect.name])
        keys = list(names) if isinstance(statement, sa.Insert) else None
        compiled = statement.compile(dialect=dialect, column_keys=keys)
        assert isinstance(compiled, sa.sql.compiler.SQLCompiler)  # noqa: S101 - tells mypy what Core promises
        if compiled.positiontup != list(names):
            raise ValueError(f"the order is {compiled.positiontup}, not {list(names)}")
        self._text = str(compiled)

    def run(self, connection: sa.Connection, rows: Sequence[tuple[Any, ...]]) -> None:
        """Run it for every row; for none, do nothing."""
        if rows:
            connection.exec_driver_sql(self._text, list(rows))
