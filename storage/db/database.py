"""Opening the database: what it is, whether it is ours, and how new its schema is."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Final

import sqlalchemy as sa
from sqlalchemy import event as events
from sqlalchemy.engine.interfaces import DBAPIConnection

from storage.db.engine import is_read_only, look_url, make_engine, name_of, path_of
from storage.db.schema import SCHEMA_VERSION, metadata
from storage.db.transactions import driver_errors_translated, reading, writing
from storage.errors import LedgerError, SchemaError, system_reason

MIGRATIONS: Final = Path(__file__).parent / "migrations"
MIGRATION_LOCK_NUMBER: Final = (
    0x6C696E6B  # the number of the line in which makers of tables wait; any will do
)
# What Alembic keeps of a schema that its migrations made, for a schema that was made at once.
VERSION_STATEMENTS: Final = (
    """CREATE TABLE alembic_version (
    version_num VARCHAR(32) NOT NULL, CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num))""",
    f"INSERT INTO alembic_version VALUES ('{SCHEMA_VERSION}')",  # noqa: S608 - our own number
)
SMALL_CACHE_PRAGMA: Final = "PRAGMA cache_size = -16384"
READ_ONLY_STATEMENTS: Final = {
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
        _check_file(engine, create=create)
        _check_schema(engine, create=create, older=older)
    except BaseException:
        engine.dispose()
        raise
    return engine


def open_or_empty(url: str) -> sa.Engine:
    """Open a database to show what is known, in little memory; an empty one where no file is.

    Raises:
        LedgerError: it cannot be used.
        SchemaError: its schema is not the one of this program.
    """
    engine = make_engine(url)
    path = path_of(engine)
    if path is None or path.exists() or str(path).startswith("file:"):
        engine.dispose()
        return _with_small_cache(open_engine(look_url(url)))
    _check_file(engine, create=True)
    empty = make_engine("sqlite://")
    _create(empty, create=True)
    return empty


def open_reader(url: str) -> sa.Engine:
    """Open a database that is there, to read it and never to write, as pages do beside a run.

    Raises:
        LedgerError: there is none, or it cannot be used.
        SchemaError: its schema is not the one of this program.
    """
    engine = open_engine(look_url(url), create=False)
    engine.dispose()  # what looked at the schema may still write
    statement = READ_ONLY_STATEMENTS[engine.dialect.name]
    events.listen(engine, "connect", lambda connection, _: _run_at_once(connection, statement))
    return engine


def _with_small_cache(engine: sa.Engine) -> sa.Engine:
    """Pages of a file that are read once, one after the other, need no large cache."""
    engine.dispose()
    if engine.dialect.name == "sqlite":
        events.listen(engine, "connect", lambda connection, _: connection.execute(SMALL_CACHE_PRAGMA))
    return engine


def _run_at_once(connection: DBAPIConnection, statement: str) -> None:
    with closing(connection.cursor()) as cursor:
        cursor.execute(statement)
    connection.commit()


def upgrade(engine: sa.Engine) -> str | None:
    """Bring the schema to the newest version, wholly or not at all; return the one it had.

    Raises:
        LedgerError: the database cannot take it.
    """
    with writing(engine) as connection:
        _lock_migrations(connection)
        version = _version(connection, engine)
        _migrate(connection)
    return version


def _check_file(engine: sa.Engine, *, create: bool) -> None:
    """Say what SQLite would call 'unable to open database file', and do not make what nobody asked for."""
    path = path_of(engine)
    if engine.dialect.name != "sqlite" or (path and str(path).startswith("file:")):
        return
    if path is None or str(path) == ":memory:":
        raise LedgerError("[database] url keeps nothing: name a file, as in sqlite:///linkhealth.db")
    try:
        is_folder, has_parent = path.is_dir(), path.parent.is_dir()
    except OSError as exc:
        raise LedgerError(f"[database] url cannot be opened: {system_reason(exc)}") from exc
    if is_folder:
        raise LedgerError(f"{path} is a directory: name a file in [database] url")
    if not has_parent:
        raise LedgerError(f"{path} cannot be made: there is no folder {path.parent}, make it first")
    if not create and not path.exists():
        raise LedgerError(f"there is no database {path} yet: 'linkhealth audit' makes it")


def _check_schema(engine: sa.Engine, *, create: bool, older: bool) -> None:
    with reading(engine) as connection:
        version = _version(connection, engine)
    if version is None:
        _create(engine, create=create)
    elif version < SCHEMA_VERSION and not older:
        raise SchemaError(f"{name_of(engine)} has the older schema {version}: run 'linkhealth db upgrade'")
    elif version > SCHEMA_VERSION:
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
        _lock_migrations(connection)
        if _version(connection, engine) is None:  # else another process was quicker
            _make_tables(connection)


def _make_tables(connection: sa.Connection) -> None:
    """Make all tables as they are by now; a test holds them equal to what the migrations lead to.

    PostgreSQL gets there by its migrations, which know what it alone has.
    """
    if connection.dialect.name != "sqlite":
        _migrate(connection)
        return
    metadata.create_all(connection, checkfirst=False)
    for statement in VERSION_STATEMENTS:
        connection.exec_driver_sql(statement)


def _lock_migrations(connection: sa.Connection) -> None:
    """Let one process at a time make tables; in SQLite, every writer has waited already."""
    if connection.dialect.name == "postgresql":
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(MIGRATION_LOCK_NUMBER)))


def _set_wal(engine: sa.Engine) -> None:
    """Let readers and the writer not wait for each other; a file keeps the mode."""
    if engine.dialect.name != "sqlite" or is_read_only(engine):
        return
    with driver_errors_translated(engine), closing(engine.raw_connection()) as connection:
        connection.cursor().execute("PRAGMA journal_mode = WAL")


def _migrate(connection: sa.Connection) -> None:
    from alembic import command  # noqa: PLC0415 - a slow import that most runs do not need
    from alembic.config import Config  # noqa: PLC0415 - as above

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
