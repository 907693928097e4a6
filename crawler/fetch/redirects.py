"""Redirects, followed by ourselves, hop by hop (RFC 9110, 15.4)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Final

from crawler.errors import (
    BadRedirect,
    Excluded,
    InvalidUrl,
    RedirectLoop,
    TooManyRedirects,
    UnsupportedScheme,
)
from crawler.fetch.base import NO_HEADERS, Answer, Fetch, Request
from crawler.fetch.revalidate import confirms
from crawler.urls import origin_of, resolve
from storage.model import Redirect

FOLLOWED: Final = frozenset({301, 302, 303, 307, 308})
PERMANENT: Final = frozenset({301, 308})


@dataclass(frozen=True, slots=True)
class Chain:
    """How far to follow, and which URLs are excluded at any hop."""

    most: int = 10
    excluded: Callable[[str], bool] = lambda _: False


def redirects(fetch: Fetch, chain: Chain) -> Fetch:
    """Follow each redirect with a request of its own; the answer is that of the last hop.

    Raises:
        RedirectLoop: a URL repeats.
        TooManyRedirects: the chain is longer than `chain.most`.
        BadRedirect: a 3xx answer without a usable Location.
        Excluded: a hop is excluded by configuration.
    """

    async def follow(request: Request) -> Answer:
        trail = request.trail
        trail.redirects.clear()
        seen = {request.url}
        answer = await fetch(request)
        while 300 <= answer.status < 400 and not confirms(request, answer):  # noqa: PLR2004 - redirection
            trail.redirects.append(Redirect(request.url, answer.status))
            url = location(answer)
            _allow(url, seen, chain, len(trail.redirects))
            seen.add(url)
            request = request.to(url, _private(request, url))
            answer = await fetch(request)
        return answer

    return follow


def location(answer: Answer) -> str:
    """The request URL of the next hop.

    Raises:
        BadRedirect: there is none, or none that can be asked.
    """
    text = answer.headers.get("Location", "").strip()
    if answer.status not in FOLLOWED:
        raise BadRedirect(f"{answer.status} is no redirect that can be followed", phase="read")
    if not text:
        raise BadRedirect(f"{answer.status} without a Location", phase="read")
    try:
        return resolve(_as_text(text), answer.url)
    except (InvalidUrl, UnsupportedScheme) as exc:
        raise BadRedirect(f"{answer.status} to an unusable Location: {exc}", phase="read") from exc


def _as_text(header: str) -> str:
    """Undo aiohttp's surrogates: raw bytes in a Location are UTF-8 in practice, else Latin-1."""
    raw = header.encode("utf-8", "surrogateescape")
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def _allow(url: str, seen: set[str], chain: Chain, hops: int) -> None:
    if url in seen:
        raise RedirectLoop(f"{url} comes back in the chain", phase="read")
    if hops > chain.most:
        raise TooManyRedirects(f"more than {chain.most} redirects", phase="read")
    if chain.excluded(url):
        raise Excluded(f"the chain leads to {url}, which is excluded")


def _private(request: Request, url: str) -> Mapping[str, str]:
    """Credentials and configured headers stay with the origin they were given for."""
    return request.private if origin_of(url) == origin_of(request.url) else NO_HEADERS


def moved_to(chain: Sequence[Redirect], final: str) -> str | None:
    """The last hop reached by permanent redirects only; None if the first is temporary."""
    permanent = list(takewhile(lambda one: one.status in PERMANENT, chain))
    if not permanent:
        return None
    return final if len(permanent) == len(chain) else chain[len(permanent)].url
