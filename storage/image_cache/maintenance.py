"""Maintenance: verify every file against its name and the index, and evict files when there is no room."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

import sqlalchemy as sa

from storage.errors import CacheError
from storage.frozen import frozen
from storage.image_cache.folder_store import Blob
from storage.image_cache.index import entries, forget, named
from storage.image_cache.names import ALGORITHM, name_of
from storage.image_cache.store import BlobStore
from storage.model import CachedImage

ORPHAN_GRACE_SECONDS: Final = 3600.0  # seconds in which a file may wait for its row


@frozen
class CacheFault:
    """One thing that is not as it should be: the name below the cache, why, and whose picture it is.

    `ours` tells whether it is a file of the cache, which a repair removes; nothing else is touched.
    """

    name: str
    why: str
    targets: tuple[int, ...] = ()
    ours: bool = True


@frozen
class CollectedFiles:
    """What was taken away, and what is left: files and bytes."""

    files: int
    size: int
    files_left: int
    size_left: int


def verify(blobs: BlobStore, engine: sa.Engine) -> Iterator[CacheFault]:
    """Everything that is wrong: rows without a file, files that are not what their name says.

    Raises:
        CacheError: the folder cannot be read.
        LedgerError: the database cannot be read.
    """
    owners_by_name = _by_name(entries(engine).values())
    for name, owners in sorted(owners_by_name.items()):
        if not blobs.has(name, owners[0].picture.bytes):
            yield CacheFault(name, "the index names it, and it is not there as it was", _targets(owners))
    for blob in blobs.walk():
        why = _wrong(blobs, blob)
        if why is not None:
            yield CacheFault(
                blob.name, why, _targets(owners_by_name.get(blob.name, ())), blob.digest is not None
            )


def _wrong(blobs: BlobStore, blob: Blob) -> str | None:
    if blob.digest is None:
        return "no file of the cache: it is left alone"
    try:
        digest = ALGORITHM + hashlib.sha256(blobs.read(blob.name)).hexdigest()
    except CacheError as exc:
        return f"it cannot be read: {exc}"
    return None if digest == blob.digest else f"its bytes are not what its name says, but {digest}"


def repair(blobs: BlobStore, engine: sa.Engine, faults: Iterable[CacheFault]) -> None:
    """Remove rows without a good file, and then bad files; the next refresh fetches them again.

    Raises:
        CacheError: the folder cannot be written.
        LedgerError: the database cannot be written.
    """
    repairable = [fault for fault in faults if fault.ours]
    forget(engine, [target for fault in repairable for target in fault.targets])
    for fault in repairable:
        blobs.discard(fault.name)


def collect(
    blobs: BlobStore, engine: sa.Engine, max_bytes: int, *, everything: bool = False
) -> CollectedFiles:
    """Take away what no row names, and of the rest the least recently confirmed, down to `max_bytes`.

    What a record still names stays, unless `everything` may go. Rows go first, and then files.

    Raises:
        CacheError: the folder cannot be written.
        LedgerError: the database cannot be written.
    """
    blobs_by_name = {blob.name: blob for blob in blobs.walk() if blob.digest is not None}
    owners_by_name = _by_name(entries(engine).values())
    keep = set() if everything else set(named(engine))
    orphans = [
        blob for name, blob in blobs_by_name.items() if name not in owners_by_name and not _young(blob)
    ]
    indexed_blobs = {name: blob for name, blob in blobs_by_name.items() if blob not in set(orphans)}
    evicted_blobs = list(_least_confirmed(indexed_blobs, owners_by_name, keep, max_bytes))
    forget(engine, [owner.target for blob in evicted_blobs for owner in owners_by_name[blob.name]])
    for blob in (*orphans, *evicted_blobs, *(blob for blob in blobs.asides() if not _young(blob))):
        blobs.discard(blob.name)
    away = [*orphans, *evicted_blobs]
    size, total = sum(blob.size for blob in away), sum(blob.size for blob in blobs_by_name.values())
    return CollectedFiles(len(away), size, len(blobs_by_name) - len(away), total - size)


def make_room(blobs: BlobStore, engine: sa.Engine, max_bytes: int) -> CollectedFiles | None:
    """Do as `collect` if more than `max_bytes` lie there; otherwise nothing, and return None.

    Raises:
        CacheError: the folder cannot be read or written.
        LedgerError: the database cannot be used.
    """
    lying = sum(blob.size for blob in blobs.walk() if blob.digest is not None)
    return collect(blobs, engine, max_bytes) if lying > max_bytes else None


def _least_confirmed(
    indexed_blobs: Mapping[str, Blob],
    owners_by_name: Mapping[str, list[CachedImage]],
    keep: set[int],
    max_bytes: int,
) -> Iterator[Blob]:
    """The files that may go, the least recently confirmed first, until the others fit."""
    over = sum(blob.size for blob in indexed_blobs.values()) - max_bytes
    free = [
        name
        for name in indexed_blobs
        if name in owners_by_name and not any(owner.target in keep for owner in owners_by_name[name])
    ]
    for name in sorted(free, key=lambda name: max(owner.confirmed_at for owner in owners_by_name[name])):
        if over <= 0:
            return
        over -= indexed_blobs[name].size
        yield indexed_blobs[name]


def _young(blob: Blob) -> bool:
    """Whether a run may still be about to name it: a database on a server has no lock."""
    return time.time() - blob.mtime < ORPHAN_GRACE_SECONDS


def _by_name(index_entries: Iterable[CachedImage]) -> dict[str, list[CachedImage]]:
    owners_by_name: dict[str, list[CachedImage]] = {}
    for entry in index_entries:
        name = name_of(entry.picture.digest or "", entry.picture.format)
        owners_by_name.setdefault(name, []).append(entry)
    return owners_by_name


def _targets(owners: Iterable[CachedImage]) -> tuple[int, ...]:
    return tuple(owner.target for owner in owners)
