"""Which files are records: paths to files, in sorted order."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from stat import S_ISDIR
from typing import Final

from storage.errors import StorageError, system_reason
from storage.model import FileStamp, RecordProblem

TEXT_SUFFIXES: Final = (".md", ".markdown", ".html", ".txt", ".mdx", ".qmd", ".rst", ".adoc")
DATA_SUFFIXES: Final = (
    ".yaml",
    ".yml",
    ".cff",
    ".toml",
    ".json",
    ".jsonld",
    ".jsonl",
    ".ndjson",
    ".csv",
    ".tsv",
    ".xml",
)
RECORD_SUFFIXES: Final = (*TEXT_SUFFIXES, *DATA_SUFFIXES)
FILE_SUFFIXES: Final = (*RECORD_SUFFIXES, *(f"{suffix}.gz" for suffix in RECORD_SUFFIXES))
STANDARD_INPUT: Final = "-"


class PathMissing(StorageError):
    """A path that the user gave does not exist."""


class NoRecords(StorageError):
    """The paths that the user gave hold no record file."""


def files(
    paths: Iterable[str],
    *,
    exclude: Sequence[str] = (),
    report: Callable[[RecordProblem], None] | None = None,
) -> Iterator[str]:
    """Every record file below the paths, sorted, hidden ones skipped; a file's name is kept as given.

    A file that several of the paths lead to comes once, and so does one in a folder that symbolic
    links lead to. `report` gets a problem for each folder that cannot be listed.

    Raises:
        PathMissing: a path does not exist.
        NoRecords: there is no record file at all.
    """
    roots = list(paths)
    for root in roots:
        _require(root)
    walk = _Walk(exclude)
    count = 0
    for path in walk.files(roots):
        count += 1
        yield path
    if report is not None:
        for problem in walk.problems:
            report(problem)
    if not count and not (walk.problems and report):
        roots_text = ", ".join(roots)
        kinds = " ".join(RECORD_SUFFIXES)
        reasons = "".join(f"; {problem.path} {problem.reason}" for problem in walk.problems)
        raise NoRecords(f"{roots_text} holds no records: they end in {kinds}, each also .gz{reasons}")


def _require(root: str) -> None:
    try:
        if root != STANDARD_INPUT:
            os.stat(root)  # noqa: PTH116 - pathlib hides why a path cannot be looked at
    except (FileNotFoundError, NotADirectoryError, ValueError):
        raise PathMissing(f"{root} does not exist: name a file or a directory of records") from None
    except OSError:
        return  # walking it tells the reason


class _Walk:
    """One walk below some roots; `problems` are the folders that could not be listed."""

    def __init__(self, exclude: Sequence[str]) -> None:
        self._exclude = exclude
        self._folders: set[str] = set()
        self._files: set[str] = set()
        self._links: list[str] = []
        self.problems: list[RecordProblem] = []

    def files(self, roots: Iterable[str]) -> Iterator[str]:
        """The files below the roots, then those in folders that only symbolic links lead to."""
        for root in roots:
            yield from self._below(root)
        while self._links:
            yield from self._folder(self._links.pop(0))

    def _below(self, root: str) -> Iterator[str]:
        if root == STANDARD_INPUT:
            yield root
        elif self._is_folder(root):
            yield from self._folder(root)
        elif self._is_new(root):
            yield root

    def _is_folder(self, path: str) -> bool:
        try:
            return S_ISDIR(os.stat(path).st_mode)  # noqa: PTH116 - as above
        except OSError:
            return False

    def _folder(self, folder: str) -> Iterator[str]:
        """The files of a folder, and of those in it; each real folder is listed once."""
        real_path = os.path.realpath(folder)
        if real_path in self._folders:
            return
        self._folders.add(real_path)
        try:
            with os.scandir(folder) as entries:
                visible = [entry for entry in entries if not entry.name.startswith(".")]
        except OSError as exc:
            reason = f"cannot be read: {system_reason(exc)}"
            self.problems.append(RecordProblem(Path(folder).as_posix(), None, reason))
            return
        folders = {entry.name for entry in visible if self._is_folder(entry.path)}
        names = sorted(entry.name for entry in visible)
        beginning = _beginning(folder)
        for name in names:
            path = f"{beginning}{name}"
            if name not in folders and self._is_record(path, name) and self._is_new(path):
                yield path
        links = {entry.name for entry in visible if entry.is_symlink()}
        self._links += [f"{beginning}{name}" for name in names if name in folders & links]
        for name in names:
            if name in folders - links:
                yield from self._folder(f"{beginning}{name}")

    def _is_record(self, path: str, name: str) -> bool:
        if not name.lower().endswith(FILE_SUFFIXES):
            return False
        return not any(fnmatchcase(path, pattern) for pattern in self._exclude)

    def _is_new(self, path: str) -> bool:
        """Whether no path led to this file yet; a symbolic link to a file is a file of its own."""
        folder, name = os.path.split(path)
        real_path = os.path.join(os.path.realpath(folder), name)  # noqa: PTH118 - no Path for each file
        if real_path in self._files:
            return False
        self._files.add(real_path)
        return True


def _beginning(folder: str) -> str:
    """What the paths of the files in a folder begin with, spelt as pathlib spells it."""
    path = Path(folder).as_posix()
    return "" if path == "." else f"{path.removesuffix('/')}/"


def stamp(status: os.stat_result, data: bytes) -> FileStamp:
    """What tells whether the file has changed."""
    return FileStamp(status.st_size, status.st_mtime_ns, hashlib.sha256(data).hexdigest())
