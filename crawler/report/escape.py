"""Text from records and servers, made harmless to a terminal: it is shown, never obeyed."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

import msgspec

JOINERS: Final = frozenset("\u200c\u200d")  # Persian words and families of emoji need them
# Control characters, what turns letters round, what hides, halves of letters, letters of nobody.
CONTROL_CATEGORIES: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})
# What JSON allows in a text, and a terminal obeys or a reader takes for the end of a line.
JSON_CONTROL_CHARACTERS: Final = re.compile("[\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
MAX_SHOWN_CHARACTERS: Final = 2000


def printable(text: str) -> str:
    """The text with what is obeyed or hidden spelled out, cut where it is endless."""
    if text.isascii() and text.isprintable() and len(text) <= MAX_SHOWN_CHARACTERS:
        return text
    safe = printable_in_full(text[:MAX_SHOWN_CHARACTERS])
    return safe if len(text) <= MAX_SHOWN_CHARACTERS else f"{safe}… ({len(text)} characters)"


def printable_in_full(text: str) -> str:
    """The text with what is obeyed or hidden spelled out, however long it is."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(letter if _harmless(letter) else _spelled(letter) for letter in text)


def json(value: object) -> str:
    """The value as JSON in one line, whatever a reader takes for a line: every letter is still there."""
    text = msgspec.json.encode(value).decode()
    if text.isascii() and "\x7f" not in text:
        return text
    return JSON_CONTROL_CHARACTERS.sub(lambda match: _spelled(match[0]), text)


def _harmless(letter: str) -> bool:
    return letter in JOINERS or unicodedata.category(letter) not in CONTROL_CATEGORIES


def _spelled(letter: str) -> str:
    return f"\\u{ord(letter):04x}" if ord(letter) < 0x10000 else f"\\U{ord(letter):08x}"  # noqa: PLR2004
