"""Paths in the configuration: home folders, environment variables, and where relative ones begin."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

VARIABLE: Final = re.compile(r"\$(?:(\w+)|\{(\w+)\})")
SQLITE: Final = "sqlite:///"
# The keys that hold paths; `[database] url` and `[images] cache` may hold other places as well.
PATH_KEYS: Final = frozenset(
    {("records", "paths"), ("images", "cache"), ("database", "url"), ("network", "ca_file")}
)


def path_objections(values: Iterable[str], environ: Mapping[str, str]) -> Iterator[str]:
    """What is wrong with paths: variables of the environment that nothing sets, and NUL characters."""
    for value in values:
        if "\0" in value:
            yield "a NUL character"
        if _is_path(value):
            for match in VARIABLE.finditer(value):
                name = match[1] or match[2]
                if name not in environ:
                    yield f"the environment has no variable {name}"


def expanded(value: str, folder: str, environ: Mapping[str, str]) -> str:
    """A path with home folder and variables, from the folder of the configuration."""
    if not _is_path(value) or not value:
        return value
    scheme = SQLITE if value.startswith(SQLITE) else ""
    path = VARIABLE.sub(lambda match: environ[match[1] or match[2]], value.removeprefix(scheme))
    path = os.path.expanduser(path)  # noqa: PTH111 - a Path would spell it anew
    if folder and path != "-" and not path.startswith(":"):
        path = os.path.join(folder, path)  # noqa: PTH118 - as above
    return scheme + path


def _is_path(value: str) -> bool:
    return "://" not in value or value.startswith(SQLITE)
