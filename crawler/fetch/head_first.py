"""HEAD is a saving, never evidence: what it does not confirm is asked again with GET.

Two habits of servers would make it no saving at all:

- a host that refuses HEAD, or hangs on it, some pages in a row, is asked with GET for the rest of a run.
- a host that has answered nothing yet gets one HEAD with all its time. Others that are sent meanwhile
  are given up early, so that a host that hangs on HEAD is soon known from one that hangs (see `breaker`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from crawler.errors import BadResponse, RedirectFault, Reset, Timeout
from crawler.fetch.base import Answer, Fetch, Request
from crawler.urls import host_of

# A challenge page comes with 202, too, and only GET shows it.
DOUBTFUL: Final = 202
# These tell to slow down, not that HEAD is unwelcome; the next attempt asks with GET.
SLOW_DOWN: Final = frozenset({420, 429, 503, 529})
# Failures that a server may well keep for HEAD; a failed connection is not among them, since no
# request was sent: the next attempt asks with GET anyhow.
OF_HEAD: Final = (BadResponse, RedirectFault, Reset)
IN_VAIN: Final = 3  # HEADs in a row that were no use: from then on it is GET at once


@dataclass(slots=True)
class Heard:
    """What the HEADs of one host came to: whether it answered anything, HEADs sent, and those in vain."""

    answered: bool = False
    heads: int = 0
    in_vain: int = 0

    @property
    def takes_head(self) -> bool:
        """Whether HEAD may be a saving here; who never answered has to answer GET after one in vain."""
        return self.in_vain < (IN_VAIN if self.answered else 1)


def head_first(fetch: Fetch, patience: float) -> Fetch:
    """Ask a HEAD request again with GET, unless it was answered 200-299.

    `patience` are the seconds for a HEAD beside another that a host has not answered.
    """
    hosts: dict[str, Heard] = {}

    async def by_get(request: Request, heard: Heard) -> Answer:
        answer = await fetch(request.by_get())
        heard.answered = True
        return answer

    async def ask(request: Request) -> Answer:
        heard = hosts.setdefault(host_of(request.url), Heard())
        if request.method != "HEAD" or not heard.takes_head:
            return await by_get(request, heard)
        another = bool(heard.heads) and not heard.answered
        heard.heads += 1
        answer = await _by_head(fetch, replace(request, patience=patience) if another else request)
        heard.answered = heard.answered or answer is not None
        if answer is not None and _enough(answer.status):
            heard.in_vain = 0
            return answer
        heard.in_vain += answer is None  # at once, so that others need not wait in vain meanwhile
        refused, answer = answer, await by_get(request, heard)
        heard.in_vain += refused is not None and _fine(answer.status)
        return answer

    return ask


async def _by_head(fetch: Fetch, request: Request) -> Answer | None:
    """The answer to HEAD; None where it failed in a way that GET may not."""
    try:
        return await fetch(request)
    except OF_HEAD:
        return None
    except Timeout as exc:
        if exc.phase != "read" or request.trail.left <= 0:
            raise
        return None


def _enough(status: int) -> bool:
    return (_fine(status) and status != DOUBTFUL) or status in SLOW_DOWN


def _fine(status: int) -> bool:
    return 200 <= status < 300  # noqa: PLR2004 - the class of success
