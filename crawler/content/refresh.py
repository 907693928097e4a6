"""Where a page that shows nothing sends its reader at once, by a meta element. Pure."""

from __future__ import annotations

from typing import Final

from crawler.checks.html import ParsedPage
from crawler.checks.words import APP_SHELL_WORDS, words
from crawler.errors import UrlError
from crawler.urls import resolve

MAX_REFRESH_SECONDS: Final = 5.0  # a page that stays longer is one to be read


def refresh_target(page: ParsedPage, url: str) -> str | None:
    """The other URL that a page of few words leads to within seconds; None if it stays."""
    delay, _, address = page.meta.get("refresh", "").replace(",", ";", 1).partition(";")
    name, _, target = address.strip().partition("=")
    if name.strip().lower() != "url" or not _is_short(delay) or len(words(page.text)) >= APP_SHELL_WORDS:
        return None
    try:
        base = resolve(page.base, url) if page.base else url
        end = resolve(target.strip(" \t'\""), base)
    except UrlError:
        return None
    return None if end == url else end


def _is_short(delay: str) -> bool:
    try:
        return 0.0 <= float(delay) <= MAX_REFRESH_SECONDS
    except ValueError:
        return False
