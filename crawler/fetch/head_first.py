"""HEAD is a saving, never evidence: what it does not confirm is asked again with GET."""

from __future__ import annotations

from typing import Final

from crawler.errors import BadResponse, RedirectFault, Reset, Timeout
from crawler.fetch.base import Answer, Fetch, Request

# A challenge page comes with 202, too, and only GET shows it.
DOUBTFUL: Final = 202
# These tell to slow down, not that HEAD is unwelcome; the next attempt asks with GET.
SLOW_DOWN: Final = frozenset({420, 429, 503, 529})
# Failures that a server may well keep for HEAD; a failed connection is not among them, since no
# request was sent: the next attempt asks with GET anyhow.
OF_HEAD: Final = (BadResponse, RedirectFault, Reset)


def head_first(fetch: Fetch) -> Fetch:
    """Ask a HEAD request again with GET, unless it was answered 200-299."""

    async def ask(request: Request) -> Answer:
        if request.method != "HEAD":
            return await fetch(request)
        try:
            answer = await fetch(request)
        except OF_HEAD:
            return await fetch(request.by_get())
        except Timeout as exc:
            if exc.phase != "read" or request.trail.left <= 0:
                raise
            return await fetch(request.by_get())
        if _enough(answer.status):
            return answer
        return await fetch(request.by_get())

    return ask


def _enough(status: int) -> bool:
    success = 200 <= status < 300  # noqa: PLR2004 - the class of success
    return (success and status != DOUBTFUL) or status in SLOW_DOWN
