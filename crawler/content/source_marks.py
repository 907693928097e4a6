"""What the source of a page says to machines: that it is the one for what is not found. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from crawler.checks.amp import canonical_link
from crawler.checks.html import ParsedPage
from crawler.content import url_shape
from crawler.content.observation import ObservedPage

# Classes and ids by which themes tell their page for what is not found from others. A number behind the
# name of a thing (`page-id-404`, `category-404`) is the number of a page that is there.
ABSENCE_CLASS: Final = re.compile(
    r"(?:(?:cms|page|pages|error|err|http|is|body|template|tpl|view|layout|system|status|type|route)[-_]{0,2}){0,3}"
    r"(?:404|not[-_]?found|no-?route)(?:[-_]{1,2}(?:page|error|template|layout|index|body|not[-_]found))*"
)
# An element of a page's own making that stands for the message: `<my-http-404-message>`.
ABSENCE_ELEMENT: Final = re.compile(r"(?:[a-z]+-)+(?:404|not-?found)(?:-[a-z]+)*")
# How frameworks name the page that they show, in data or in the URL of a script or a fetch of it.
ABSENCE_SCRIPTS: Final = ("/pages/404-", "/pages/404.js", "/page-data/404.html/", "/page-data/404/")
ERROR_META: Final = (("next-error", "not-found"), ("next-error", "404"), ("prerender-status-code", "404"))


def is_marked_not_found(observation: ObservedPage) -> bool:
    """Whether the source of a page says that it is the page for what is not found."""
    page = observation.page
    return page is not None and (
        any(ABSENCE_CLASS.fullmatch(name) for name in _classes(page))
        or any(ABSENCE_ELEMENT.fullmatch(name) for name in page.tags if "-" in name)
        or any(page.meta.get(name, "").strip().lower() == value for name, value in ERROR_META)
        or any(path in url for url in _loaded(page) for path in ABSENCE_SCRIPTS)
        or _names_error_page(observation, page)
    )


def _classes(page: ParsedPage) -> Iterator[str]:
    for attributes in (page.html, page.body):
        yield from f"{attributes.get('class', '')} {attributes.get('id', '')}".casefold().split()


def _loaded(page: ParsedPage) -> Iterator[str]:
    yield from page.sources
    yield from (href for rel, href in page.links if "preload" in rel.split())


def _names_error_page(observation: ObservedPage, page: ParsedPage) -> bool:
    """Whether a page gives the site's error page as its own address."""
    if url_shape.is_error_page(observation.url):
        return False
    addresses = (canonical_link(page, observation.final), page.meta.get("og:url", ""))
    return any(url and url_shape.is_absence_page(url) for url in addresses)
