"""Opening the database: what it is, whether it is ours, and how new its schema is."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import event as events
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, SQLAlchemyError

from storage.errors import LedgerError, SchemaError
from storage.schema import HEAD

MIGRATIONS: Final = Path(__file__).parent / "migrations"
BUSY: Final = 30  # seconds to wait for another process that writes
PRAGMAS: Final = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = NORMAL",
    "PRAGMA foreign_keys = ON",
    "PRAGMA temp_store = MEMORY",
)


def open_engine(url: str) -> sa.Engine:
    """Open the database of a URL; make and migrate it where there is none.

    Raises:
        LedgerError: it cannot be used; the text says why and what to do.
        SchemaError: its schema is not the one of this program.
    """
    engine = _engine(url)
    with _explained(url):
        _prepare(engine, url)
    return engine


def _engine(url: str) -> sa.Engine:
    try:
        parsed = sa.make_url(url)
        if parsed.drivername == "postgresql":
            parsed = parsed.set(drivername="postgresql+psycopg")
        arguments = {"timeout": BUSY} if parsed.drivername.startswith("sqlite") else {}
        engine = sa.create_engine(parsed, connect_args=arguments)
    except (ArgumentError, NoSuchModuleError) as exc:
        raise LedgerError(
            f"[database] url {url!r} is none that can be opened: "
            "write sqlite:///FILE or postgresql://USER@HOST/NAME"
        ) from exc
    except ModuleNotFoundError as exc:
        raise LedgerError(
            f"[database] url {url!r} needs a driver: pip install 'linkhealth[postgres]'"
        ) from exc
    if engine.dialect.name == "sqlite":
        events.listen(engine, "connect", _set_pragmas)
    return engine


def _set_pragmas(connection: sqlite3.Connection, _: object) -> None:
    for pragma in PRAGMAS:
        connection.execute(pragma)


def path_of(engine: sa.Engine) -> Path | None:
    """The file of an SQLite database; None for a server or for memory."""
    name = engine.url.database
    if engine.dialect.name != "sqlite" or not name or name == ":memory:":
        return None
    return Path(name)


def _prepare(engine: sa.Engine, url: str) -> None:
    with engine.connect() as connection:
        tables = set(sa.inspect(connection).get_table_names())
    if not tables:
        upgrade(engine)
    elif "alembic_version" not in tables or "finding" not in tables:
        raise LedgerError(f"{url} is a database of another program: give [database] url a file of its own")
    else:
        _check_version(engine, url)


def _check_version(engine: sa.Engine, url: str) -> None:
    with engine.connect() as connection:
        found = connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar()
    if found == HEAD:
        return
    if found is not None and found < HEAD:
        raise SchemaError(f"{url} has the older schema {found}: run 'linkhealth db upgrade'")
    raise SchemaError(f"{url} has the schema {found}, newer than this program: update linkhealth")


def upgrade(engine: sa.Engine) -> None:
    """Bring the schema to the newest version."""
    from alembic import command  # noqa: PLC0415 - a slow import that most runs do not need
    from alembic.config import Config  # noqa: PLC0415 - as above

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


@contextmanager
def _explained(url: str) -> Iterator[None]:
    try:
        yield
    except DBAPIError as exc:
        raise explain(exc, url) from exc
    except (SQLAlchemyError, OSError) as exc:
        raise LedgerError(f"{url} cannot be opened: {exc}") from exc


# What the drivers say, and what that means to a person.
REASONS: Final[tuple[tuple[str, str], ...]] = (
    ("file is not a database", "is no database: name another file, or move this one away"),
    ("unable to open database file", "cannot be opened: does its folder exist, may you write?"),
    ("readonly database", "is read-only: give yourself the right to write to it and its folder"),
    ("database is locked", "is locked by another program: wait for it, or end it"),
    ("database or disk is full", "cannot grow, the disk is full: make room, then run again"),
    ("disk I/O error", "cannot be written, the disk reports an error"),
    ("malformed", "is damaged: restore a copy, or move it away to begin anew"),
    ("connection refused", "cannot be reached: does the server run?"),
    ("password authentication failed", "refuses the user or the password"),
)


def explain(exc: DBAPIError, url: str) -> LedgerError:
    """One sentence for what a driver says."""
    text = str(exc.orig)
    shown = sa.make_url(url).render_as_string(hide_password=True)
    for mark, reason in REASONS:
        if mark in text.lower() or mark in text:
            return LedgerError(f"{shown} {reason}")
    first: Any = text.strip().partition("\n")[0]
    return LedgerError(f"{shown} cannot be used: {first}")
