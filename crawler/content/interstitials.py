"""What stands between a reader and a page that is there: a login, a consent page, a paywall, a wall.

A page behind a gate looks like all others of its site and says little; it is no "not found" page.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final
from urllib.parse import urlsplit

from crawler.checks.html import ParsedPage
from crawler.checks.words import find_phrase, fold, words
from crawler.data import table
from crawler.data.shapes import GateTable, WallTable

GATE_DATA: Final = table("gates", GateTable)
GATE_WORDS: Final = frozenset(GATE_DATA["words"])
LOGIN_PHRASES: Final = tuple(map(fold, GATE_DATA["login_phrases"]))
CONSENT_PHRASES: Final = tuple(map(fold, GATE_DATA["consent_phrases"]))
PAYWALL_PHRASES: Final = tuple(map(fold, GATE_DATA["paywall_phrases"]))
REGION_PHRASES: Final = tuple(map(fold, GATE_DATA["region_phrases"]))
MAINTENANCE_PHRASES: Final = tuple(map(fold, GATE_DATA["maintenance_phrases"]))
CHALLENGE_MARKS: Final = tuple(
    mark.casefold() for wall in table("walls", WallTable)["wall"] for mark in wall["pages"]
)
URL_SEPARATORS: Final = re.compile(r"[/\-_.?=&]")
MAX_LOGIN_WORDS: Final = 40  # visible words around a form that asks for a password and nothing else
MAX_WALL_WORDS: Final = 120  # visible words of a page that is nothing but a question
MAX_INTERSTITIAL_WORDS: Final = (
    350  # visible words; a page with more has something of its own behind its forms
)
MIN_FRAME_LINKS: Final = 25  # links of a page that shows the site around it, where a wall hides it


def interstitial(page: ParsedPage, hops: Sequence[str]) -> str | None:
    """What bars the way to a page, given all URLs that led to it after the first; None if nothing."""
    hop = interstitial_hop(hops)
    if hop is not None:
        return hop
    if len(words(page.text)) > MAX_INTERSTITIAL_WORDS:
        return None
    text, sources = fold(page.text), fold(" ".join(page.sources))
    return (
        closure(page)
        or _login(page)
        or (None if _shows_site(page) else _consent(text, sources))
        or _paywall(page, text)
        or _challenge(page, sources)
    )


def closure(page: ParsedPage) -> str | None:
    """Why a site shows none of its pages here or now, if it says so in few words: no page is gone by that."""
    if len(words(page.text)) > MAX_WALL_WORDS:
        return None
    text = fold(f"{page.title} {page.text}")
    region, maintenance = find_phrase(text, REGION_PHRASES), find_phrase(text, MAINTENANCE_PHRASES)
    if region is not None:
        return f"is not shown in this region ({region})"
    return None if maintenance is None else f"says that the site is being worked on ({maintenance})"


def interstitial_hop(hops: Sequence[str]) -> str | None:
    """The first URL on the way to a page that calls itself a login or the like; None if there is none."""
    gate_url = next((url for url in hops if _is_interstitial_url(url)), None)
    return None if gate_url is None else f"led through {gate_url}"


def _is_interstitial_url(url: str) -> bool:
    parts = urlsplit(url)
    label = (parts.hostname or "").partition(".")[0]
    return label in GATE_WORDS or not GATE_WORDS.isdisjoint(URL_SEPARATORS.split(parts.path.lower()))


def is_login(page: ParsedPage) -> bool:
    """Whether a page is a login and little else: it asks for a password, and says so or says hardly more."""
    count = len(words(page.text))
    if count > MAX_WALL_WORDS or "password" not in page.inputs:
        return False
    # Of scripts without spaces between words each letter counts as one: here they count by their lines.
    return min(count, len(page.text.split())) <= MAX_LOGIN_WORDS or _login_phrase(page) is not None


def _shows_site(page: ParsedPage) -> bool:
    """Whether a page has so many links that its forms and questions are part of a frame, and bar nothing."""
    return page.tags.count("a") >= MIN_FRAME_LINKS


def _login(page: ParsedPage) -> str | None:
    phrase = _login_phrase(page)
    if "password" in page.inputs and (phrase is not None or not _shows_site(page)):
        return "asks for a password"
    return None if phrase is None or not page.inputs else f"asks for a login ({phrase})"


def _login_phrase(page: ParsedPage) -> str | None:
    lines = {fold(line) for line in (page.title, *page.headings)}
    starts = (phrase for line in lines for phrase in LOGIN_PHRASES if line.startswith(phrase))
    return next(starts, None)


def _consent(text: str, sources: str) -> str | None:
    mark = find_phrase(sources, (name.casefold() for name in GATE_DATA["consent"]))
    phrase = find_phrase(text, CONSENT_PHRASES)
    if phrase is None:
        # Most sites load such a platform on each page; one with little else is the wall itself.
        return f"asks for consent by {mark}" if mark and len(words(text)) < MAX_WALL_WORDS else None
    return f"asks for consent ({phrase})" if mark or "cookie" in text or "partner" in text else None


def _paywall(page: ParsedPage, text: str) -> str | None:
    if '"isaccessibleforfree":false' in "".join(page.data.casefold().split()).replace('"false"', "false"):
        return "says that it is not free"
    lines = fold(" ".join((page.title, *page.headings))) if _shows_site(page) else text
    phrase = find_phrase(lines, PAYWALL_PHRASES)
    return None if phrase is None else f"asks for a subscription ({phrase})"


def _challenge(page: ParsedPage, sources: str) -> str | None:
    source = f"{sources} <title>{fold(page.title)}</title>"
    # Most sites behind a wall load its script on each page; one with little else is the wall itself.
    marks = source if len(words(page.text)) < MAX_WALL_WORDS else f"<title>{fold(page.title)}</title>"
    mark = find_phrase(marks, CHALLENGE_MARKS)
    return None if mark is None else f"asks whether we are a robot ({mark})"
