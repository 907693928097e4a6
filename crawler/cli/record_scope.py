"""Which record files the paths of a command name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from crawler.config import Config


def record_scope(config: Config, paths: Sequence[str]) -> Callable[[str], bool]:
    """Whether a file is one that the paths name, or the configuration where there are none.

    How its path is spelt makes no difference.

    Raises:
        StorageError: a path does not exist, or there are no records.
    """
    from crawler.policies import record_paths  # noqa: PLC0415 - as below
    from storage.records import files  # noqa: PLC0415 - readers, for a command that is given paths

    names = record_paths(config)
    record_files = files(paths or config.records.paths, exclude=config.records.exclude)
    return frozenset(names.identity(path) for path in record_files).__contains__


def record_folders(config: Config, paths: Sequence[str]) -> Callable[[str], bool]:
    """Whether a file lies in one of the paths, or in those of the configuration where there are none.

    A symbolic link below them that leads elsewhere is read, but what it leads to is not in them.
    """
    roots = [Path(path).resolve() for path in paths or config.records.paths]

    def holds(place: str) -> bool:
        real_path = Path(place).resolve()
        return any(real_path.is_relative_to(root) for root in roots)

    return holds
