r"""The identity of a file of records: one name in the database, however its path is written.

It is the path relative to one folder. What of a name is no UTF-8 is written as `ls -b` writes it
(`caf\\xe9.md`), so that every name is told apart and can be found again.
"""

from __future__ import annotations

import os
import re
from functools import lru_cache
from pathlib import Path
from typing import Final

from storage.records.files import STANDARD_INPUT

ESCAPED_BYTE: Final = re.compile(r"\\(?:\\|x([0-9a-f]{2}))")


class RecordPaths:
    """Paths of files to identities, and back; `base` is the folder that identities are relative to."""

    def __init__(self, base: Path) -> None:
        self.base = os.path.realpath(base)
        self._folder = lru_cache(maxsize=4096)(self._relative_folder)

    def identity(self, path: str) -> str:
        r"""The identity of a file or folder; a symbolic link to a file is not its target."""
        if path == STANDARD_INPUT:
            return path
        if path.endswith("/") or os.path.basename(path) in {"", ".", ".."}:  # noqa: PTH119 - for every file
            return escaped(self._folder(path) or ".")
        folder, name = os.path.split(path)
        return escaped(os.path.join(self._folder(folder), name))  # noqa: PTH118 - for every file

    def location(self, identity: str) -> str:
        """The path of a file as it can be opened; relative to the working directory where it lies below."""
        if identity == STANDARD_INPUT:
            return identity
        path = os.path.normpath(os.path.join(self.base, unescaped(identity)))  # noqa: PTH118 - for every file
        working_folder = f"{os.getcwd()}/"  # noqa: PTH109 - as text
        return path.removeprefix(working_folder)

    def _relative_folder(self, folder: str) -> str:
        """A folder without symbolic links, relative to the base unless the two share the root alone."""
        path = os.path.realpath(folder or ".")
        if path == self.base:
            return ""
        if os.path.commonpath((path, self.base)) == "/" != self.base:
            return path
        return os.path.relpath(path, self.base)


def is_missing(path: str) -> bool:
    """Whether there is certainly no file; one in a folder that cannot be read may be there."""
    try:
        os.lstat(path)
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return True
    except OSError:
        return False
    return False


def escaped(path: str) -> str:
    """A path as a database takes it and a person reads it: without a byte that is no UTF-8."""
    if "\\" not in path and path.isascii():
        return path
    text = path.replace("\\", "\\\\").encode("utf-8", "surrogateescape")
    return text.decode("utf-8", "backslashreplace")


def unescaped(identity: str) -> str:
    """The path that `escaped` wrote."""
    if "\\" not in identity:
        return identity
    parts = ESCAPED_BYTE.sub(_character, identity)
    return parts.encode("utf-8", "surrogateescape").decode("utf-8", "surrogateescape")


def _character(match: re.Match[str]) -> str:
    return chr(0xDC00 + int(match[1], 16)) if match[1] else "\\"
