"""Transactions: every use of the database goes through `reading` or `writing`.

Both turn failures of a driver into a sentence. One that writes takes SQLite's write lock at its start
(BEGIN IMMEDIATE): taken in the middle, SQLite would refuse it at once, without waiting, if another
process wrote in between.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from storage.db.driver_errors import blames_row, driver_reason
from storage.db.engine import name_of
from storage.errors import LedgerError, original

ItemT = TypeVar("ItemT")


@contextmanager
def reading(engine: sa.Engine) -> Iterator[sa.Connection]:
    """A transaction that only reads: all of it sees one state of the database.

    Raises:
        LedgerError: the database cannot be read.
    """
    with driver_errors_translated(engine), engine.connect() as connection:
        yield connection


@contextmanager
def writing(engine: sa.Engine) -> Iterator[sa.Connection]:
    """A transaction that writes: all of it or nothing.

    Raises:
        LedgerError: the database cannot take it.
    """
    with (
        driver_errors_translated(engine),
        engine.connect().execution_options(writes=True) as connection,
        connection.begin(),
    ):
        yield connection


def write_in_parts(
    connection: sa.Connection,
    items: Sequence[ItemT],
    write: Callable[[sa.Connection, Sequence[ItemT]], None],
    on_refusal: Callable[[sa.Connection, ItemT, str], None],
) -> None:
    """Write items together; where the values of one are refused, all others, and hand that one over.

    `refused` gets the item and the reason, in brackets and to be appended. Other failures are raised.
    """
    if not items:
        return
    savepoint = connection.begin_nested()
    try:
        write(connection, items)
    except Exception as exc:
        if not blames_row(exc):
            raise  # whoever began the transaction ends it
        savepoint.rollback()
        if len(items) == 1:
            on_refusal(connection, items[0], original(getattr(exc, "orig", exc)))
            return
    else:
        savepoint.commit()
        return
    middle = len(items) // 2
    write_in_parts(connection, items[:middle], write, on_refusal)
    write_in_parts(connection, items[middle:], write, on_refusal)


@contextmanager
def driver_errors_translated(engine: sa.Engine) -> Iterator[None]:
    """Raise what a driver raises as a LedgerError, in one sentence for a person.

    Raises:
        LedgerError: the driver failed.
    """
    try:
        yield
    except DBAPIError as exc:
        raise LedgerError(f"{name_of(engine)} {driver_reason(exc.orig)}") from exc
    except sqlite3.Error as exc:
        raise LedgerError(f"{name_of(engine)} {driver_reason(exc)}") from exc
