"""Paper to print on: as wide as the terminal, in colour only there, plain in pipes and files."""

from __future__ import annotations

import io
import os
import shutil
import sys
from typing import Final

from rich.console import Console

MAX_COLUMNS: Final = 160
PIPE_COLUMNS: Final = 120  # columns where nobody says how many there are


def buffered_console() -> Console:
    """A console that keeps what is printed; `NO_COLOR` is obeyed."""
    terminal = sys.stdout.isatty()
    columns = (
        min(shutil.get_terminal_size((PIPE_COLUMNS, 24)).columns, MAX_COLUMNS) if terminal else PIPE_COLUMNS
    )
    colour = terminal and "NO_COLOR" not in os.environ
    return Console(
        file=io.StringIO(),
        width=columns,
        force_terminal=colour,
        no_color=not colour,
        highlight=False,
        markup=False,
        emoji=False,
        soft_wrap=True,
    )


def drain(console: Console) -> str:
    """The text printed so far; the console begins anew."""
    text = console.file.getvalue() if isinstance(console.file, io.StringIO) else ""
    console.file = io.StringIO()
    return text
