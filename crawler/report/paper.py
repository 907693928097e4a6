"""Paper to print on: as wide as the terminal, in colour only there, plain in pipes and files."""

from __future__ import annotations

import io
import os
import shutil
import sys
from typing import Final

from rich.console import Console

WIDEST: Final = 160
PIPED: Final = 120  # columns where nobody says how many there are


def paper() -> Console:
    """A console that keeps what is printed; `NO_COLOR` is obeyed."""
    terminal = sys.stdout.isatty()
    columns = min(shutil.get_terminal_size((PIPED, 24)).columns, WIDEST) if terminal else PIPED
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


def taken(console: Console) -> str:
    """The text printed so far; the console begins anew."""
    text = console.file.getvalue() if isinstance(console.file, io.StringIO) else ""
    console.file = io.StringIO()
    return text
