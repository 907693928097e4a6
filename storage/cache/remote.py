"""The cache in a bucket, or wherever else fsspec reaches: an object is visible only when whole.

What is there is listed once, at the start: a question about a file costs no request. Bytes are
written aside on this machine, proven, and only then put under their name, in one step of the store.
"""

from __future__ import annotations

import shutil
import tempfile
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from storage.cache.blobs import Blob, Blobs
from storage.cache.names import named_digest
from storage.errors import CacheError

MODIFIED: Final = ("LastModified", "mtime", "created", "last_modified")  # what stores call it
LATER: Final = 2.0**33  # for a store that does not tell: as if a file had just come


class Remote:
    """The files below a URL."""

    def __init__(self, url: str) -> None:
        self._url = url.rstrip("/")
        try:
            import fsspec  # noqa: PLC0415 - an extra

            with self._told():
                self._fs, self._root = fsspec.url_to_fs(self._url, use_listings_cache=False)
        except ImportError as exc:
            raise CacheError(
                f"[images] cache {self._url} needs more: pip install 'linkhealth[s3]' ({exc})"
            ) from exc
        here = tempfile.mkdtemp(prefix="linkhealth-")
        # As TemporaryDirectory does at the end of the cache, or of the process, but without a warning.
        weakref.finalize(self, shutil.rmtree, here, ignore_errors=True)
        self._asides = Blobs(Path(here))
        self._sizes: dict[str, int] | None = None

    def where(self, name: str) -> str:
        """The URL of a file."""
        return f"{self._url}/{name}"

    def local(self, aside: str) -> Path:
        """The file on this machine that was written aside."""
        return self._asides.local(aside)

    def prepare(self) -> None:
        """List what is there, and see that the bucket is."""
        with self._told():
            bucket = self._root.partition("/")[0]
            if not self._fs.exists(bucket):
                raise CacheError(f"{self._url}: there is no {bucket!r}, or you may not see it: make it first")
        self._known()

    def aside(self, data: bytes, *, sync: bool = False) -> str:
        """Write bytes aside on this machine; returns their name there."""
        del sync  # what dies with this machine was not put yet
        return self._asides.aside(data)

    def keep(self, aside: str, name: str, *, synced: bool = False) -> None:
        """Put what was written aside under its final name, in one step."""
        del synced
        data = self._asides.read(aside)
        with self._told():
            self._fs.pipe_file(f"{self._root}/{name}", data)
        self._known()[name] = len(data)
        self._asides.discard(aside)

    def has(self, name: str, size: int | None) -> bool:
        """Whether a file was there when this began, or was put since, with as many bytes."""
        return self._known().get(name, -1) == size

    def touch(self, name: str) -> None:
        """Do nothing: the time of an object cannot be set, and nothing young is ever removed."""

    def discard(self, name: str) -> bool:
        """Remove a file; tell whether it was there."""
        if name.startswith("."):
            return self._asides.discard(name)
        self._known().pop(name, None)
        with self._told():
            if not self._fs.exists(f"{self._root}/{name}"):
                return False
            self._fs.rm_file(f"{self._root}/{name}")
        return True

    def read(self, name: str) -> bytes:
        """The bytes of a file."""
        with self._told():
            return bytes(self._fs.cat_file(f"{self._root}/{name}"))

    def walk(self) -> Iterator[Blob]:
        """Every file, in the order of names."""
        with self._told():
            found = sorted(self._listed(), key=lambda blob: blob.name)
        self._sizes = {blob.name: blob.size for blob in found}
        return iter(found)

    def asides(self) -> Iterator[Blob]:
        """Nothing: what was written aside goes with its process."""
        return iter(())

    def _known(self) -> dict[str, int]:
        """The size of every file by its name, listed at the first need."""
        if self._sizes is None:
            with self._told():
                self._sizes = {blob.name: blob.size for blob in self._listed()}
        return self._sizes

    def _listed(self) -> Iterator[Blob]:
        for path, facts in self._fs.find(self._root, detail=True).items():
            name = path.removeprefix(f"{self._root}/")
            folder, _, file = name.rpartition("/")
            yield Blob(name, named_digest(folder, file), int(facts.get("size") or 0), _modified(facts))

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Tell what a store says in one sentence for a person.

        Raises:
            CacheError: the store refused, or cannot be reached.
        """
        try:
            yield
        except (CacheError, ImportError):
            raise
        except Exception as exc:  # each store has errors of its own
            why = str(exc).strip().partition("\n")[0] or type(exc).__name__
            raise CacheError(f"{self._url}: {why}") from exc


def _modified(facts: dict[str, Any]) -> float:
    """When a file came, in seconds of UTC."""
    at = next((facts[name] for name in MODIFIED if facts.get(name)), LATER)
    return at.timestamp() if isinstance(at, datetime) else float(at)
