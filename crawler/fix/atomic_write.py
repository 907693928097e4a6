"""Read a record file and replace it atomically: at any moment it is the old one or the new one, whole."""

from __future__ import annotations

import hashlib
import os
import stat
import tempfile
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path
from typing import Final

from storage.errors import StorageError, system_reason
from storage.frozen import frozen

CHANGED_FILE_REASON: Final = "it has changed since it was read: 'linkhealth audit' reads it again"
WRITE_BITS: Final = stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH


class FileLeftAlone(StorageError):
    """A file is left as it is, for this reason; `changed`: it does not hold what it is known to hold."""

    changed = False


class FileChanged(FileLeftAlone):
    """A file holds other bytes than it is known to hold."""

    changed = True


@frozen
class OriginalFile:
    """The bytes of a file, and its status, which tells whether it has changed since."""

    path: str
    data: bytes
    status: os.stat_result

    @property
    def digest(self) -> str:
        """The SHA-256 of its bytes, in hex."""
        return hashlib.sha256(self.data).hexdigest()


def read_original(path: str, digests: Collection[str | None] | None) -> OriginalFile:
    """Read a file that may be replaced; `digests` are SHA-256, in hex, of what it is known to hold,
    None where that is of no matter.

    Raises:
        FileLeftAlone: it is compressed, a symbolic or a hard link, no regular file, read-only, or cannot
            be read.
        FileChanged: it holds something else by now.
    """
    if path.lower().endswith(".gz"):
        raise FileLeftAlone("it is compressed: unpack it to have it corrected")
    try:
        status = os.lstat(path)
        if stat.S_ISLNK(status.st_mode):
            raise FileLeftAlone("it is a symbolic link: name the file itself")
        if not stat.S_ISREG(status.st_mode):
            raise FileLeftAlone("it is no regular file")
        if status.st_nlink > 1:
            raise FileLeftAlone("it has several names (hard links), and one alone would change")
        # A folder that may be written lets a file be replaced that may not.
        if not status.st_mode & WRITE_BITS or not os.access(path, os.W_OK):
            raise FileLeftAlone("it is read-only")
        data = Path(path).read_bytes()
    except OSError as exc:
        raise FileLeftAlone(f"it cannot be read: {system_reason(exc)}") from exc
    original = OriginalFile(path, data, status)
    if digests is not None and original.digest not in digests:
        raise FileChanged(CHANGED_FILE_REASON)
    return original


def replace_file(original: OriginalFile, data: bytes) -> None:
    """Put new bytes in the place of a file: written aside, synced, renamed; mode and owner stay.

    Raises:
        FileLeftAlone: it has changed since it was read, or cannot be written.
    """
    path = Path(original.path)
    try:
        number, aside = tempfile.mkstemp(prefix=f".{path.name[:100]}.", suffix=".new", dir=path.parent)
    except OSError as exc:
        raise FileLeftAlone(f"it cannot be written: {system_reason(exc)}") from exc
    try:
        with os.fdopen(number, "wb") as file:
            file.write(data)
            file.flush()
            _copy_owner_and_mode(number, original.status)
            os.fsync(number)
        _refuse_changed(original)
        os.replace(aside, path)  # noqa: PTH105 - one call, as its promise of atomicity is
    except OSError as exc:
        raise FileLeftAlone(f"it cannot be written: {system_reason(exc)}") from exc
    finally:
        with suppress(FileNotFoundError):
            os.unlink(aside)  # noqa: PTH108 - nothing is there once it was renamed
    _sync_folder(path.parent)


def _copy_owner_and_mode(number: int, status: os.stat_result) -> None:
    """Give the new file the owner and the mode of the old one."""
    copy = os.fstat(number)
    if (copy.st_uid, copy.st_gid) != (status.st_uid, status.st_gid):
        os.fchown(number, status.st_uid, status.st_gid)
    os.fchmod(number, stat.S_IMODE(status.st_mode))


def _refuse_changed(original: OriginalFile) -> None:
    now, earlier = os.lstat(original.path), original.status
    if (now.st_ino, now.st_size, now.st_mtime_ns) != (earlier.st_ino, earlier.st_size, earlier.st_mtime_ns):
        raise FileLeftAlone("it was changed meanwhile")


def _sync_folder(folder: Path) -> None:
    """Make the new name outlive a power cut, where the system can."""
    with suppress(OSError):
        number = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(number)
        finally:
            os.close(number)
