"""Folders reached without following a symbolic link below a root, and what the system says of them.

The root itself may be a link: the operator wrote it. What lies below may have been put there by
others, and a link would lead a write, or a removal, out of the root.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import MappingProxyType
from typing import Final

from storage.errors import CacheError, system_reason

NEW_FILE_FLAGS: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
DIRECTORY_FLAGS: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
CACHE_DISK_FULL: Final = "the disk is full: make room, then run again"
WRITE_REFUSED: Final = "it may not be written: give yourself the right to, or name another folder"
ODD_FOLDER: Final = "something there is no folder, or a symbolic link: move it away"
FOLDER_ERROR_REASONS: Final = MappingProxyType(
    {
        errno.ENOSPC: CACHE_DISK_FULL,
        errno.EDQUOT: CACHE_DISK_FULL,
        errno.EROFS: WRITE_REFUSED,
        errno.EACCES: WRITE_REFUSED,
        errno.EPERM: WRITE_REFUSED,
        errno.ENOTDIR: ODD_FOLDER,
        errno.ELOOP: ODD_FOLDER,
        errno.EEXIST: ODD_FOLDER,
        errno.EIO: "the disk reports an error: look at the disk",
    }
)


@contextmanager
def errors_explained(root: Path) -> Iterator[None]:
    """Tell what the system says of the files below a root in one sentence for a person.

    Raises:
        CacheError: the system refused.
    """
    try:
        yield
    except OSError as exc:
        why = FOLDER_ERROR_REASONS.get(exc.errno or 0) or system_reason(exc)
        raise CacheError(f"{root}: {why}") from exc


@contextmanager
def folder(root: Path, parts: Sequence[str] = (), *, create: bool = False) -> Iterator[int]:
    """The descriptor of a folder below a root; make what is missing of it, if `create`.

    Raises:
        OSError: a part is missing, no folder, or a symbolic link.
    """
    if create:
        root.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(root, DIRECTORY_FLAGS)
    try:
        for part in parts:
            descriptor = _step(descriptor, part, create=create)
        yield descriptor
    finally:
        os.close(descriptor)


def _step(parent: int, part: str, *, create: bool) -> int:
    """Go one folder down, and let go of the one above."""
    if create:
        with suppress(FileExistsError):
            os.mkdir(part, dir_fd=parent)
    below = os.open(part, DIRECTORY_FLAGS | os.O_NOFOLLOW, dir_fd=parent)
    os.close(parent)
    return below


def write(descriptor: int, data: bytes, *, sync: bool = False) -> None:
    """Write all of the bytes to an open file, onto the disk if `sync`, and close it.

    Raises:
        OSError: the system refused.
    """
    try:
        remainder = memoryview(data)
        while remainder:
            remainder = remainder[os.write(descriptor, remainder) :]
        if sync:
            os.fsync(descriptor)
    finally:
        os.close(descriptor)
