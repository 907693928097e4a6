"""Redirects, followed by ourselves, hop by hop (RFC 9110, 15.4)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import takewhile
from typing import Final

from crawler.errors import (
    BadRedirect,
    ExcludedUrl,
    InvalidUrl,
    RedirectLoop,
    TooManyRedirects,
    UnsupportedScheme,
)
from crawler.fetch.base import NO_HEADERS, Cookie, Fetch, Middleware, Request, Response
from crawler.fetch.headers.conditional import is_not_modified
from crawler.fetch.headers.cookies import cookie_header, store_cookies
from crawler.fetch.headers.freshness import cache_directives_of
from crawler.urls import Login, basic, masked, origin_of, resolve, without_credentials
from storage.frozen import frozen
from storage.model import Redirect

FOLLOWED_STATUSES: Final = frozenset({301, 302, 303, 307, 308})
PERMANENT_STATUSES: Final = frozenset({301, 308})
ASCII_SIZE: Final = 128  # code points
EXPIRY_DIRECTIVES: Final = frozenset({"no-store", "no-cache", "max-age"})  # a browser asks again, or may


@frozen
class RedirectPolicy:
    """How far to follow, and which URLs are excluded at any hop."""

    max_hops: int = 10
    excluded: Callable[[str], bool] = lambda _: False


def redirects(policy: RedirectPolicy) -> Middleware:
    """Follow each redirect with a request of its own; the response is that of the last hop.

    Raises:
        RedirectLoop: a URL repeats with the same cookies.
        TooManyRedirects: the chain is longer than `policy.max_hops`.
        BadRedirect: a 3xx response without a usable Location.
        ExcludedUrl: a hop is excluded by configuration.
    """

    def wrap(fetch: Fetch) -> Fetch:
        async def follow(request: Request) -> Response:
            trace = request.trace
            trace.redirects.clear()
            chain = _Chain(trace.state.cookies)
            chain.add(request.url)
            response = await _ask(fetch, request)
            while response.is_redirect and not is_not_modified(request, response):
                trace.redirects.append(Redirect(request.url, response.status))
                target = location(response)
                chain.note(request.url, response)
                _allow(target, chain, policy, len(trace.redirects))
                chain.add(target)
                url, login = without_credentials(target)
                request = request.to(url, _private(request, url, login))
                response = await _ask(fetch, request)
            return response

        return follow

    return wrap


async def _ask(fetch: Fetch, request: Request) -> Response:
    """Send the cookies of the visit with a request, and keep those that its response sets.

    They are private headers, which never leave their origin.
    """
    cookies = request.trace.state.cookies
    if cookies:
        request = replace(
            request, private=_with_cookies(request.private, cookie_header(cookies, request.url))
        )
    response = await fetch(request)
    store_cookies(cookies, request.url, response.headers)
    return response


def _with_cookies(private: Mapping[str, str], cookies: str) -> Mapping[str, str]:
    """Private headers with the cookies behind those that are configured for the host."""
    if not cookies:
        return private
    configured_cookie = next((value for name, value in private.items() if name.lower() == "cookie"), None)
    other_headers = {name: value for name, value in private.items() if name.lower() != "cookie"}
    return {**other_headers, "Cookie": f"{configured_cookie}; {cookies}" if configured_cookie else cookies}


class _Chain:
    """The requests of a chain of redirects, and which of its URLs browsers would not ask again."""

    def __init__(self, cookies: list[Cookie]) -> None:
        self._cookies = cookies
        self._requests: set[tuple[str, str]] = set()
        self._permanent: set[str] = set()

    def add(self, url: str) -> None:
        """Add a request to a URL, with the cookies that it has now."""
        self._requests.add((url, cookie_header(self._cookies, url)))

    def note(self, url: str, response: Response) -> None:
        """Note a permanent redirect that may be kept: a browser follows it again without asking."""
        validity = EXPIRY_DIRECTIVES & cache_directives_of(response.headers.get("Cache-Control", "")).keys()
        if response.status in PERMANENT_STATUSES and not validity and "Vary" not in response.headers:
            self._permanent.add(url)

    def __contains__(self, url: str) -> bool:
        """Whether a request to a URL would repeat one of the chain."""
        return url in self._permanent or (url, cookie_header(self._cookies, url)) in self._requests


def location(response: Response) -> str:
    """The request URL of the next hop.

    Raises:
        BadRedirect: there is none, or none that can be asked.
    """
    if response.status not in FOLLOWED_STATUSES:
        raise BadRedirect(f"{response.status} is no redirect that can be followed", phase="read")
    text = _only(response)
    if not text:
        raise BadRedirect(f"{response.status} without a Location", phase="read")
    try:
        return resolve(_as_text(text), response.url)
    except (InvalidUrl, UnsupportedScheme) as exc:
        raise BadRedirect(f"{response.status} to an unusable Location: {exc}", phase="read") from exc


def _only(response: Response) -> str:
    """The one Location of a response; equal ones count once, as in browsers."""
    locations = {value.strip() for name, value in response.headers.items() if name.lower() == "location"}
    if len(locations) > 1:
        raise BadRedirect(f"{response.status} with {len(locations)} Locations that differ", phase="read")
    return locations.pop() if locations else ""


def _as_text(header: str) -> str:
    """Undo aiohttp's surrogates: bytes that are no UTF-8 are escaped as they are, as browsers do."""
    raw = header.encode("utf-8", "surrogateescape")
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return "".join(chr(byte) if byte < ASCII_SIZE else f"%{byte:02X}" for byte in raw)


def _allow(url: str, chain: _Chain, policy: RedirectPolicy, hops: int) -> None:
    if url in chain:
        raise RedirectLoop(f"{masked(url)} comes back in the chain", phase="read")
    if hops > policy.max_hops:
        raise TooManyRedirects(f"more than {policy.max_hops} redirects", phase="read")
    if policy.excluded(without_credentials(url)[0]):
        raise ExcludedUrl(f"the chain leads to {masked(url)}, which is excluded")


def _private(request: Request, url: str, login: Login | None) -> Mapping[str, str]:
    """Credentials and configured headers stay with the origin they were given for.

    Those that a Location carries are used as those of a link are, and never become part of a URL
    that is shown.
    """
    private = request.private if origin_of(url) == origin_of(request.url) else NO_HEADERS
    return private if login is None else {**private, "Authorization": basic(login)}


def moved_to(chain: Sequence[Redirect], final: str) -> str | None:
    """The last hop reached by permanent redirects only; None if the first is temporary."""
    permanent = list(takewhile(lambda hop: hop.status in PERMANENT_STATUSES, chain))
    if not permanent:
        return None
    return final if len(permanent) == len(chain) else chain[len(permanent)].url
