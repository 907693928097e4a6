"""Keeping house: every file against its name and the index, and what is taken away when there is no room."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import sqlalchemy as sa

from storage.cache.blobs import Blob
from storage.cache.index import entries, forget, named
from storage.cache.names import ALGORITHM, name_of
from storage.cache.store import Store
from storage.errors import CacheError
from storage.model import Cached

FRESH: Final = 3600.0  # seconds in which a file may wait for its row


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is not as it should be: the name below the cache, why, and whose picture it is.

    `ours` tells whether it is a file of the cache, which a repair removes; nothing else is touched.
    """

    name: str
    why: str
    targets: tuple[int, ...] = ()
    ours: bool = True


@dataclass(frozen=True, slots=True)
class Collected:
    """What was taken away, and what is left: files and bytes."""

    files: int
    size: int
    files_left: int
    size_left: int


def verify(blobs: Store, engine: sa.Engine) -> Iterator[Fault]:
    """Everything that is wrong: rows without a file, files that are not what their name says.

    Raises:
        CacheError: the folder cannot be read.
        LedgerError: the database cannot be read.
    """
    wanted = _by_name(entries(engine).values())
    for name, owners in sorted(wanted.items()):
        if not blobs.has(name, owners[0].picture.bytes):
            yield Fault(name, "the index names it, and it is not there as it was", _targets(owners))
    for blob in blobs.walk():
        why = _wrong(blobs, blob)
        if why is not None:
            yield Fault(blob.name, why, _targets(wanted.get(blob.name, ())), blob.digest is not None)


def _wrong(blobs: Store, blob: Blob) -> str | None:
    if blob.digest is None:
        return "no file of the cache: it is left alone"
    try:
        found = ALGORITHM + hashlib.sha256(blobs.read(blob.name)).hexdigest()
    except CacheError as exc:
        return f"it cannot be read: {exc}"
    return None if found == blob.digest else f"its bytes are not what its name says, but {found}"


def repair(blobs: Store, engine: sa.Engine, faults: Iterable[Fault]) -> None:
    """Remove rows without a good file, and then bad files; the next refresh fetches them again.

    Raises:
        CacheError: the folder cannot be written.
        LedgerError: the database cannot be written.
    """
    ours = [fault for fault in faults if fault.ours]
    forget(engine, [target for fault in ours for target in fault.targets])
    for fault in ours:
        blobs.discard(fault.name)


def collect(blobs: Store, engine: sa.Engine, most: int, *, everything: bool = False) -> Collected:
    """Take away what no row names, and of the rest the least recently confirmed, down to `most` bytes.

    What a record still names stays, unless `everything` may go. Rows go first, and then files.

    Raises:
        CacheError: the folder cannot be written.
        LedgerError: the database cannot be written.
    """
    found = {blob.name: blob for blob in blobs.walk() if blob.digest is not None}
    wanted = _by_name(entries(engine).values())
    keep = set() if everything else set(named(engine))
    orphans = [blob for name, blob in found.items() if name not in wanted and not _young(blob)]
    left = {name: blob for name, blob in found.items() if blob not in set(orphans)}
    gone = list(_least_confirmed(left, wanted, keep, most))
    forget(engine, [one.target for blob in gone for one in wanted[blob.name]])
    for blob in (*orphans, *gone, *(one for one in blobs.asides() if not _young(one))):
        blobs.discard(blob.name)
    away = [*orphans, *gone]
    size, total = sum(blob.size for blob in away), sum(blob.size for blob in found.values())
    return Collected(len(away), size, len(found) - len(away), total - size)


def make_room(blobs: Store, engine: sa.Engine, most: int) -> Collected | None:
    """Do as `collect` if more than `most` bytes lie there; otherwise nothing, and return None.

    Raises:
        CacheError: the folder cannot be read or written.
        LedgerError: the database cannot be used.
    """
    lying = sum(blob.size for blob in blobs.walk() if blob.digest is not None)
    return collect(blobs, engine, most) if lying > most else None


def _least_confirmed(
    left: Mapping[str, Blob], wanted: Mapping[str, list[Cached]], keep: set[int], most: int
) -> Iterator[Blob]:
    """The files that may go, the least recently confirmed first, until the others fit."""
    over = sum(blob.size for blob in left.values()) - most
    free = [name for name in left if name in wanted and not any(one.target in keep for one in wanted[name])]
    for name in sorted(free, key=lambda name: max(one.confirmed_at for one in wanted[name])):
        if over <= 0:
            return
        over -= left[name].size
        yield left[name]


def _young(blob: Blob) -> bool:
    """Whether a run may still be about to name it: a database on a server has no lock."""
    return time.time() - blob.mtime < FRESH


def _by_name(known: Iterable[Cached]) -> dict[str, list[Cached]]:
    found: dict[str, list[Cached]] = {}
    for entry in known:
        name = name_of(entry.picture.digest or "", entry.picture.format)
        found.setdefault(name, []).append(entry)
    return found


def _targets(owners: Iterable[Cached]) -> tuple[int, ...]:
    return tuple(one.target for one in owners)
