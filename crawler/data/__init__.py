"""What is known of the web beyond its standards, as dated files: no code decides what stands there."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files
from typing import Any


@cache
def table(name: str) -> dict[str, Any]:
    """The content of a data file beside this one, named without its suffix."""
    return tomllib.loads((files(__package__) / f"{name}.toml").read_text(encoding="utf-8"))
