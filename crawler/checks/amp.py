"""The check of an AMP page: is it one, and which web page does it say that it stands for.

Only its head is read, and no more of that than these two: its styles alone may take 75 KB.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from crawler.amp_cache import CACHE
from crawler.checks.base import Judgement
from crawler.checks.html import HeadWatch, Page, read
from crawler.checks.page import HEADERS, is_html
from crawler.errors import UrlError
from crawler.fetch.base import Answer, Request, Trail
from crawler.urls import host_of, masked, resolve
from storage.model import Target, Verdict

HEAD: Final = 256 * 1024  # bytes of a head; AMP allows 75,000 of them to be styles
AMPHTML: Final = "amphtml"
# amp.dev, "AMP HTML specification": `<html ⚡>` or `<html amp>`; with U+FE0F as editors may add it.
MARKERS: Final = ("amp", "\u26a1", "\u26a1\ufe0f")


@dataclass(frozen=True, slots=True)
class AmpCheck:
    """AMP and AMP-CDN targets; what a cache serves, which are not `marked`, was checked by the cache."""

    marked: bool = True

    def ask(self, target: Target, trail: Trail) -> Request:
        """Ask for the page, and read no more than its head, only as far as it tells something new."""
        watch = HeadWatch(lambda page: _is_marked(page) and canonical(page, target.url) is not None)
        return Request(target.url, "GET", HEADERS, limit=HEAD, enough=watch, trail=trail)

    def judge(self, request: Request, answer: Answer) -> Judgement:
        """Look for the marker, and keep the canonical link as evidence."""
        if not self.marked:
            return Judgement(detail=_left_cache(request.url, answer.url))
        page = read(answer)
        if not _is_marked(page):
            return Judgement(Verdict.NOT_AMP, "its html element has neither amp nor the lightning sign")
        found = canonical(page, answer.url)
        request.trail.evidence["amp"] = {"canonical": found and masked(found)}
        return Judgement()


def _is_marked(page: Page) -> bool:
    return any(marker in page.html for marker in MARKERS)


def canonical(page: Page, url: str) -> str | None:
    """The URL that a page at `url` names as its canonical one: the first that can be asked for."""
    return _linked(page, "canonical", url)


def note_amphtml(request: Request, answer: Answer) -> None:
    """Keep with the evidence which AMP page a web page names, if the page was read for whatever reason."""
    if b"amphtml" not in answer.body or not is_html(answer):
        return
    found = _linked(read(answer), "amphtml", answer.url)
    if found is not None:
        request.trail.evidence[AMPHTML] = masked(found)


def _linked(page: Page, kind: str, url: str) -> str | None:
    base = _usable(page.base, url) or url
    links = (href for rel, href in page.links if kind in rel.split() and href)
    return next((found for href in links if (found := _usable(href, base))), None)


def _usable(href: str, base: str) -> str | None:
    try:
        return resolve(href, base) if href else None
    except UrlError:
        return None


def _left_cache(asked: str, final: str) -> str | None:
    """What it means that an AMP cache sends its reader away."""
    if not host_of(asked).endswith(CACHE) or host_of(final).endswith(CACHE):
        return None
    return "the AMP cache no longer holds it, and sends its reader to the page itself"
