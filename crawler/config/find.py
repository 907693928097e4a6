"""Where the configuration stands: in the working directory, or in a folder above it."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Collection
from pathlib import Path
from typing import Final

CONFIG_FILES: Final = ("linkhealth.toml", "config.toml")


def find_config(sections: Collection[str]) -> str | None:
    """The nearest configuration, from here upwards; None if there is none.

    Other programs name a file `config.toml`, too: one without any of our sections is passed over, but
    for one here that may only be misspelt.
    """
    working_directory = Path.cwd()
    for folder in (working_directory, *working_directory.parents):
        for name in CONFIG_FILES:
            path = folder / name
            if path.is_file() and (
                name == CONFIG_FILES[0] or _is_ours(path, sections, nearby=folder == working_directory)
            ):
                return os.path.relpath(path)
    return None


def _is_ours(path: Path, sections: Collection[str], *, nearby: bool) -> bool:
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError):
        return nearby  # the reason is told when it is read
    if any(name in sections for name in table):
        return True
    # Our configuration has sections alone; a key outside of them is another program's.
    return nearby and all(isinstance(value, dict) for value in table.values())
