"""What stands between a reader and a page that is there: a login, a consent page, a paywall, a wall.

A page behind a gate looks like all others of its site and says little; it is no "not found" page.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final
from urllib.parse import urlsplit

from crawler.checks.fingerprint import fold, says, words
from crawler.checks.html import Page
from crawler.data import table

DATA: Final = table("gates")
WORDS: Final = frozenset(DATA["words"])
LOGIN, CONSENT, PAYWALL = (
    tuple(map(fold, DATA[f"{name}_phrases"])) for name in ("login", "consent", "paywall")
)
CHALLENGES: Final = tuple(mark.casefold() for wall in table("walls")["wall"] for mark in wall["pages"])
PARTS: Final = re.compile(r"[/\-_.?=&]")
LITTLE: Final = 120  # visible words of a page that is nothing but a question
FEW: Final = 350  # visible words; a page with more has something of its own behind its forms


def gate(page: Page, hops: Sequence[str]) -> str | None:
    """What bars the way to a page, given all URLs that led to it after the first; None if nothing."""
    led = next((url for url in hops if _is_gate(url)), None)
    if led is not None:
        return f"led through {led}"
    if len(words(page.text)) > FEW:
        return None
    text, sources = fold(page.text), fold(" ".join(page.sources))
    return _login(page) or _consent(text, sources) or _paywall(page, text) or _challenge(page, sources)


def _is_gate(url: str) -> bool:
    parts = urlsplit(url)
    label = (parts.hostname or "").partition(".")[0]
    return label in WORDS or not WORDS.isdisjoint(PARTS.split(parts.path.lower()))


def _login(page: Page) -> str | None:
    if "password" in page.inputs:
        return "asks for a password"
    lines = {fold(line) for line in (page.title, *page.headings)}
    starts = (phrase for line in lines for phrase in LOGIN if line.startswith(phrase))
    phrase = next(starts, None)
    return None if phrase is None or not page.inputs else f"asks for a login ({phrase})"


def _consent(text: str, sources: str) -> str | None:
    mark = says(sources, (name.casefold() for name in DATA["consent"]))
    phrase = says(text, CONSENT)
    if phrase is None:
        # Most sites load such a platform on each page; one with little else is the wall itself.
        return f"asks for consent by {mark}" if mark and len(words(text)) < LITTLE else None
    return f"asks for consent ({phrase})" if mark or "cookie" in text or "partner" in text else None


def _paywall(page: Page, text: str) -> str | None:
    if '"isaccessibleforfree":false' in "".join(page.data.casefold().split()).replace('"false"', "false"):
        return "says that it is not free"
    phrase = says(text, PAYWALL)
    return None if phrase is None else f"asks for a subscription ({phrase})"


def _challenge(page: Page, sources: str) -> str | None:
    seen = f"{sources} <title>{fold(page.title)}</title>"
    mark = says(seen, CHALLENGES)
    return None if mark is None else f"asks whether we are a robot ({mark})"
