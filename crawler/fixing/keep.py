"""A file of records, taken and kept: whatever happens, it is the old one or the new one, whole."""

from __future__ import annotations

import hashlib
import os
import stat
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from storage.errors import StorageError

CHANGED: Final = "it has changed since it was read: 'linkhealth audit' reads it again"
WRITABLE: Final = stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH


class Refused(StorageError):
    """A file is left as it is, for this reason."""


@dataclass(frozen=True, slots=True)
class Original:
    """The bytes of a file, and what tells whether somebody has changed it since."""

    path: str
    data: bytes
    status: os.stat_result


def take(path: str, digest: str | None) -> Original:
    """Read a file that may be replaced; `digest` is the SHA-256, in hex, of what findings are about.

    Raises:
        Refused: it is compressed, a symbolic or a hard link, no regular file, read-only, cannot be
            read, or holds something else by now.
    """
    if path.lower().endswith(".gz"):
        raise Refused("it is compressed: unpack it to have it corrected")
    try:
        status = os.lstat(path)
        if stat.S_ISLNK(status.st_mode):
            raise Refused("it is a symbolic link: name the file itself")
        if not stat.S_ISREG(status.st_mode):
            raise Refused("it is no regular file")
        if status.st_nlink > 1:
            raise Refused("it has several names (hard links), and one alone would change")
        # A folder that may be written lets a file be replaced that may not.
        if not status.st_mode & WRITABLE or not os.access(path, os.W_OK):
            raise Refused("it is read-only")
        data = Path(path).read_bytes()
    except OSError as exc:
        raise Refused(f"it cannot be read: {exc.strerror or exc}") from exc
    if hashlib.sha256(data).hexdigest() != digest:
        raise Refused(CHANGED)
    return Original(path, data, status)


def keep(original: Original, data: bytes) -> None:
    """Put new bytes in the place of a file: written aside, synced, renamed; mode and owner stay.

    Raises:
        Refused: it has changed since it was taken, or cannot be written.
    """
    path = Path(original.path)
    try:
        number, aside = tempfile.mkstemp(prefix=f".{path.name[:100]}.", suffix=".new", dir=path.parent)
    except OSError as exc:
        raise Refused(f"it cannot be written: {exc.strerror or exc}") from exc
    try:
        with os.fdopen(number, "wb") as file:
            file.write(data)
            file.flush()
            _dress(number, original.status)
            os.fsync(number)
        _refuse_changed(original)
        os.replace(aside, path)  # noqa: PTH105 - one call, as its promise of atomicity is
    except OSError as exc:
        raise Refused(f"it cannot be written: {exc.strerror or exc}") from exc
    finally:
        with suppress(FileNotFoundError):
            os.unlink(aside)  # noqa: PTH108 - nothing is there once it was renamed
    _sync_folder(path.parent)


def _dress(number: int, status: os.stat_result) -> None:
    """Give the new file the owner and the mode of the old one."""
    made = os.fstat(number)
    if (made.st_uid, made.st_gid) != (status.st_uid, status.st_gid):
        os.fchown(number, status.st_uid, status.st_gid)
    os.fchmod(number, stat.S_IMODE(status.st_mode))


def _refuse_changed(original: Original) -> None:
    now, then = os.lstat(original.path), original.status
    if (now.st_ino, now.st_size, now.st_mtime_ns) != (then.st_ino, then.st_size, then.st_mtime_ns):
        raise Refused("somebody has changed it meanwhile")


def _sync_folder(folder: Path) -> None:
    """Make the new name outlive a power cut, where the system can."""
    with suppress(OSError):
        number = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(number)
        finally:
            os.close(number)
