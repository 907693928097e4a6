"""Mistakes of TOML in our words, whichever release of the parser noticed them."""

from __future__ import annotations

import re
import tomllib
from typing import Final

from storage.errors import original

PLACE: Final = re.compile(r" \(at [^)]*\)")  # told apart, since the text may stand in another
LINE_NUMBER: Final = re.compile(r"line (\d+)")
LONG_NUMBER: Final = re.compile(r"[\d_]{4300}")  # Python reads 4,300 digits and no more
# Marks in what a parser of TOML says, and what that means to a person; the first that fits.
TOML_MISTAKES: Final[tuple[tuple[str, str], ...]] = (
    ("nest", "nested too deep"),
    ("overwrite", "a key stands twice"),
    ("twice", "a key or a section stands twice"),
    ("already", "a key or a section stands twice"),
    ("mutate", "a key stands twice"),
    ("end of a table", "the name of a section is not closed with ]"),
    ("table declaration", "the name of a section is not closed with ]"),
    ("unclosed array", "a list is not closed with ]"),
    ("unclosed inline", "a table is not closed with }"),
    ("unterminated", "a quote is never closed"),
    ("illegal character", "a line break, or another control character, in quotes"),
    ("escape", "a backslash in quotes: write two, or single quotes"),
    ("after a key", "a key without ="),
    ("end of line", "something follows the value on its line"),
    ("newline or end", "something follows the value on its line"),
    ("statement", "a line that is neither a section, nor a key with its value"),
    ("value", "a value that is no number, true, false, list or text in quotes"),
)


def toml_meaning(exc: ValueError) -> str:
    """What a parser of TOML means, in our words, with its own behind them."""
    if not isinstance(exc, tomllib.TOMLDecodeError):  # the one that Python itself raises
        return f"a number of more digits than can be read{original(exc)}"
    message = original(PLACE.sub("", str(exc)))
    meanings = (words for mark, words in TOML_MISTAKES if mark in message.lower())
    return f"{next(meanings, 'it cannot be parsed')}{message}"


def toml_line(exc: ValueError, text: str) -> int | None:
    """The line of a mistake in this text, 1-based, as far as the parser tells it."""
    if not isinstance(exc, tomllib.TOMLDecodeError):
        number = LONG_NUMBER.search(text)
        return text.count("\n", 0, number.start()) + 1 if number else None
    return int((LINE_NUMBER.search(str(exc)) or ("", 0))[1]) or None
