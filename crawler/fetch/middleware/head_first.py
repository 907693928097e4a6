"""HEAD is a saving, never evidence: what it does not confirm is asked again with GET.

Two habits of servers would make it no saving at all:

- a host that refuses HEAD, or hangs on it, some pages in a row, is asked with GET for the rest of a run;
  one that says to slow down, until a page is fine.
- a host that has answered nothing yet gets one HEAD with all its time. Others that are sent meanwhile
  are given up early, so that a host that hangs on HEAD is soon known from one that hangs (see
  `circuit_breaker`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from crawler.errors import BadResponse, ConnectionReset, FetchTimeout, RedirectFault
from crawler.fetch.base import Fetch, Middleware, Request, Response, is_success
from crawler.urls import host_of

# A challenge page comes with 202, too, and only GET shows it.
CHALLENGE_STATUS: Final = 202
# These tell to slow down, not that HEAD is unwelcome; the next attempt asks with GET.
SLOW_DOWN_STATUSES: Final = frozenset({420, 429, 503, 529})
# Failures that a server may well keep for HEAD; a failed connection is not among them, since no
# request was sent: the next attempt asks with GET anyhow.
HEAD_FAULTS: Final = (BadResponse, RedirectFault, ConnectionReset)
MAX_FUTILE_HEADS: Final = 3  # HEADs in a row without any use: from then on it is GET at once


@dataclass(slots=True)
class HeadStatistics:
    """What the HEADs of one host came to: whether it answered anything, HEADs sent, futile ones in a row.

    `slow_downs` are HEADs in a row that were told to slow down, since the last page that was fine.
    """

    answered: bool = False
    heads: int = 0
    futile: int = 0
    slow_downs: int = 0

    @property
    def takes_head(self) -> bool:
        """Whether HEAD may be a saving here; a host that never answered gets one and no more."""
        if self.slow_downs >= MAX_FUTILE_HEADS:
            return False
        return self.futile < (MAX_FUTILE_HEADS if self.answered else 1)


def head_first(timeout: float) -> Middleware:
    """Ask a HEAD request again with GET, unless it was answered 200-299.

    `timeout` are the seconds for a HEAD beside another that a host has not answered.
    """
    hosts: dict[str, HeadStatistics] = {}

    def wrap(fetch: Fetch) -> Fetch:
        async def by_get(request: Request, host: HeadStatistics) -> Response:
            response = await fetch(request.by_get())
            host.answered = True
            if response.ok:
                host.slow_downs = 0
            return response

        async def ask(request: Request) -> Response:
            host = hosts.setdefault(host_of(request.url), HeadStatistics())
            if request.method != "HEAD" or not host.takes_head:
                return await by_get(request, host)
            in_parallel = bool(host.heads) and not host.answered
            host.heads += 1
            head = await _by_head(
                fetch, replace(request, first_byte_timeout=timeout) if in_parallel else request
            )
            host.answered = host.answered or head is not None
            if head is not None and _suffices(head.status):
                host.futile = 0
                host.slow_downs = 0 if head.ok else host.slow_downs + 1
                return head
            host.futile += head is None  # at once, so that others need not wait in vain meanwhile
            response = await by_get(request, host)
            host.futile += head is not None and response.ok
            return response

        return ask

    return wrap


async def _by_head(fetch: Fetch, request: Request) -> Response | None:
    """The response to HEAD; None where it failed in a way that GET may not."""
    try:
        return await fetch(request)
    except HEAD_FAULTS:
        return None
    except FetchTimeout as exc:
        if exc.phase != "read" or request.trace.state.time_left <= 0:
            raise
        return None


def _suffices(status: int) -> bool:
    return (is_success(status) and status != CHALLENGE_STATUS) or status in SLOW_DOWN_STATUSES
