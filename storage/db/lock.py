"""One run at a time on one database, and who it is. The lock dies with its process."""

from __future__ import annotations

import fcntl
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from urllib.parse import unquote

import sqlalchemy as sa

from storage.db.engine import path_of
from storage.db.transactions import driver_errors_translated
from storage.errors import LedgerError, LockHeld, system_reason
from storage.model import iso_utc

LOCK_NUMBER: Final = 0x6C696E6C  # of the lock in a server's database; any will do
MAX_CLIENT_NAME_BYTES: Final = 63  # bytes that PostgreSQL keeps of the name of a client
HOLDER_QUERY: Final = sa.text(
    "SELECT a.application_name FROM pg_locks AS l JOIN pg_stat_activity AS a ON a.pid = l.pid "
    "WHERE l.locktype = 'advisory' AND l.granted AND l.classid = 0 AND l.objid = :number "
    "AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())"
)


@contextmanager
def hold(engine: sa.Engine, command: str) -> Iterator[FileLock]:
    """Hold the lock of a database, whatever machine its other users are on.

    A run that outlives a restart of its database calls `check` now and then.

    Raises:
        LockHeld: another run holds it; the text names its process, command and start.
        LedgerError: the lock cannot be used.
    """
    path = path_of(engine)
    if path is not None:
        with hold_file(path, command):
            yield FileLock()
        return
    lock = ServerLock(engine, command) if engine.dialect.name == "postgresql" else FileLock()
    try:
        yield lock
    finally:
        lock.release()


class FileLock:
    """A lock that ends with its process alone."""

    def check(self) -> None:
        """See that it is held."""

    def release(self) -> None:
        """Hold it no more."""


class ServerLock(FileLock):
    """A lock of PostgreSQL, which ends with its connection; the name of the client tells who it is."""

    def __init__(self, engine: sa.Engine, command: str) -> None:
        """Take it.

        Raises:
            LockHeld: another run has it.
            LedgerError: the database cannot be used.
        """
        self._engine = engine
        self._client_name = f"linkhealth {command}, process {os.getpid()} on {socket.gethostname()}, {_now()}"
        self._connection: sa.Connection | None = _connection_with_lock(engine, self._client_name)

    def check(self) -> None:
        """Take it once more, if the database forgot it.

        Raises:
            LockHeld: another run was quicker.
            LedgerError: the database cannot be used; check again later.
        """
        try:
            with driver_errors_translated(self._engine):
                if self._connection is not None:
                    self._connection.execute(sa.select(1))
                    return
        except LedgerError:
            self.release()
        self._connection = _connection_with_lock(self._engine, self._client_name)

    def release(self) -> None:
        """Hold it no more."""
        connection = self._connection
        self._connection = None
        if connection is not None:
            # Not back into the pool: the lock and the name belong to this connection.
            connection.invalidate()
            connection.close()


def _connection_with_lock(engine: sa.Engine, client_name: str) -> sa.Connection:
    """A connection that holds the lock under a name."""
    short_name = client_name.encode()[:MAX_CLIENT_NAME_BYTES].decode(errors="ignore")
    with driver_errors_translated(engine):
        connection = engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        connection.execute(sa.select(sa.func.set_config("application_name", short_name, sa.false())))
        if connection.execute(sa.select(sa.func.pg_try_advisory_lock(LOCK_NUMBER))).scalar():
            return connection
        holder = connection.execute(HOLDER_QUERY, {"number": LOCK_NUMBER}).scalar() or "another process"
    connection.close()
    raise LockHeld(f"the database is in use: {holder}; wait for it, or end it")


def lock_holder(engine: sa.Engine) -> str | None:
    """Who holds the lock of a database: process, command and start; None if nobody does. It takes nothing.

    Raises:
        LedgerError: that cannot be told.
    """
    path = path_of(engine)
    if path is not None:
        file = Path(unquote(str(path).removeprefix("file:")))  # as `look_url` writes it
        return _file_holder(Path(f"{file.resolve()}.lock"))
    if engine.dialect.name != "postgresql":
        return None
    with driver_errors_translated(engine), engine.connect() as connection:
        holder = connection.execute(HOLDER_QUERY, {"number": LOCK_NUMBER}).scalar()
    return None if holder is None else str(holder)


def _file_holder(path: Path) -> str | None:
    """Who holds a lock file. One that nobody holds is empty, or was left by a process that was killed."""
    try:
        with path.open(encoding="utf-8") as file:
            holder = file.read().strip()
            if holder:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return None
    except BlockingIOError:
        return holder
    except OSError as exc:
        raise LedgerError(f"{path} cannot be read: {system_reason(exc)}") from exc
    return None


@contextmanager
def hold_file(database: Path, command: str) -> Iterator[None]:
    """Hold the lock of a database in a file.

    Raises:
        LockHeld: another run holds it; the text names its process, command and start.
        LedgerError: the lock file cannot be written.
    """
    # One file has one lock, whatever names lead to it.
    path = Path(f"{database.resolve()}.lock")
    try:
        file = path.open("a+", encoding="utf-8")
    except OSError as exc:
        raise LedgerError(f"{path} cannot be written: {system_reason(exc)}") from exc
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as exc:
            file.seek(0)
            holder = file.read().strip() or "another process"
            raise LockHeld(f"{database} is in use: {holder}; wait for it, or end it") from exc
        file.truncate(0)
        file.write(f"process {os.getpid()} runs 'linkhealth {command}' since {_now()}")
        file.flush()
        try:
            yield
        finally:
            file.truncate(0)


def _now() -> str:
    return iso_utc(datetime.now(UTC))
