"""Statements that SQLite and PostgreSQL both take, and the quick way to run one for many rows."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, TypeVar

import sqlalchemy as sa
from sqlalchemy.dialects import sqlite
from sqlalchemy.exc import DBAPIError

from storage.frozen import frozen

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql  # a slow import that a run on SQLite does not need
from storage.db.sql import RowValues

MAX_IN_VALUES: Final = 500  # values of one IN (...); SQLite takes 32,766
MIN_COPY_ROWS: Final = 50  # rows from which on COPY is worth its statements
PARAMETER_PATTERN: Final = re.compile(r"%s(?:::(?:TIMESTAMP WITHOUT TIME ZONE|[A-Z]+))?")
PARAMSTYLES: Final = {"postgresql": "format", "sqlite": "qmark"}
ValueT = TypeVar("ValueT")


def chunks(values: Iterable[ValueT], size: int = MAX_IN_VALUES) -> Iterator[list[ValueT]]:
    """The values in lists of at most `size`."""
    iterator = iter(values)
    while chunk := list(islice(iterator, size)):
        yield chunk


def _insert(engine: sa.Engine, table: sa.Table) -> postgresql.Insert | sqlite.Insert:
    if engine.dialect.name == "sqlite":
        return sqlite.insert(table)
    from sqlalchemy.dialects import postgresql  # noqa: PLC0415 - slow, and SQLite does not need it

    return postgresql.insert(table)


def insert_new(engine: sa.Engine, table: sa.Table) -> sa.Insert:
    """An INSERT that leaves a row alone that is there already."""
    return _insert(engine, table).on_conflict_do_nothing()


def insert_or_replace(engine: sa.Engine, table: sa.Table, keys: Sequence[str]) -> sa.Insert:
    """An INSERT that writes anew all but the keys (and the id) of a row that is there already."""
    statement = _insert(engine, table)
    key_names = {*keys, "id"}
    replacements = {c.name: statement.excluded[c.name] for c in table.c if c.name not in key_names}
    return statement.on_conflict_do_update(index_elements=list(keys), set_=replacements)


class PreparedStatement:
    """A statement compiled once, whose rows go to the driver as they are, in the order of `names`.

    SQLAlchemy converts every value of every row otherwise: three quarters of the time of a batch.
    On PostgreSQL many rows go by COPY: those of a plain INSERT into the table itself, those of
    others by way of a table of the session, if they are `distinct`, so that no two of a batch
    change one row.
    """

    def __init__(
        self,
        engine: sa.Engine,
        statement: sa.Insert | sa.Update,
        names: Sequence[str],
        *,
        distinct: bool = False,
    ) -> None:
        make: Any = type(engine.dialect)  # a DefaultDialect, which the type of an engine does not tell
        dialect = make(paramstyle=PARAMSTYLES[engine.dialect.name])
        keys = list(names) if isinstance(statement, sa.Insert) else None
        compilation = statement.compile(dialect=dialect, column_keys=keys)
        assert isinstance(compilation, sa.sql.compiler.SQLCompiler)  # noqa: S101 - tells mypy what Core promises
        if compilation.positiontup != list(names):
            raise ValueError(f"the order is {compilation.positiontup}, not {list(names)}")
        self._text = str(compilation)
        self._copy: CopyStatement | None = None
        if engine.dialect.name == "postgresql" and isinstance(statement.table, sa.Table):
            self._copy = _copy(statement.table, self._text, names, distinct=distinct)

    def run(self, connection: sa.Connection, rows: Sequence[RowValues]) -> None:
        """Run it for every row; for none, do nothing."""
        if self._copy is not None and len(rows) >= MIN_COPY_ROWS:
            self._copy.run(connection, rows)
        elif rows:
            connection.exec_driver_sql(self._text, list(rows))


@frozen
class CopyStatement:
    """Rows into a table by COPY, between two statements that may be empty."""

    before: str
    copy: str
    after: str
    cleanup: str = ""  # a transaction may copy twice

    def run(self, connection: sa.Connection, rows: Sequence[RowValues]) -> None:
        """Copy the rows.

        Raises:
            DBAPIError: the driver failed, as SQLAlchemy would tell it.
        """
        raw: Any = connection.connection.driver_connection
        dialect: Any = connection.dialect
        try:
            with raw.cursor() as cursor:
                if self.before:
                    cursor.execute(self.before)
                with cursor.copy(self.copy) as copy:
                    for row in rows:
                        copy.write_row(row)
                if self.after:
                    cursor.execute(self.after)
                    cursor.execute(self.cleanup)
        except dialect.dbapi.Error as exc:
            if dialect.is_disconnect(exc, raw, None):
                connection.invalidate(exc)
            raise DBAPIError(self.copy, None, exc) from exc


def _copy(table: sa.Table, text: str, names: Sequence[str], *, distinct: bool) -> CopyStatement | None:
    """How to copy rows for a statement; None where that would not do the same."""
    columns = ", ".join(f'"{name}"' for name in names)
    is_plain_insert = text.startswith("INSERT") and " ON CONFLICT" not in text
    if is_plain_insert:
        return CopyStatement("", f'COPY "{table.name}" ({columns}) FROM STDIN', "")
    if not distinct:
        return None
    stage = f"stage_{table.name}"
    creation = ", ".join(f'"{name}" text' for name in names)
    creation = f"CREATE TEMPORARY TABLE IF NOT EXISTS {stage} ({creation}) ON COMMIT DELETE ROWS"
    return CopyStatement(
        creation,
        f"COPY {stage} ({columns}) FROM STDIN",
        _from_stage(table, text, names),
        f"TRUNCATE {stage}",
    )


def _from_stage(table: sa.Table, text: str, names: Sequence[str]) -> str:
    """The statement with the columns of the session's table in place of its parameters."""
    from sqlalchemy.dialects import postgresql  # noqa: PLC0415 - as above

    make: Any = postgresql.dialect  # untyped
    dialect = make()
    kinds = [table.c[name].type if name in table.c else sa.Integer() for name in names]
    cells = iter([f's."{n}"::{kind.compile(dialect)}' for n, kind in zip(names, kinds, strict=True)])
    text = PARAMETER_PATTERN.sub(lambda _: next(cells), text)
    stage = f"FROM stage_{table.name} AS s"
    if text.startswith("UPDATE"):
        return text.replace(" WHERE ", f" {stage} WHERE ", 1)
    head, _, after_head = text.partition(" VALUES (")
    values, _, tail = after_head.partition(")")
    return f"{head} SELECT {values} {stage}{tail}"
