"""The version of the program that runs."""

from __future__ import annotations

import os
import sys
from functools import cache
from typing import Final

FROM_SOURCE: Final = "from source"
# How the folder is named that an installer writes beside the packages (PEP 376, PEP 427).
METADATA_PREFIX: Final = "linkhealth-"
METADATA_SUFFIX: Final = ".dist-info"


@cache
def program_version() -> str:
    """The version of the installed distribution; "from source" where a source tree is not installed.

    The names of folders are read first: importlib.metadata takes 40 modules to say the same.
    """
    for path in sys.path:
        for name in _names(path):
            if name.startswith(METADATA_PREFIX) and name.endswith(METADATA_SUFFIX):
                return name.removeprefix(METADATA_PREFIX).removesuffix(METADATA_SUFFIX)
    from importlib.metadata import PackageNotFoundError, version  # noqa: PLC0415 - as the docstring says

    try:
        return version("linkhealth")
    except PackageNotFoundError:
        return FROM_SOURCE


def _names(path: str) -> list[str]:
    """The names in a folder of packages; none where it is no folder, or cannot be read."""
    try:
        return os.listdir(path or ".")  # noqa: PTH208 - pathlib takes 20 modules
    except OSError:
        return []
