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
from crawler.urls import Login, basic, masked, origin_of, resolve, without_credentials
from storage.model import Redirect

FOLLOWED: Final = frozenset({301, 302, 303, 307, 308})
PERMANENT: Final = frozenset({301, 308})
ASCII: Final = 128


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
            given = location(answer)
            _allow(given, seen, chain, len(trail.redirects))
            seen.add(given)
            url, login = without_credentials(given)
            request = request.to(url, _private(request, url, login))
            answer = await fetch(request)
        return answer

    return follow


def location(answer: Answer) -> str:
    """The request URL of the next hop.

    Raises:
        BadRedirect: there is none, or none that can be asked.
    """
    if answer.status not in FOLLOWED:
        raise BadRedirect(f"{answer.status} is no redirect that can be followed", phase="read")
    text = _only(answer)
    if not text:
        raise BadRedirect(f"{answer.status} without a Location", phase="read")
    try:
        return resolve(_as_text(text), answer.url)
    except (InvalidUrl, UnsupportedScheme) as exc:
        raise BadRedirect(f"{answer.status} to an unusable Location: {exc}", phase="read") from exc


def _only(answer: Answer) -> str:
    """The one Location of an answer; the same one twice is one, as browsers have it."""
    found = {value.strip() for name, value in answer.headers.items() if name.lower() == "location"}
    if len(found) > 1:
        raise BadRedirect(f"{answer.status} with {len(found)} Locations that differ", phase="read")
    return found.pop() if found else ""


def _as_text(header: str) -> str:
    """Undo aiohttp's surrogates: bytes that are no UTF-8 are escaped as they are, as browsers do."""
    raw = header.encode("utf-8", "surrogateescape")
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return "".join(chr(byte) if byte < ASCII else f"%{byte:02X}" for byte in raw)


def _allow(url: str, seen: set[str], chain: Chain, hops: int) -> None:
    if url in seen:
        raise RedirectLoop(f"{masked(url)} comes back in the chain", phase="read")
    if hops > chain.most:
        raise TooManyRedirects(f"more than {chain.most} redirects", phase="read")
    if chain.excluded(without_credentials(url)[0]):
        raise Excluded(f"the chain leads to {masked(url)}, which is excluded")


def _private(request: Request, url: str, login: Login | None) -> Mapping[str, str]:
    """Credentials and configured headers stay with the origin they were given for.

    Those that a Location carries are used as those of a link are, and never become part of a URL
    that is shown.
    """
    kept = request.private if origin_of(url) == origin_of(request.url) else NO_HEADERS
    return kept if login is None else {**kept, "Authorization": basic(login)}


def moved_to(chain: Sequence[Redirect], final: str) -> str | None:
    """The last hop reached by permanent redirects only; None if the first is temporary."""
    permanent = list(takewhile(lambda one: one.status in PERMANENT, chain))
    if not permanent:
        return None
    return final if len(permanent) == len(chain) else chain[len(permanent)].url
