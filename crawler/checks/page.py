"""The check of a page: what answers 200-299 is fine, whatever it is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from crawler.checks.base import Judgement
from crawler.fetch.base import Answer, Request, Trail
from crawler.fetch.codings import ACCEPTED
from crawler.urls import host_of
from storage.model import Kind, Target

HEADERS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
        "Accept-Encoding": ACCEPTED,
    }
)
HTML: Final = ("", "text/html", "application/xhtml+xml")


@dataclass(frozen=True, slots=True)
class PageCheck:
    """Web, AMP and AMP-CDN targets; `limit` body bytes at most are read of a page.

    `takes_head` tells of a host whether HEAD can be asked.
    """

    limit: int
    takes_head: Callable[[str], bool] = lambda _: True

    def ask(self, target: Target, trail: Trail) -> Request:
        """Ask a web page with HEAD first, an AMP page, and one of which a link names a part, with GET."""
        head = target.kind is Kind.WEB and not target.fragments and self.takes_head(host_of(target.url))
        method = "HEAD" if head else "GET"
        return Request(target.url, method, HEADERS, limit=self.limit, trail=trail)

    def judge(self, request: Request, answer: Answer) -> Judgement:  # noqa: ARG002 - a Check
        """Any answer that came whole, as far as it was read, is a page."""
        return Judgement()


def is_html(answer: Answer) -> bool:
    """Whether an answer may be HTML, by what it says of itself."""
    kind = answer.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    return kind in HTML
