"""A file that is written aside piece by piece, while its bytes come."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from contextlib import AbstractContextManager
from threading import Lock
from typing import Final

from storage.errors import FileSwept
from storage.image_cache.names import ALGORITHM
from storage.image_cache.safe_paths import NEW_FILE_FLAGS, write

APPEND_FLAGS: Final = os.O_WRONLY | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
FILE_MODE: Final = 0o644


class AsideFile:
    """Bytes on their way to the disk, with their digest so far; call `write` and `discard` in threads.

    No descriptor is held between two pieces: there may be as many files as requests. `name` is what
    the store calls the file, `folder` opens the one that it lies in.
    """

    def __init__(self, name: str, folder: Callable[[], AbstractContextManager[int]]) -> None:
        self.name = name
        self.size = 0
        self._folder = folder
        self._hash = hashlib.sha256()
        self._lock = Lock()
        self._discarded = False

    @property
    def digest(self) -> str:
        """The digest of what was written so far, as the index writes it."""
        return ALGORITHM + self._hash.hexdigest()

    def write(self, data: bytes) -> None:
        """Write one more piece; nothing once the file was discarded.

        Raises:
            FileSwept: another process removed what was written before.
            CacheError: the system refused.
        """
        with self._lock:
            if self._discarded:
                return
            with self._folder() as parent:
                write(self._opened(parent), data)
            self._hash.update(data)
            self.size += len(data)

    def discard(self) -> None:
        """Let no piece be written any more, that of another thread included."""
        with self._lock:
            self._discarded = True

    def _opened(self, parent: int) -> int:
        file = self.name.rpartition("/")[2]
        try:
            return os.open(file, APPEND_FLAGS if self.size else NEW_FILE_FLAGS, FILE_MODE, dir_fd=parent)
        except FileNotFoundError as exc:
            raise FileSwept(f"{file}: another process removed what was being written there") from exc
