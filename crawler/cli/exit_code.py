"""The exit codes of every command."""

from __future__ import annotations

from enum import IntEnum


class Exit(IntEnum):
    """Exit codes; docs/commands.md tells of each."""

    FINE = 0
    PROBLEMS = 1
    USAGE = 2
    DEFECT = 3
    UNFINISHED = 4
    LOCKED = 75
    INTERRUPTED = 130
