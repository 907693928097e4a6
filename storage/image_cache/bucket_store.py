"""The cache in a bucket, or wherever else fsspec reaches: an object is visible only when whole.

What is there is listed once, at the first question about a file; no other costs a request. Who asks
about an index reads it first: what another worker puts in between is listed then. Bytes are written
aside on this machine, proven, and only then put under their name, in one step of the store.
"""

from __future__ import annotations

import shutil
import tempfile
import weakref
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from datetime import datetime
from pathlib import Path
from threading import Lock
from typing import Final

from storage.errors import CacheError, original
from storage.image_cache.aside_file import AsideFile
from storage.image_cache.folder_store import OWNER_FILE, Blob, FolderStore
from storage.image_cache.names import named_digest

MODIFIED_KEYS: Final = ("LastModified", "mtime", "created", "last_modified")  # what stores call it
# Stores share these kinds of errors: fsspec names them so, whatever the store calls them.
STORE_ERROR_REASONS: Final[tuple[tuple[type[Exception], str], ...]] = (
    (FileNotFoundError, "there is no such bucket or folder"),
    (PermissionError, "you may not do that there"),
    (TimeoutError, "it does not answer in time"),
    (ConnectionError, "it cannot be reached"),
    (ModuleNotFoundError, "it needs a package that is not installed"),
    (ValueError, "it is no URL that can be opened"),
)
LONG_FILE_BYTES: Final = 4 * 1024**2  # over which one file at a time is in memory on its way to a bucket
UNKNOWN_TIME_SECONDS: Final = 2.0**33  # for a store that does not tell: as if a file had just come


class BucketStore:
    """The files below a URL."""

    def __init__(self, url: str) -> None:
        self._url = url.rstrip("/")
        try:
            import fsspec  # noqa: PLC0415 - an extra

            with self._errors_explained():
                file_system, root = fsspec.url_to_fs(self._url, use_listings_cache=False)
        except ImportError as exc:
            raise CacheError(
                f"[images] cache {self._url} needs more: pip install 'linkhealth[s3]'{original(exc)}"
            ) from exc
        self._fs = file_system
        self._root = root
        directory = tempfile.mkdtemp(prefix="linkhealth-")
        # As TemporaryDirectory does at the end of the cache, or of the process, but without a warning.
        weakref.finalize(self, shutil.rmtree, directory, ignore_errors=True)
        self._asides = FolderStore(Path(directory))
        self._sizes: dict[str, int] | None = None
        self._memory_for_long = Lock()
        self._listing = Lock()

    def where(self, name: str) -> str:
        """The URL of a file."""
        return f"{self._url}/{name}"

    def local(self, aside: str) -> Path:
        """The file on this machine that was written aside."""
        return self._asides.local(aside)

    def prepare(self) -> None:
        """See that the bucket is there."""
        with self._errors_explained():
            bucket = self._root.partition("/")[0]
            if not self._fs.exists(bucket):
                raise CacheError(f"{self._url}: there is no {bucket!r}, or you may not see it: make it first")

    def owner(self) -> str | None:
        """The database that the bucket says it belongs to; None if it says none."""
        path = f"{self._root}/{OWNER_FILE}"
        with self._errors_explained():
            if not self._fs.exists(path):
                return None
            return bytes(self._fs.cat_file(path)).decode("utf-8", "replace").strip() or None

    def set_owner(self, name: str) -> None:
        """Say which database the bucket belongs to."""
        with self._errors_explained():
            self._fs.pipe_file(f"{self._root}/{OWNER_FILE}", f"{name}\n".encode())

    def aside(self, data: bytes, *, sync: bool = False) -> str:
        """Write bytes aside on this machine; returns their name there."""
        del sync  # what dies with this machine was not put yet
        return self._asides.aside(data)

    def open_aside(self) -> AsideFile:
        """A file on this machine that is written piece by piece."""
        return self._asides.open_aside()

    def keep(self, aside: str, name: str, *, synced: bool = False) -> None:
        """Put what was written aside under its final name, in one step."""
        del synced
        size = self.local(aside).stat().st_size
        with self._memory_for_long if size > LONG_FILE_BYTES else nullcontext(), self._errors_explained():
            self._fs.pipe_file(f"{self._root}/{name}", self._asides.read(aside))
        self._listed_sizes()[name] = size
        self._asides.discard(aside)

    def has(self, name: str, size: int | None) -> bool:
        """Whether a file was there at the first question, or was put since, with as many bytes."""
        return self._listed_sizes().get(name, -1) == size

    def touch(self, name: str) -> None:
        """Do nothing: the time of an object cannot be set, and nothing young is ever removed."""

    def discard(self, name: str) -> bool:
        """Remove a file; tell whether it was there."""
        if name.startswith("."):
            return self._asides.discard(name)
        self._listed_sizes().pop(name, None)
        with self._errors_explained():
            if not self._fs.exists(f"{self._root}/{name}"):
                return False
            self._fs.rm_file(f"{self._root}/{name}")
        return True

    def read(self, name: str) -> bytes:
        """The bytes of a file."""
        with self._errors_explained():
            return bytes(self._fs.cat_file(f"{self._root}/{name}"))

    def walk(self) -> Iterator[Blob]:
        """Every file, in the order of names."""
        with self._errors_explained():
            blobs = sorted(self._listed(), key=lambda blob: blob.name)
        self._sizes = {blob.name: blob.size for blob in blobs}
        return iter(blobs)

    def asides(self) -> Iterator[Blob]:
        """Nothing: what was written aside goes with its process."""
        return iter(())

    def _listed_sizes(self) -> dict[str, int]:
        """The size of every file by its name, listed at the first need."""
        with self._listing:
            if self._sizes is None:
                with self._errors_explained():
                    self._sizes = {blob.name: blob.size for blob in self._listed()}
            return self._sizes

    def _listed(self) -> Iterator[Blob]:
        for path, facts in self._fs.find(self._root, detail=True).items():
            name = path.removeprefix(f"{self._root}/")
            if name == OWNER_FILE:
                continue
            folder, _, file = name.rpartition("/")
            yield Blob(name, named_digest(folder, file), int(facts.get("size") or 0), _modified(facts))

    @contextmanager
    def _errors_explained(self) -> Iterator[None]:
        """Tell what a store says in one sentence for a person.

        Raises:
            CacheError: the store refused, or cannot be reached.
        """
        try:
            yield
        except (CacheError, ImportError):
            raise
        except Exception as exc:  # each store has errors of its own
            raise CacheError(f"{self._url}: {_reason(exc)}") from exc


def _reason(exc: Exception) -> str:
    """What a store says, in our words: by the kind of its error, which stores share, never by its text."""
    meaning = next(
        (words for kind, words in STORE_ERROR_REASONS if isinstance(exc, kind)), "the store refuses it"
    )
    return f"{meaning}{original(exc) or original(type(exc).__name__)}"


def _modified(facts: dict[str, datetime | float]) -> float:
    """When a file came, in seconds of UTC."""
    at = next((facts[name] for name in MODIFIED_KEYS if facts.get(name)), UNKNOWN_TIME_SECONDS)
    return at.timestamp() if isinstance(at, datetime) else float(at)
