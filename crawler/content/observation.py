"""A page as it was observed, and what its site answers for a page that cannot exist."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Final

from crawler.checks.html import ParsedPage
from crawler.content import url_shape
from crawler.content.fingerprint import Fingerprint, fingerprint
from crawler.fetch.base import is_success
from storage.frozen import frozen

ABSENT_STATUSES: Final = frozenset({404, 410})  # the statuses of a page that does not exist


@dataclass(frozen=True)  # without slots: its fingerprint is kept once made
class ObservedPage:
    """How a page was reached, and its content: `url` is the requested one, the last of `hops` its own.

    `whole` is whether the content was read to its end; what was cut looks like other pages of its site.
    `refreshed` is whether the last hop is one that the page itself leads to, at once.
    """

    url: str
    hops: tuple[str, ...]
    page: ParsedPage | None = None
    whole: bool = True
    refreshed: bool = False

    @cached_property
    def fingerprint(self) -> Fingerprint | None:
        """The fingerprint of the page, if it was read."""
        return None if self.page is None else fingerprint(self.page, self.url)

    @property
    def final(self) -> str:
        """The URL that answered."""
        return self.hops[-1] if self.hops else self.url

    @property
    def was_redirected(self) -> bool:
        """Whether it was redirected to another place, not only to another scheme or host."""
        return not url_shape.same_path(self.url, self.final)


@frozen
class ProbeResult:
    """The answer of a site for a page that cannot exist: final URL, status and fingerprint.

    `comparable` is whether it has enough content to compare pages with; `phrase` is the "not found" phrase
    of a short page; `asked_at` (UTC) is the time of the request in an earlier run, None for this run.
    """

    url: str
    final: str
    status: int
    fingerprint: Fingerprint | None = None
    comparable: bool = False
    phrase: str | None = None
    asked_at: datetime | None = None

    @property
    def is_telling(self) -> bool:
        """Whether the status tells how the site treats pages that do not exist; that of a wall does not."""
        return self.says_absent or self.says_present

    @property
    def says_absent(self) -> bool:
        """Whether the status says that the page does not exist."""
        return self.status in ABSENT_STATUSES

    @property
    def says_present(self) -> bool:
        """Whether the status says that the page exists."""
        return is_success(self.status)

    @property
    def was_redirected(self) -> bool:
        """Whether it was redirected to another place."""
        return not url_shape.same_path(self.url, self.final)
