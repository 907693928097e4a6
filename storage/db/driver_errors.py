"""What a driver's error means to a person: by its code, else by its message."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from typing import Final

from sqlalchemy.exc import DBAPIError

from storage.errors import original

PRIMARY_CODE_MASK: Final = 0xFF  # the lower byte of an SQLite code; the rest is detail
NOT_A_DATABASE: Final = "is no database: name another file, or move this one away"
READ_ONLY_DATABASE: Final = "is read-only: give yourself the right to write to it and its folder"
DISK_IS_FULL: Final = "cannot grow, the disk is full: make room, then run again"
DATABASE_DAMAGED: Final = "is damaged: restore a copy, or move it away to begin anew"
NO_CONNECTION_FREE: Final = "has no connection free: allow more (max_connections), or start fewer workers"
LOGIN_REFUSED: Final = "refuses the user or the password"
NO_SUCH_DATABASE: Final = "does not exist: make it, as with createdb"
# What failed, by the code that SQLite or PostgreSQL gives it (sqlite.org/rescode.html; appendix A).
SQLITE_REASONS: Final[Mapping[int, str]] = {
    sqlite3.SQLITE_BUSY: "is locked by another program: wait for it, or end it",
    sqlite3.SQLITE_CANTOPEN: "cannot be opened: may you write to it and its folder?",
    sqlite3.SQLITE_CORRUPT: DATABASE_DAMAGED,
    sqlite3.SQLITE_FULL: DISK_IS_FULL,
    sqlite3.SQLITE_IOERR: "cannot be read or written, the disk reports an error: look at the disk",
    sqlite3.SQLITE_NOTADB: NOT_A_DATABASE,
    sqlite3.SQLITE_PERM: READ_ONLY_DATABASE,
    sqlite3.SQLITE_READONLY: READ_ONLY_DATABASE,
}
SQLSTATE_REASONS: Final[Mapping[str, str]] = {
    "25006": "is read-only: it may be a copy of the one that takes writes",
    "28000": LOGIN_REFUSED,
    "28P01": LOGIN_REFUSED,
    "3D000": NO_SUCH_DATABASE,
    "42501": "refuses: this user may not do that there",
    "53100": DISK_IS_FULL,
    "53300": NO_CONNECTION_FREE,
    "57P03": "is starting or ending: wait a moment",
}
# libpq tells a failure to connect by words alone; elsewhere a system's words stand behind the code.
MESSAGE_REASONS: Final[tuple[tuple[str, str], ...]] = (
    ("no space left on device", DISK_IS_FULL),
    ("connection refused", "cannot be reached: does the server run?"),
    ("failed to resolve host", "cannot be reached: there is no host of that name"),
    ("too many clients", NO_CONNECTION_FREE),
    ("remaining connection slots", NO_CONNECTION_FREE),
    ("password authentication failed", LOGIN_REFUSED),
    ("permission denied", "refuses: this user may not do that there"),
    ("fatal:  database", NO_SUCH_DATABASE),
    ("fatal:  role", "refuses the user"),
)


# What the values of a row bring about; the database itself is well, and takes others.
ROW_SQLSTATES: Final = ("22", "23", "54")  # data exception, integrity constraint, program limit
ROW_SQLITE_CODES: Final = frozenset(
    {sqlite3.SQLITE_CONSTRAINT, sqlite3.SQLITE_MISMATCH, sqlite3.SQLITE_RANGE, sqlite3.SQLITE_TOOBIG}
)
ROW_ERRORS: Final = (OverflowError, UnicodeError)  # what a driver raises before it asks the database


def blames_row(exc: BaseException) -> bool:
    """Whether a write failed for the values of a row, so that the rows beside it may be written."""
    if not isinstance(exc, DBAPIError):
        return isinstance(exc, ROW_ERRORS)
    state = getattr(exc.orig, "sqlstate", None)
    code = getattr(exc.orig, "sqlite_errorcode", None)
    if state is not None or code is not None:
        return (state or "").startswith(ROW_SQLSTATES) or (code or 0) & PRIMARY_CODE_MASK in ROW_SQLITE_CODES
    return isinstance(exc.orig, (sqlite3.DataError, sqlite3.ProgrammingError, sqlite3.InterfaceError))


def driver_reason(failure: BaseException | None) -> str:
    """What a driver's error means to a person: by its code, else by its words, else in brackets."""
    code = getattr(failure, "sqlite_errorcode", None)
    reason = SQLITE_REASONS.get(code & PRIMARY_CODE_MASK) if code is not None else None
    reason = reason or SQLSTATE_REASONS.get(getattr(failure, "sqlstate", None) or "")
    message = original(failure)
    matches = (text for mark, text in MESSAGE_REASONS if mark in message.lower())
    return reason or next(matches, f"cannot be used{message}")
