"""Where the files of the cache lie: in a folder, or in a bucket."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from storage.image_cache.aside_file import AsideFile
from storage.image_cache.folder_store import Blob, FolderStore


class BlobStore(Protocol):
    """Keeps files under names; every method but `where` may wait for a disk or a network.

    All of them raise `CacheError`, with one sentence for a person.
    """

    def where(self, name: str) -> str:
        """Where a file lies, as a person would write it."""

    def local(self, aside: str) -> Path:
        """The file on this machine that was written aside."""

    def prepare(self) -> None:
        """See that the place is there and may be used."""

    def owner(self) -> str | None:
        """The database that it says it belongs to; None if it says none."""

    def set_owner(self, name: str) -> None:
        """Say which database it belongs to."""

    def aside(self, data: bytes, *, sync: bool = False) -> str:
        """Write bytes under a temporary name, onto the disk if `sync`; returns it."""

    def open_aside(self) -> AsideFile:
        """A file under a temporary name that is written piece by piece; it is not there before the first."""

    def keep(self, aside: str, name: str, *, synced: bool = False) -> None:
        """Give what was written aside its final name, whole or not at all."""

    def has(self, name: str, size: int | None) -> bool:
        """Whether a file is there, with as many bytes."""

    def touch(self, name: str) -> None:
        """Note that a file is wanted again."""

    def discard(self, name: str) -> bool:
        """Remove a file; tell whether it was there."""

    def read(self, name: str) -> bytes:
        """The bytes of a file."""

    def walk(self) -> Iterator[Blob]:
        """Every file, in the order of names."""

    def asides(self) -> Iterator[Blob]:
        """What was written aside and not taken back."""


def open_store(cache: str) -> BlobStore:
    """The store that `[images] cache` names: a folder, or a URL such as "s3://bucket/prefix".

    Raises:
        CacheError: what it needs is not installed, or it is no URL of a store.
    """
    if "://" not in cache:
        return FolderStore(Path(cache))
    from storage.image_cache.bucket_store import BucketStore  # noqa: PLC0415 - an extra that most do not need

    return BucketStore(cache)
