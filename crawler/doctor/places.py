"""The places that a configuration names: records, database, cache, and the disk below them."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Final

from crawler.config import Config
from crawler.doctor.base import CheckResult
from storage.db.database import open_engine
from storage.errors import StorageError, system_reason
from storage.model import RecordProblem
from storage.records import files

SQLITE_PREFIX: Final = "sqlite:///"
MIN_FREE_BYTES: Final = 512 * 1024**2  # a database of a million targets, and room for its journal
BYTES_PER_GIB: Final = 1024**3


def _records(config: Config) -> CheckResult:
    paths = config.records.paths
    problems: list[RecordProblem] = []
    remedy = "see [records] paths"
    try:
        count = sum(1 for _ in files(paths, exclude=config.records.exclude, report=problems.append))
    except StorageError as exc:
        return CheckResult("records", passed=False, observation=str(exc), remedy=remedy)
    if problems:
        observation = f"{problems[0].path} {problems[0].reason}"
        return CheckResult("records", passed=False, observation=observation, remedy=remedy)
    return CheckResult(
        "records",
        passed=True,
        observation=f"{count:,} file{'' if count == 1 else 's'} below {', '.join(paths)}",
    )


def _database(config: Config) -> CheckResult:
    url = config.database.url
    remedy = "see [database] url"
    path = _sqlite_path(url)
    if path is not None and not path.exists():
        is_writable, folder = _can_write(path.parent)
        observation = (
            f"none yet; the first run makes {path}" if is_writable else f"{folder} cannot be written"
        )
        return CheckResult("database", is_writable, observation, remedy)
    try:
        engine = open_engine(url, create=False)
        shown_url = engine.url.render_as_string(hide_password=True)
        engine.dispose()
    except StorageError as exc:
        return CheckResult("database", passed=False, observation=str(exc), remedy=remedy)
    return CheckResult("database", passed=True, observation=shown_url)


def _cache(config: Config) -> CheckResult:
    cache = config.images.cache
    if "://" in cache:
        return CheckResult("cache folder", passed=True, observation=f"{cache} is looked at by 'cache verify'")
    is_writable, folder = _can_write(Path(cache))
    observation = f"{folder} {'can' if is_writable else 'cannot'} be written"
    return CheckResult("cache folder", is_writable, observation, "see [images] cache")


def _disk(config: Config) -> CheckResult:
    path = _sqlite_path(config.database.url) or Path(config.images.cache)
    folder = _nearest_folder(path)
    try:
        free = shutil.disk_usage(folder).free
    except OSError as exc:
        return CheckResult("disk", passed=False, observation=f"{folder}: {system_reason(exc)}")
    observation = f"{free / BYTES_PER_GIB:.1f} GiB are free in {folder}"
    return CheckResult("disk", free >= MIN_FREE_BYTES, observation, "make room, or name another disk")


def _sqlite_path(url: str) -> Path | None:
    """The file of an SQLite database; None for another one."""
    path = url.removeprefix(SQLITE_PREFIX).partition("?")[0]
    return Path(path) if url.startswith(SQLITE_PREFIX) and path and path != ":memory:" else None


def _can_write(folder: Path) -> tuple[bool, Path]:
    """Whether files can be made in a folder, or in the one that it would be made in."""
    nearest = _nearest_folder(folder)
    return nearest.is_dir() and os.access(nearest, os.W_OK | os.X_OK), nearest


def _nearest_folder(path: Path) -> Path:
    """The path itself, or the nearest above it that exists."""
    return next((place for place in (path, *path.parents) if os.path.lexists(place)), Path())


PLACE_CHECKS: Final[tuple[Callable[[Config], CheckResult], ...]] = (_records, _database, _cache, _disk)
