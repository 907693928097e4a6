"""The start of the program: a command takes only what it needs."""

from __future__ import annotations

import subprocess
import sys
from typing import Final

import pytest

pytestmark = pytest.mark.libraries

LOOK: Final = """
import sys
from crawler.cli.main import cli
cli.get_command(None, sys.argv[1])
print(*sorted({name.partition(".")[0] for name in sys.modules}))
"""


def taken(command: str) -> set[str]:
    """The packages that are imported once a command is known."""
    words = [sys.executable, "-c", LOOK, command]
    return set(subprocess.run(words, check=True, capture_output=True, text=True, timeout=60).stdout.split())


@pytest.mark.parametrize("command", ["audit", "report", "serve", "worker"])
def test_a_command_that_is_known_is_not_run(command: str) -> None:
    """Its options, for help and for the completion of a shell, need nothing that it works with."""
    assert {"aiohttp", "jinja2", "rich", "sqlalchemy", "tenacity"} & taken(command) == set()


def test_unknown_command_imports_nothing() -> None:
    """A slip of the pen is told at once."""
    assert "sqlalchemy" not in taken("repot")
