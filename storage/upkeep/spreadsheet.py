"""Text in the cells of a spreadsheet, where it never becomes a formula."""

from __future__ import annotations

from typing import Final

FORMULA_SIGNS: Final = tuple("=+-@\uff1d\uff0b\uff0d\uff20")  # full-width forms too


def cell_text(text: str) -> str:
    """The text with an apostrophe before it, as spreadsheets have it, if they would compute it."""
    return f"'{text}" if text.lstrip().startswith(FORMULA_SIGNS) else text
