"""The check of a page: what answers 200-299 is fine, whatever it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from crawler.checks.base import Judgement
from crawler.fetch.base import Answer, Request, Trail
from crawler.fetch.codings import ACCEPTED
from storage.model import Kind, Target

HEADERS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
        "Accept-Encoding": ACCEPTED,
    }
)


@dataclass(frozen=True, slots=True)
class PageCheck:
    """Web, AMP and AMP-CDN targets; `limit` body bytes at most are read of a page."""

    limit: int

    def ask(self, target: Target, trail: Trail) -> Request:
        """Ask a web page with HEAD first, an AMP page, wherever it lies, with GET."""
        method = "HEAD" if target.kind is Kind.WEB else "GET"
        return Request(target.url, method, HEADERS, limit=self.limit, trail=trail)

    def judge(self, request: Request, answer: Answer) -> Judgement:  # noqa: ARG002 - a Check
        """Any answer that came whole, as far as it was read, is a page."""
        return Judgement()
