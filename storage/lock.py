"""One run at a time on one database, and who it is. The lock dies with its process."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from storage.errors import LedgerError, LockHeld


@contextmanager
def hold(database: Path | None, command: str) -> Iterator[None]:
    """Hold the lock of a database file; a database without a file needs none.

    Raises:
        LockHeld: another run holds it; the text names its process, command and start.
        LedgerError: the lock file cannot be written.
    """
    if database is None:
        yield
        return
    # One file has one lock, whatever names lead to it.
    path = Path(f"{database.resolve()}.lock")
    try:
        file = path.open("a+", encoding="utf-8")
    except OSError as exc:
        raise LedgerError(f"{path} cannot be written: {exc.strerror}") from exc
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as exc:
            file.seek(0)
            holder = file.read().strip() or "another process"
            raise LockHeld(f"{database} is in use: {holder}; wait for it, or end it") from exc
        file.truncate(0)
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        file.write(f"process {os.getpid()} runs 'linkhealth {command}' since {now}")
        file.flush()
        try:
            yield
        finally:
            file.truncate(0)
