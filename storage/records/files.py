"""Which files are records: paths to files, in sorted order."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Final

from storage.errors import StorageError
from storage.model import Stamp

PLAIN: Final = (".md", ".markdown", ".html", ".txt", ".yaml", ".yml", ".json", ".jsonl", ".ndjson")
SUFFIXES: Final = (*PLAIN, *(f"{suffix}.gz" for suffix in PLAIN))


class PathMissing(StorageError):
    """A path that the user gave does not exist."""


class NoRecords(StorageError):
    """The paths that the user gave hold no record file."""


def files(paths: Iterable[str], *, exclude: Sequence[str] = ()) -> Iterator[str]:
    """Every record file below the paths, sorted, hidden ones skipped; a file's name is kept as given.

    Raises:
        PathMissing: a path does not exist.
        NoRecords: there is no record file at all.
    """
    roots = list(paths)
    for root in roots:
        if not Path(root).exists():
            raise PathMissing(f"{root} does not exist: name a file or a directory of records")
    count = 0
    for root in roots:
        for path in _below(root, exclude):
            count += 1
            yield path
    if not count:
        shown = ", ".join(roots)
        kinds = " ".join(PLAIN)
        raise NoRecords(f"{shown} holds no records: they end in {kinds}, each also .gz")


def _below(root: str, exclude: Sequence[str]) -> Iterator[str]:
    if not Path(root).is_dir():
        yield root
        return
    for folder, names, found in os.walk(root):
        names[:] = sorted(name for name in names if not name.startswith("."))
        begin = _beginning(folder)
        for name in sorted(found):
            path = f"{begin}{name}"
            if _is_record(name) and not any(fnmatchcase(path, pattern) for pattern in exclude):
                yield path


def _beginning(folder: str) -> str:
    """What the paths of the files in a folder begin with, spelt as pathlib spells it."""
    path = Path(folder).as_posix()
    return "" if path == "." else f"{path.removesuffix('/')}/"


def _is_record(name: str) -> bool:
    return not name.startswith(".") and name.lower().endswith(SUFFIXES)


def stamp(status: os.stat_result, data: bytes) -> Stamp:
    """What tells whether the file has changed."""
    return Stamp(status.st_size, status.st_mtime_ns, hashlib.sha256(data).hexdigest())
