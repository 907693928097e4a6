"""The start of the program: a command takes only what it needs."""

from __future__ import annotations

import subprocess
import sys
from typing import Final

import pytest

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


@pytest.mark.parametrize("command", ["report", "diff", "explain", "pin", "status"])
def test_commands_that_look_do_without_the_network(command: str) -> None:
    """What only reads the database starts in half the time, since it imports no HTTP."""
    assert {"aiohttp", "tenacity"} & taken(command) == set()


def test_command_that_is_not_called_for_is_not_imported() -> None:
    """The check of links needs no pages of the dashboard, and no `ray`."""
    assert "aiohttp" in taken("audit")
    assert {"jinja2", "ray"} & taken("audit") == set()


def test_unknown_command_imports_nothing() -> None:
    """A slip of the pen is told at once."""
    assert "sqlalchemy" not in taken("repot")
