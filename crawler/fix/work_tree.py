"""Which files git could not give back: those with changes that are in no commit."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

GIT_TIMEOUT: Final = 60.0  # seconds
PATHS_A_CALL: Final = 500


def uncommitted(paths: Iterable[str]) -> set[str]:
    """The files with changes that are not committed, or unknown to git, of those in a work tree."""
    folders: dict[str, list[str]] = {}
    for path in paths:
        folders.setdefault(os.path.dirname(path) or ".", []).append(path)  # noqa: PTH120 - as it is spelt
    return {path for folder, files in folders.items() for path in _changed(folder, files)}


def _changed(folder: str, paths: list[str]) -> Iterator[str]:
    for start in range(0, len(paths), PATHS_A_CALL):
        by_name = {Path(path).name: path for path in paths[start : start + PATHS_A_CALL]}
        status = _git(
            folder, "status", "--porcelain=v1", "-z", "--no-renames", "--", *(f"./{name}" for name in by_name)
        )
        prefix = _git(folder, "rev-parse", "--show-prefix").strip("\n") if status else ""
        for entry in filter(None, status.split("\0")):
            name = entry[3:].removeprefix(prefix)
            if name in by_name:
                yield by_name[name]


def _git(folder: str, *arguments: str) -> str:
    """What git prints; nothing where there is no git, or no work tree."""
    try:
        process = subprocess.run(  # noqa: S603 - no shell; paths stand behind --
            ("git", "-C", folder, *arguments),  # noqa: S607 - as the user has it on the PATH
            capture_output=True,
            env={**os.environ, "GIT_OPTIONAL_LOCKS": "0", "GIT_LITERAL_PATHSPECS": "1"},
            timeout=GIT_TIMEOUT,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return process.stdout.decode(errors="surrogateescape") if process.returncode == 0 else ""
