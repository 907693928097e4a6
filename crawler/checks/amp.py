"""The check of an AMP page: is it one, and which web page does it say that it stands for.

Only its head is read, and no more of that than these two: its styles alone may take 75 KB.
"""

from __future__ import annotations

from typing import Final

from crawler.checks.amp_cache import AMP_CACHE_DOMAIN
from crawler.checks.base import Judgement
from crawler.checks.head_watch import HeadWatch
from crawler.checks.html import ParsedPage, parse_page
from crawler.checks.page import HEADERS, is_html
from crawler.errors import UrlError
from crawler.fetch.base import Request, Response, Trace
from crawler.urls import host_of, masked, resolve
from storage.frozen import frozen
from storage.model import AmpEvidence, Target, Verdict

AMP_HEAD_BYTES: Final = 256 * 1024  # bytes of a head; AMP allows 75,000 of them to be styles
# amp.dev, "AMP HTML specification": `<html ⚡>` or `<html amp>`; with U+FE0F as editors may add it.
MARKERS: Final = ("amp", "\u26a1", "\u26a1\ufe0f")


@frozen
class AmpCheck:
    """AMP and AMP-CDN targets; what a cache serves, which are not `marked`, was checked by the cache."""

    marked: bool = True

    def ask(self, target: Target, trace: Trace) -> Request:
        """Ask for the page, and read no more than its head, only as far as it tells something new."""
        watch = HeadWatch(lambda page: _is_marked(page) and canonical_link(page, target.url) is not None)
        return Request(target.url, "GET", HEADERS, limit=AMP_HEAD_BYTES, enough=watch, trace=trace)

    def judge(self, request: Request, answer: Response) -> Judgement:
        """Look for the marker, and keep the canonical link as evidence."""
        if not self.marked:
            return Judgement(detail=_cache_departure(request.url, answer.url))
        page = parse_page(answer)
        if not _is_marked(page):
            return Judgement(Verdict.NOT_AMP, "its html element has neither amp nor the lightning sign")
        canonical_url = canonical_link(page, answer.url)
        request.trace.evidence.amp = AmpEvidence(canonical_url and masked(canonical_url))
        return Judgement()


def _is_marked(page: ParsedPage) -> bool:
    return any(marker in page.html for marker in MARKERS)


def canonical_link(page: ParsedPage, url: str) -> str | None:
    """The URL that a page at `url` names as its canonical one: the first that can be asked for."""
    return _first_link(page, "canonical", url)


def note_amphtml(request: Request, answer: Response) -> None:
    """Keep with the evidence which AMP page a web page names, if the page was read for whatever reason."""
    if b"amphtml" not in answer.body or not is_html(answer):
        return
    amphtml_url = _first_link(parse_page(answer), "amphtml", answer.url)
    if amphtml_url is not None:
        request.trace.evidence.amphtml = masked(amphtml_url)


def _first_link(page: ParsedPage, kind: str, url: str) -> str | None:
    base = _resolved(page.base, url) or url
    links = (href for rel, href in page.links if kind in rel.split() and href)
    return next((target_url for href in links if (target_url := _resolved(href, base))), None)


def _resolved(href: str, base: str) -> str | None:
    try:
        return resolve(href, base) if href else None
    except UrlError:
        return None


def _cache_departure(url: str, final_url: str) -> str | None:
    """What it means that an AMP cache sends its reader away."""
    if not host_of(url).endswith(AMP_CACHE_DOMAIN) or host_of(final_url).endswith(AMP_CACHE_DOMAIN):
        return None
    return "the AMP cache no longer holds it, and sends its reader to the page itself"
