"""The files of the cache: written aside, and renamed to what their bytes are called once proven."""

from __future__ import annotations

import errno
import itertools
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from storage.errors import FileSwept
from storage.frozen import frozen
from storage.image_cache.aside_file import AsideFile
from storage.image_cache.names import named_digest
from storage.image_cache.safe_paths import DIRECTORY_FLAGS, NEW_FILE_FLAGS, errors_explained, folder, write

OWNER_FILE: Final = ".database"  # what tells which database the folder belongs to
MAX_OWNER_BYTES: Final = 4096
ASIDE_FOLDER: Final = ".aside"  # the folder of files that are not proven yet; on the same disk, to be renamed


@frozen
class Blob:
    """One thing found below the cache: its name there, its bytes, and when it was last touched.

    `digest` is what its name stands for; None for anything that is no file of the cache.
    """

    name: str
    digest: str | None
    size: int
    mtime: float


class FolderStore:
    """The files below a folder. All but `where` and `local` touch the disk, so call them in a thread.

    All of them raise `CacheError`, with one sentence for a person, where the system refuses.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._token = f"{os.getpid()}-{secrets.token_hex(8)}"
        self._numbers = itertools.count(1)  # `next` of it is one step, so threads may share it

    def where(self, name: str) -> str:
        """Where a file lies, as the configuration names the folder."""
        return str(self.root / name)

    def local(self, aside: str) -> Path:
        """The file that was written aside."""
        return self.root / aside

    def prepare(self) -> None:
        """Make the folder where there is none, and see that it may be written; write nothing else."""
        with errors_explained(self.root), self._below(ASIDE_FOLDER, create=True):
            for path in (self.root, self.root / ASIDE_FOLDER):
                if not os.access(path, os.W_OK | os.X_OK):
                    raise PermissionError(errno.EACCES, "read-only", str(path))

    def owner(self) -> str | None:
        """The database that the folder says it belongs to; None if it says none."""
        with errors_explained(self.root), suppress(FileNotFoundError), folder(self.root) as parent:
            descriptor = os.open(OWNER_FILE, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=parent)
            with os.fdopen(descriptor, "rb") as stream:
                return stream.read(MAX_OWNER_BYTES).decode("utf-8", "replace").strip() or None
        return None

    def set_owner(self, name: str) -> None:
        """Say which database the folder belongs to; what another process said meanwhile stays."""
        with errors_explained(self.root), suppress(FileExistsError), folder(self.root, create=True) as parent:
            write(os.open(OWNER_FILE, NEW_FILE_FLAGS, 0o644, dir_fd=parent), f"{name}\n".encode())

    def aside(self, data: bytes, *, sync: bool = False) -> str:
        """Write bytes under a temporary name, onto the disk if `sync`; returns it."""
        token = self._next_token()
        with errors_explained(self.root), self._below(ASIDE_FOLDER, create=True) as parent:
            try:
                write(os.open(token, NEW_FILE_FLAGS, 0o644, dir_fd=parent), data, sync=sync)
            except OSError:
                with suppress(OSError):
                    os.unlink(token, dir_fd=parent)
                raise
        return f"{ASIDE_FOLDER}/{token}"

    def open_aside(self) -> AsideFile:
        """A file with a temporary name that is written piece by piece."""
        return AsideFile(f"{ASIDE_FOLDER}/{self._next_token()}", self._aside_folder)

    def _next_token(self) -> str:
        return f"{self._token}-{next(self._numbers)}"

    @contextmanager
    def _aside_folder(self) -> Iterator[int]:
        with errors_explained(self.root), self._below(ASIDE_FOLDER, create=True) as parent:
            yield parent

    def keep(self, aside: str, name: str, *, synced: bool = False) -> None:
        """Give what was written aside its final name, once it is on the disk (`synced`: it is).

        Raises:
            Swept: another process took away what was written aside.
            CacheError: the system refused.
        """
        token, (fan, file) = aside.rpartition("/")[2], name.split("/")
        with errors_explained(self.root), self._below(fan, create=True) as target:
            try:
                with self._below(ASIDE_FOLDER) as source:
                    if not synced:
                        _sync(token, source)
                    os.rename(token, file, src_dir_fd=source, dst_dir_fd=target)
            except FileNotFoundError as exc:
                raise FileSwept(f"{self.root}: another process removed what was being written there") from exc

    @contextmanager
    def _below(self, part: str, *, create: bool = False) -> Iterator[int]:
        """The descriptor of a folder right below the root, which is no link."""
        path = f"{self.root}/{part}"
        try:
            descriptor = os.open(path, DIRECTORY_FLAGS | os.O_NOFOLLOW)
        except FileNotFoundError:
            if not create:
                raise
            self.root.mkdir(parents=True, exist_ok=True)
            Path(path).mkdir(exist_ok=True)
            descriptor = os.open(path, DIRECTORY_FLAGS | os.O_NOFOLLOW)
        try:
            yield descriptor
        finally:
            os.close(descriptor)

    def has(self, name: str, size: int | None) -> bool:
        """Whether a file is there, with as many bytes."""
        try:
            status = (self.root / name).lstat()
        except OSError:
            return False
        return stat.S_ISREG(status.st_mode) and status.st_size == size

    def touch(self, name: str) -> None:
        """Note that a file is wanted again, so that no one takes it away before a row names it."""
        with suppress(OSError):
            os.utime(self.root / name, follow_symlinks=False)

    def discard(self, name: str) -> bool:
        """Remove a file; tell whether it was there."""
        *parts, file = name.split("/")
        with errors_explained(self.root):
            try:
                with folder(self.root, parts) as parent:
                    os.unlink(file, dir_fd=parent)
            except FileNotFoundError:
                return False
        return True

    def read(self, name: str) -> bytes:
        """The bytes of a file."""
        *parts, file = name.split("/")
        with errors_explained(self.root), folder(self.root, parts) as parent:
            descriptor = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=parent)
            with os.fdopen(descriptor, "rb") as stream:
                return stream.read()

    def walk(self) -> Iterator[Blob]:
        """Everything below the folder, in the order of names; no link is followed."""
        with errors_explained(self.root):
            for entry in _listed(self.root):
                if entry.name == OWNER_FILE:
                    continue
                if not entry.is_dir(follow_symlinks=False):
                    yield _blob("", entry)
                elif entry.name != ASIDE_FOLDER:
                    yield from (_blob(entry.name, child) for child in _listed(Path(entry.path)))

    def asides(self) -> Iterator[Blob]:
        """What was written aside and not taken back: of runs that were killed, or are under way."""
        with errors_explained(self.root):
            yield from (_blob(ASIDE_FOLDER, entry) for entry in _listed(self.root / ASIDE_FOLDER))


def _sync(file: str, parent: int) -> None:
    descriptor = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=parent)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _listed(path: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(path) as scan:
            return sorted(scan, key=lambda entry: entry.name)
    except FileNotFoundError:
        return []


def _blob(parent: str, entry: os.DirEntry[str]) -> Blob:
    """What is found there; only a plain file in its folder can be one of the cache."""
    try:
        status = entry.stat(follow_symlinks=False)
    except FileNotFoundError:
        return Blob(entry.name, None, 0, 0.0)
    plain = stat.S_ISREG(status.st_mode)
    digest = named_digest(parent, entry.name) if plain else None
    name = f"{parent}/{entry.name}" if parent else entry.name
    return Blob(name, digest, status.st_size, status.st_mtime)
