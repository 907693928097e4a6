"""robots.txt, when asked to obey it (RFC 9309): read once an origin, by the same polite onion."""

from __future__ import annotations

import asyncio
from typing import Final

from protego import Protego

from crawler.errors import Denied, FetchError, RedirectFault
from crawler.fetch.base import Answer, Fetch, Request, Trail
from crawler.fetch.redirects import Chain, redirects
from crawler.urls import origin_of

LARGEST: Final = 512_000  # bytes: RFC 9309, 2.5, asks for at least 500 KiB
HOPS: Final = 5  # RFC 9309, 2.3.1.2: at least five redirects are followed
PATH: Final = "/robots.txt"


def robots(fetch: Fetch, agent: str, seconds: float) -> Fetch:
    """Refuse what the robots.txt of its origin forbids to this agent; reading it has `seconds`.

    The file is asked for with the seat of the first visit that needs it, so that a run with a
    single seat does not wait for itself.

    Raises:
        Denied: it is forbidden, or the origin's robots.txt cannot be had (RFC 9309, 2.3.1.4).
    """
    known: dict[str, asyncio.Task[Protego | None]] = {}
    follow = redirects(fetch, Chain(HOPS))

    async def rules(request: Request) -> Protego | None:
        origin = origin_of(request.url)
        if origin not in known:
            trail = Trail(seat=request.trail.seat, left=seconds)
            request.trail.seat = None
            known[origin] = asyncio.create_task(_read(follow, origin, trail))
        return await asyncio.shield(known[origin])

    async def ask(request: Request) -> Answer:
        found = await rules(request)
        if found is None:
            raise Denied("its robots.txt cannot be had, which forbids everything")
        if not found.can_fetch(request.url, agent):
            raise Denied("by the site's robots.txt")
        return await fetch(request)

    return ask


async def _read(fetch: Fetch, origin: str, trail: Trail) -> Protego | None:
    """The rules of an origin; none that forbid where there is no file; None where nobody knows."""
    request = Request(origin + PATH, limit=LARGEST, tolerant=True, trail=trail)
    try:
        answer = await fetch(request)
    except RedirectFault:
        return Protego.parse("")
    except FetchError:
        return None
    if answer.status >= 500:  # noqa: PLR2004 - RFC 9309, 2.3.1.4: unreachable
        return None
    text = answer.body.decode("utf-8", "replace") if answer.status < 300 else ""  # noqa: PLR2004
    return Protego.parse(text)
