"""Opening the database: what it is, whether it is ours, and how new its schema is.

Every transaction goes through `reading` or `writing`, which tell failures of a driver in a
sentence. One that writes takes SQLite's write lock at its start (BEGIN IMMEDIATE): taken in the
middle, SQLite would refuse it at once, without waiting, if another process wrote in between.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

import sqlalchemy as sa
from sqlalchemy import event as events
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError

from storage.engine import make_engine, name_of, path_of
from storage.errors import LedgerError, SchemaError
from storage.schema import HEAD

MIGRATIONS: Final = Path(__file__).parent / "migrations"
LINE: Final = 0x6C696E6B  # the number of the line in which makers of tables wait; any will do
THRIFTY: Final = "PRAGMA cache_size = -16384"
READ_ONLY: Final = {
    "sqlite": "PRAGMA query_only = ON",
    "postgresql": "SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY",
}


def open_engine(url: str, *, create: bool = True, older: bool = False) -> sa.Engine:
    """Open the database of a URL; make it where there is none, if `create`.

    The file of an SQLite URL is taken from the working directory. `older`: an older schema will do.

    Raises:
        LedgerError: it cannot be used; the text says why and what to do.
        SchemaError: its schema is not the one of this program.
    """
    engine = make_engine(url)
    try:
        _look_at_file(engine, create=create)
        _prepare(engine, create=create, older=older)
    except BaseException:
        engine.dispose()
        raise
    return engine


def open_known(url: str) -> sa.Engine:
    """Open a database to show what is known, in little memory; an empty one where no file is.

    Raises:
        LedgerError: it cannot be used.
        SchemaError: its schema is not the one of this program.
    """
    engine = make_engine(url)
    path = path_of(engine)
    if path is None or path.exists() or str(path).startswith("file:"):
        engine.dispose()
        return _thrifty(open_engine(url))
    _look_at_file(engine, create=True)
    empty = make_engine("sqlite://")
    _create(empty, create=True)
    return empty


def open_reader(url: str) -> sa.Engine:
    """Open a database that is there, to read it and never to write, as pages do beside a run.

    Raises:
        LedgerError: there is none, or it cannot be used.
        SchemaError: its schema is not the one of this program.
    """
    engine = open_engine(url, create=False)
    engine.dispose()  # what looked at the schema may still write
    statement = READ_ONLY[engine.dialect.name]
    events.listen(engine, "connect", lambda connection, _: _run_at_once(connection, statement))
    return engine


def _thrifty(engine: sa.Engine) -> sa.Engine:
    """Pages of a file that are read once, one after the other, need no large cache."""
    engine.dispose()
    if engine.dialect.name == "sqlite":
        events.listen(engine, "connect", lambda connection, _: connection.execute(THRIFTY))
    return engine


def _run_at_once(connection: DBAPIConnection, statement: str) -> None:
    with closing(connection.cursor()) as cursor:
        cursor.execute(statement)
    connection.commit()


@contextmanager
def reading(engine: sa.Engine) -> Iterator[sa.Connection]:
    """A transaction that only reads: all of it sees one state of the database.

    Raises:
        LedgerError: the database cannot be read.
    """
    with told(engine), engine.connect() as connection:
        yield connection


@contextmanager
def writing(engine: sa.Engine) -> Iterator[sa.Connection]:
    """A transaction that writes: all of it or nothing.

    Raises:
        LedgerError: the database cannot take it.
    """
    with told(engine), engine.connect().execution_options(writes=True) as connection, connection.begin():
        yield connection


@contextmanager
def told(engine: sa.Engine) -> Iterator[None]:
    """Tell what a driver says in one sentence for a person.

    Raises:
        LedgerError: the driver failed.
    """
    try:
        yield
    except DBAPIError as exc:
        raise LedgerError(f"{name_of(engine)} {_reason(str(exc.orig))}") from exc
    except sqlite3.Error as exc:
        raise LedgerError(f"{name_of(engine)} {_reason(str(exc))}") from exc


def upgrade(engine: sa.Engine) -> str | None:
    """Bring the schema to the newest version, wholly or not at all; return the one it had.

    Raises:
        LedgerError: the database cannot take it.
    """
    with writing(engine) as connection:
        _wait_in_line(connection)
        version = _version(connection, engine)
        _migrate(connection)
    return version


def _look_at_file(engine: sa.Engine, *, create: bool) -> None:
    """Say what SQLite would call 'unable to open database file', and do not make what nobody asked for."""
    path = path_of(engine)
    if engine.dialect.name != "sqlite" or (path and str(path).startswith("file:")):
        return
    if path is None or str(path) == ":memory:":
        raise LedgerError("[database] url keeps nothing: name a file, as in sqlite:///linkhealth.db")
    if path.is_dir():
        raise LedgerError(f"{path} is a directory: name a file in [database] url")
    if not path.parent.is_dir():
        raise LedgerError(f"{path} cannot be made: there is no folder {path.parent}, make it first")
    if not create and not path.exists():
        raise LedgerError(f"there is no database {path} yet: 'linkhealth audit' makes it")


def _prepare(engine: sa.Engine, *, create: bool, older: bool) -> None:
    with reading(engine) as connection:
        version = _version(connection, engine)
    if version is None:
        _create(engine, create=create)
    elif version < HEAD and not older:
        raise SchemaError(f"{name_of(engine)} has the older schema {version}: run 'linkhealth db upgrade'")
    elif version > HEAD:
        raise SchemaError(f"{name_of(engine)} has the schema {version}, newer than this program: update it")
    _set_wal(engine)


def _version(connection: sa.Connection, engine: sa.Engine) -> str | None:
    """The version of the schema; None for a database that holds nothing.

    Raises:
        LedgerError: it holds something else.
    """
    tables = set(sa.inspect(connection).get_table_names())
    if not tables:
        return None
    version = None
    if {"alembic_version", "finding"} <= tables:
        version = connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar()
    if version is None:
        raise LedgerError(
            f"{name_of(engine)} is the database of another program: give [database] url one of its own"
        )
    return str(version)


def _create(engine: sa.Engine, *, create: bool) -> None:
    if not create:
        raise LedgerError(f"{name_of(engine)} holds nothing yet: 'linkhealth audit' fills it")
    _set_wal(engine)
    with writing(engine) as connection:
        _wait_in_line(connection)
        if _version(connection, engine) is None:  # else another process was quicker
            _migrate(connection)


def _wait_in_line(connection: sa.Connection) -> None:
    """Let one process at a time make tables; in SQLite, every writer has waited already."""
    if connection.dialect.name == "postgresql":
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(LINE)))


def _set_wal(engine: sa.Engine) -> None:
    """Let readers and the writer not wait for each other; a file keeps the mode."""
    if engine.dialect.name != "sqlite":
        return
    with told(engine), closing(engine.raw_connection()) as connection:
        connection.cursor().execute("PRAGMA journal_mode = WAL")


def _migrate(connection: sa.Connection) -> None:
    from alembic import command  # noqa: PLC0415 - a slow import that most runs do not need
    from alembic.config import Config  # noqa: PLC0415 - as above

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


# What the drivers say, and what that means to a person.
REASONS: Final[tuple[tuple[str, str], ...]] = (
    ("file is not a database", "is no database: name another file, or move this one away"),
    ("unable to open database file", "cannot be opened: may you write to it and its folder?"),
    ("readonly database", "is read-only: give yourself the right to write to it and its folder"),
    ("database is locked", "is locked by another program: wait for it, or end it"),
    ("database or disk is full", "cannot grow, the disk is full: make room, then run again"),
    ("no space left on device", "cannot grow, the disk is full: make room, then run again"),
    ("disk i/o error", "cannot be read or written, the disk reports an error: look at the disk"),
    ("malformed", "is damaged: restore a copy, or move it away to begin anew"),
    ("connection refused", "cannot be reached: does the server run?"),
    ("failed to resolve host", "cannot be reached: there is no host of that name"),
    ("too many clients", "has no connection free: allow more (max_connections), or start fewer workers"),
    ("remaining connection slots", "has no connection free: allow more (max_connections), or use fewer"),
    ("password authentication failed", "refuses the user or the password"),
    ("permission denied", "refuses: this user may not do that there"),
    ("fatal:  database", "does not exist: make it, as with createdb"),
    ("fatal:  role", "refuses the user"),
)


def _reason(text: str) -> str:
    known = (reason for mark, reason in REASONS if mark in text.lower())
    return next(known, f"cannot be used: {text.strip().partition(chr(10))[0]}")
