"""What can go wrong at rest.

StorageError
├── LedgerError         the database: not one of ours, locked, read-only, full, out of reach
│   └── SchemaError     its schema is older or newer than this program
├── LockHeld            another run holds the lock
└── CacheError          the image cache: read-only, full, no folder
    └── Swept           another process removed what was being written

A record that cannot be read is no error but a `Problem` value: reading goes on.

What others raise is told in our words, with theirs behind in brackets: what a library or a system
says may change with any of its releases.
"""

from __future__ import annotations

import errno
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

MAX_FOREIGN_CHARACTERS: Final = 200  # characters of what others say
DISK_FULL_REASON: Final = "the disk is full"
NOT_ALLOWED_REASON: Final = "you may not do that there"
# What a system means by the number of its error, the same on all of them.
SYSTEM_REASONS: Final[Mapping[int, str]] = MappingProxyType(
    {
        errno.EACCES: NOT_ALLOWED_REASON,
        errno.EADDRINUSE: "address already in use",
        errno.EADDRNOTAVAIL: "no address of this machine",
        errno.EAGAIN: "this machine has no more processes or memory to give",
        errno.ECONNREFUSED: "nothing listens there",
        errno.EDQUOT: "your share of the disk is full",
        errno.EEXIST: "it is there already",
        errno.EFBIG: "a file may not be that large",
        errno.EHOSTUNREACH: "there is no way to that machine",
        errno.EIO: "the disk reports an error",
        errno.EISDIR: "it is a folder",
        errno.ELOOP: "symbolic links lead in a circle",
        errno.EMFILE: "too many files are open: raise 'ulimit -n'",
        errno.ENAMETOOLONG: "the name is too long",
        errno.ENETUNREACH: "there is no way to that network",
        errno.ENFILE: "too many files are open on this machine",
        errno.ENOENT: "there is no such file or folder",
        errno.ENOMEM: "this machine has no memory left",
        errno.ENOSPC: DISK_FULL_REASON,
        errno.ENOTDIR: "a part of the path is no folder",
        errno.ENXIO: "nobody is at the other end of it",
        errno.EPERM: NOT_ALLOWED_REASON,
        errno.EPIPE: "nobody reads it any more",
        errno.EROFS: "nothing can be written to that disk",
        errno.ESTALE: "the folder on another machine is gone",
        errno.ETIMEDOUT: "nobody answers there",
    }
)


def original(message: object) -> str:
    """What others say, to stand in brackets behind our own words; nothing where they say nothing."""
    text = " ".join(str(message).strip().partition("\n")[0].split()).rstrip(":.")
    return f" ({text[:MAX_FOREIGN_CHARACTERS]})" if text else ""


def system_reason(exc: OSError) -> str:
    """What a system refuses, in our words, and in its own behind them."""
    meaning = SYSTEM_REASONS.get(exc.errno or 0, "the system refuses it")
    return f"{meaning}{original(exc.strerror or exc)}"


class StorageError(Exception):
    """The parent of all; its text is one sentence for a person, with what to do."""


class LedgerError(StorageError):
    """The database cannot be used."""


class SchemaError(LedgerError):
    """The database has another schema than this program wants."""


class LockHeld(StorageError):
    """Another run holds the lock."""


class CacheError(StorageError):
    """The image cache cannot be used."""


class FileSwept(CacheError):
    """Another process removed a file of the cache that was being written."""


def own_words(exc: Exception) -> str:
    """The sentence of an error that the project itself raised, which needs no other words."""
    return str(exc)
