"""Where the lines of a file are: as git, grep and editors count them, whatever a format says."""

from __future__ import annotations

import re
from bisect import bisect_right
from typing import Final

LINE_FEEDS: Final = re.compile(r"\r\n|\n")
CARRIAGE_RETURNS: Final = re.compile(r"\r")
LONE_RETURN: Final = re.compile(r"\r(?!\n)")


def line_break(text: str) -> re.Pattern[str]:
    """What ends a line of a text: a line feed; a carriage return only where there is no line feed."""
    return CARRIAGE_RETURNS if "\n" not in text and "\r" in text else LINE_FEEDS


class LineIndex:
    """The lines of a text, whose first one has the number `first_line`."""

    def __init__(self, text: str, first_line: int = 1) -> None:
        self._first_line = first_line
        self._starts = [0, *(match.end() for match in line_break(text).finditer(text))]

    def place(self, offset: int) -> tuple[int, int]:
        """Line and column of a character, 1-based."""
        row = bisect_right(self._starts, offset) - 1
        return row + self._first_line, offset - self._starts[row] + 1
