"""Text from records and servers, made harmless to a terminal: it is shown, never obeyed."""

from __future__ import annotations

import unicodedata
from typing import Final

# Marks that turn the order of letters round: a URL that lies about itself.
TURNING: Final = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
LONGEST: Final = 2000


def shown(text: str) -> str:
    """The text with control and direction marks spelled out, cut where it is endless."""
    if text.isascii() and text.isprintable() and len(text) <= LONGEST:
        return text
    safe = "".join(letter if _harmless(letter) else _spelled(letter) for letter in text[:LONGEST])
    return safe if len(text) <= LONGEST else f"{safe}… ({len(text)} characters)"


def _harmless(letter: str) -> bool:
    return letter not in TURNING and unicodedata.category(letter) not in {
        "Cc",
        "Cs",
        "Co",
        "Zl",
        "Zp",
    }


def _spelled(letter: str) -> str:
    return f"\\u{ord(letter):04x}" if ord(letter) < 0x10000 else f"\\U{ord(letter):08x}"  # noqa: PLR2004
