"""Engines of databases: what a URL means, which driver it takes, and how each connection begins."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Final

import sqlalchemy as sa
from sqlalchemy import event as events
from sqlalchemy.exc import ArgumentError, NoSuchModuleError

from storage.errors import LedgerError

BUSY: Final = 30  # seconds to wait for another process that writes
PRAGMAS: Final = ("PRAGMA synchronous = NORMAL", "PRAGMA foreign_keys = ON", "PRAGMA cache_size = -65536")
# After so many seconds (the last: ms) a server that fell silent is told from one that thinks.
NOTICED: Final[dict[str, float]] = {
    "connect_timeout": 10,
    "keepalives_idle": 5,
    "keepalives_interval": 3,
    "keepalives_count": 3,
    "tcp_user_timeout": 15_000,
}
DRIVERS: Final = {"sqlite": "sqlite", "postgresql": "postgresql+psycopg", "postgres": "postgresql+psycopg"}


def make_engine(url: str) -> sa.Engine:
    """The engine of a URL; nothing is connected yet.

    Raises:
        LedgerError: the URL is none that can be opened; the text says why and what to do.
    """
    try:
        parsed = sa.make_url(url)
        engine = sa.create_engine(parsed.set(drivername=DRIVERS[parsed.drivername]), **_arguments(parsed))
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


def path_of(engine: sa.Engine) -> Path | None:
    """The file of an SQLite database; None for a server."""
    name = engine.url.database
    return Path(name) if engine.dialect.name == "sqlite" and name else None


def name_of(engine: sa.Engine) -> str:
    """The URL as a person knows it, without its password."""
    return engine.url.render_as_string().replace("postgresql+psycopg:", "postgresql:")


def _arguments(url: sa.URL) -> dict[str, dict[str, float]]:
    known = {"timeout": BUSY} if url.drivername == "sqlite" else NOTICED
    return {"connect_args": {key: value for key, value in known.items() if key not in url.query}}


def _masked(url: str) -> str:
    """The URL without its password, as far as there is a URL."""
    try:
        return repr(sa.make_url(url).render_as_string())
    except (ArgumentError, ValueError):
        return "of the configuration" if "@" in url else repr(url)


def _set_pragmas(connection: sqlite3.Connection, _: object) -> None:
    connection.isolation_level = None  # `_begin` begins; the driver would at the first write only
    for pragma in PRAGMAS:
        connection.execute(pragma)


def _begin(connection: sa.Connection) -> None:
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
