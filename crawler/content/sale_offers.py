"""The words by which a page offers its domain for sale, or says that it is parked. Pure."""

from __future__ import annotations

from typing import Final

from crawler.checks.html import ParsedPage
from crawler.checks.words import APP_SHELL_WORDS, find_phrase, fold, words
from crawler.data import table
from crawler.data.shapes import ParkingTable

PARKING_DATA: Final = table("parked", ParkingTable)
SALE_PHRASES: Final = tuple(map(fold, PARKING_DATA["sale"]["phrases"]))
NAMED_SALE_PHRASES: Final = tuple(map(fold, PARKING_DATA["sale"]["named_phrases"]))
MAX_OFFER_TOKENS: Final = 6  # words after the name of a domain that may offer it
MAX_OFFER_SOURCE_BYTES: Final = 16_384  # bytes of a page without words whose script may write an offer


def sale_offer(text: str) -> str | None:
    """The words of a folded text that offer a domain for sale, or say that it is parked, if any."""
    return find_phrase(text, SALE_PHRASES) or _offer_by_name(text)


def _offer_by_name(text: str) -> str | None:
    """A domain name followed by what such names are followed by where they are for sale."""
    tokens = text.split(" ")
    for at, token in enumerate(tokens):
        name, dot, suffix = token.strip(" .,:;!?|\"'()[]").rpartition(".")
        if dot and name and suffix.isalpha():
            next_tokens = " ".join(tokens[at + 1 : at + 1 + MAX_OFFER_TOKENS]).lstrip(" -|:\u2013\u2014")
            phrase = next((phrase for phrase in NAMED_SALE_PHRASES if next_tokens.startswith(phrase)), None)
            if phrase is not None:
                return f"{token} {phrase}"
    return None


def written_offer(page: ParsedPage, body: bytes) -> str | None:
    """What the script of a small page without words writes into it, if that offers the domain."""
    if len(words(page.text)) >= APP_SHELL_WORDS or len(body) > MAX_OFFER_SOURCE_BYTES:
        return None
    if not page.scripts or page.sources or page.meta.get("description"):
        return None
    return find_phrase(fold(body.decode("utf-8", "replace")), SALE_PHRASES)
