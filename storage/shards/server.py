"""What shards ask of the database: its clock, short locks, and to tell what will pass."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Final

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError

from storage.db.transactions import reading, writing
from storage.errors import LedgerError

DATABASE_NOW: Final = "timezone('utc', clock_timestamp())"  # as the columns keep times: UTC without its zone
CLOCK_QUERY: Final = sa.text("SELECT extract(epoch FROM clock_timestamp())")
TIMEOUTS_STATEMENT: Final = sa.text(
    "SELECT set_config('idle_in_transaction_session_timeout', :ms, true), "
    "set_config('statement_timeout', :ms, true)"
)


def require_server(engine: sa.Engine) -> None:
    """Refuse a database that has no leases.

    Raises:
        LedgerError: it is SQLite.
    """
    if engine.dialect.name != "postgresql":
        raise LedgerError(
            "[database] url is a file of SQLite, which one machine has for itself, with one writer at a "
            "time: a run that is shared needs postgresql://USER@HOST/NAME"
        )


def database_time(engine: sa.Engine) -> datetime:
    """UTC by the clock of the database.

    Raises:
        LedgerError: it cannot be read.
    """
    with reading(engine) as connection:
        return datetime.fromtimestamp(float(connection.execute(CLOCK_QUERY).scalar_one()), UTC)


@contextmanager
def timed_transaction(engine: sa.Engine, seconds: float) -> Iterator[sa.Connection]:
    """A transaction that the server ends if its client falls silent for so many seconds.

    A worker that is stopped in the middle of one would keep its locks as long as it likes.

    Raises:
        LedgerError: the database cannot take it.
    """
    with writing(engine) as connection:
        connection.execute(TIMEOUTS_STATEMENT, {"ms": str(max(1, int(seconds * 1000)))})
        yield connection


def is_transient(exc: BaseException) -> bool:
    """Whether a failure may pass by itself: no connection, too many of them, a restart, a deadlock."""
    cause = exc.__cause__
    if not isinstance(cause, DBAPIError):
        return False
    return cause.connection_invalidated or isinstance(cause, (OperationalError, InterfaceError))
