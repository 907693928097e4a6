"""The check of a page: what answers 200-299 is fine, whatever it is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from crawler.checks.base import Judgement
from crawler.fetch.base import Request, Response, Trace
from crawler.fetch.transport.content_codings import ACCEPTED_CODINGS
from crawler.urls import host_of
from storage.frozen import frozen
from storage.model import Kind, Target

HEADERS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
        "Accept-Encoding": ACCEPTED_CODINGS,
    }
)
PAGE_BODY_TIMEOUT: Final = 5.0  # seconds; an endless page is a page, and holds up no other
HTML_TYPES: Final = ("", "text/html", "application/xhtml+xml")


@frozen
class PageCheck:
    """Web, AMP and AMP-CDN targets; `limit` body bytes at most are read of a page.

    `takes_head` tells of a host whether HEAD can be asked.
    """

    limit: int
    takes_head: Callable[[str], bool] = lambda _: True

    def ask(self, target: Target, trace: Trace) -> Request:
        """Ask a web page with HEAD first, an AMP page, and one of which a link names a part, with GET."""
        head = target.kind is Kind.WEB and not target.fragments and self.takes_head(host_of(target.url))
        method = "HEAD" if head else "GET"
        body_timeout = PAGE_BODY_TIMEOUT if target.kind is Kind.WEB else None
        return Request(target.url, method, HEADERS, limit=self.limit, body_timeout=body_timeout, trace=trace)

    def judge(self, request: Request, answer: Response) -> Judgement:  # noqa: ARG002 - a Check
        """Any answer that came whole, as far as it was read, is a page."""
        return Judgement()


def is_html(answer: Response) -> bool:
    """Whether an answer may be HTML, by what it says of itself."""
    kind = answer.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    return kind in HTML_TYPES
