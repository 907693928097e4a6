"""Is this machine fit for a run? What is wrong, and how to mend it."""

from __future__ import annotations

import os
import resource
import socket
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from crawler.config import Config
from storage.database import open_engine
from storage.errors import StorageError
from storage.records.yaml import LIBYAML

OLDEST: Final = (3, 11)
SOCKETS: Final = 64  # file descriptors beside one for each request at once
BUILT: Final = datetime(2026, 1, 1, tzinfo=UTC)  # a clock before this release is wrong


@dataclass(frozen=True, slots=True)
class Examination:
    """One thing looked at: fine or not, what was found, and how to mend it."""

    name: str
    fine: bool
    found: str
    cure: str = ""


def examine(config: Config) -> Iterator[Examination]:
    """Look at everything a run needs."""
    for look in LOOKS:
        yield look(config)


def _python(_: Config) -> Examination:
    version = ".".join(map(str, sys.version_info[:3]))
    cure = "install Python 3.11 or newer"
    return Examination("Python", sys.version_info[:2] >= OLDEST, version, cure)


def _libyaml(_: Config) -> Examination:
    found = "PyYAML has it" if LIBYAML else "PyYAML lacks it: reading is some ten times slower"
    return Examination("libyaml", LIBYAML, found, "install PyYAML from a wheel")


def _uvloop(_: Config) -> Examination:
    there = find_spec("uvloop") is not None
    return Examination("event loop", fine=True, found="uvloop" if there else "asyncio's own")


def _dns(_: Config) -> Examination:
    cure = "check /etc/resolv.conf and the network"
    try:
        socket.getaddrinfo("example.com", 443, type=socket.SOCK_STREAM)
    except OSError as exc:
        return Examination("DNS", fine=False, found=f"example.com: {exc.strerror or exc}", cure=cure)
    return Examination("DNS", fine=True, found="example.com is found")


def _database(config: Config) -> Examination:
    url = config.database.url
    try:
        open_engine(url).dispose()
    except StorageError as exc:
        return Examination("database", fine=False, found=str(exc), cure="see [database] url")
    return Examination("database", fine=True, found=url)


def _cache(config: Config) -> Examination:
    folder = Path(config.images.cache)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as exc:
        found = f"{folder} cannot be written: {exc.strerror}"
        return Examination("cache folder", fine=False, found=found, cure="see [images] cache")
    return Examination("cache folder", fine=True, found=f"{folder} can be written")


def _clock(_: Config) -> Examination:
    now = datetime.now(UTC)
    found = now.strftime("%Y-%m-%dT%H:%M:%SZ")
    return Examination("clock", now > BUILT, found, "set the clock of this machine")


def _open_files(config: Config) -> Examination:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = config.network.concurrency + SOCKETS
    found = f"{soft} may be open, {needed} are needed"
    cure = f"raise the limit: ulimit -n {min(hard, max(needed, 4096))}"
    return Examination("open files", soft >= needed, found, cure)


LOOKS: Final[tuple[Callable[[Config], Examination], ...]] = (
    _python,
    _libyaml,
    _uvloop,
    _dns,
    _database,
    _cache,
    _clock,
    _open_files,
)


def raise_open_files(needed: int) -> None:
    """Raise this process's limit of open files as far as it may, if it is too low."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = needed + SOCKETS
    if soft < wanted and os.name == "posix":
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, wanted), hard))
