"""Engines of databases: what a URL means, which driver it takes, and how each connection begins."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from typing import Final
from urllib.parse import quote

import sqlalchemy as sa
from sqlalchemy import event as events
from sqlalchemy.exc import ArgumentError, NoSuchModuleError

from storage.errors import LedgerError

BUSY_TIMEOUT: Final = 30  # seconds to wait for another process that writes
CONNECTION_PRAGMAS: Final = (
    "PRAGMA synchronous = NORMAL",
    "PRAGMA foreign_keys = ON",
    "PRAGMA cache_size = -65536",
)
# After so many seconds (the last: ms) a server that fell silent is told from one that thinks.
CONNECTION_TIMEOUTS: Final[dict[str, float]] = {
    "connect_timeout": 10,
    "keepalives_idle": 5,
    "keepalives_interval": 3,
    "keepalives_count": 3,
    "tcp_user_timeout": 15_000,
}
DRIVER_NAMES: Final = {
    "sqlite": "sqlite",
    "postgresql": "postgresql+psycopg",
    "postgres": "postgresql+psycopg",
}


def make_engine(url: str) -> sa.Engine:
    """The engine of a URL; nothing is connected yet.

    Raises:
        LedgerError: the URL is none that can be opened; the text says why and what to do.
    """
    try:
        engine_url = sa.make_url(url)
        engine = sa.create_engine(
            engine_url.set(drivername=DRIVER_NAMES[engine_url.drivername]), **_arguments(engine_url)
        )
    except (ArgumentError, NoSuchModuleError, KeyError, ValueError) as exc:
        raise LedgerError(
            f"[database] url {_masked(url)} is none that can be opened: "
            "write sqlite:///FILE or postgresql://USER@HOST/NAME"
        ) from exc
    except ModuleNotFoundError as exc:
        raise LedgerError(
            f"[database] url {_masked(url)} needs a driver: pip install 'linkhealth[postgres]'"
        ) from exc
    if engine.dialect.name == "sqlite":
        events.listen(engine, "connect", _set_pragmas)
        events.listen(engine, "begin", _begin)
    return engine


def database_file(url: str) -> Path | None:
    """The file that an SQLite URL names; None for a server, and for what is no URL."""
    try:
        database_url = sa.make_url(url)
    except (ArgumentError, ValueError):
        return None
    is_file = database_url.get_backend_name() == "sqlite" and database_url.database not in {
        None,
        "",
        ":memory:",
    }
    return Path(database_url.database) if is_file and database_url.database else None


def look_url(url: str) -> str:
    """The URL to look at a database by: of a file that may only be read, one that says so.

    SQLite would make files beside it. Where a run has left a log beside it, that is read, too.
    """
    path = database_file(url)
    if path is None or str(path).startswith("file:") or not path.is_file() or _may_write(path):
        return url
    log = Path(f"{path}-wal")
    mode = "mode=ro" if log.is_file() and log.stat().st_size else "mode=ro&immutable=1"
    return f"sqlite:///file:{quote(str(path.absolute()))}?{mode}&uri=true"


def is_read_only(engine: sa.Engine) -> bool:
    """Whether `look_url` made it a database that may only be read."""
    return engine.url.query.get("mode") == "ro"


def _may_write(path: Path) -> bool:
    """Whether a database may be written: the file, and its folder, where SQLite makes others."""
    return os.access(path, os.W_OK) and os.access(path.absolute().parent, os.W_OK)


def path_of(engine: sa.Engine) -> Path | None:
    """The file of an SQLite database; None for a server."""
    name = engine.url.database
    return Path(name) if engine.dialect.name == "sqlite" and name else None


def name_of(engine: sa.Engine) -> str:
    """The URL as a person knows it, without its password."""
    return engine.url.render_as_string().replace("postgresql+psycopg:", "postgresql:")


def _arguments(url: sa.URL) -> dict[str, dict[str, float]]:
    defaults = {"timeout": BUSY_TIMEOUT} if url.drivername == "sqlite" else CONNECTION_TIMEOUTS
    return {"connect_args": {key: value for key, value in defaults.items() if key not in url.query}}


def _masked(url: str) -> str:
    """The URL without its password, as far as there is a URL."""
    try:
        return repr(sa.make_url(url).render_as_string())
    except (ArgumentError, ValueError):
        return "of the configuration" if "@" in url else repr(url)


def _set_pragmas(connection: sqlite3.Connection, _: object) -> None:
    connection.isolation_level = None  # `_begin` begins; the driver would at the first write only
    for pragma in CONNECTION_PRAGMAS:
        connection.execute(pragma)


def _begin(connection: sa.Connection) -> None:
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
