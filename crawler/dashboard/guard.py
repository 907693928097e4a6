"""Who may see and do what.

A page elsewhere can make a browser ask this server, by its address or by a name that a hostile
name server lets lead here (DNS rebinding). So a request has to be for a name that is ours, and one
that changes anything has to come from our own page. With a token, a request has to know it.
"""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable
from typing import Final
from urllib.parse import urlsplit

from aiohttp import web

from crawler.dashboard.house import HOUSE, House, is_address, is_loopback

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

COOKIE: Final = "linkhealth"
SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
OPEN: Final = frozenset({"/login"})  # what can be asked without the token, beside /static/
HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


async def set_headers(_: web.Request, response: web.StreamResponse) -> None:
    """Give every answer the headers that keep it harmless; a handler may have set its own."""
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    response.headers["Server"] = "linkhealth"


@web.middleware
async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Let in who is allowed; the reason why another is not is an HTTP error."""
    house = request.app[HOUSE]
    if not _is_ours(request.host, house):
        raise web.HTTPMisdirectedRequest(
            text="This name is none of the dashboard's. Add it to [dashboard] names if it is yours."
        )
    if request.method not in SAFE and not _from_our_page(request, house):
        raise web.HTTPForbidden(text="The request comes from another site.")
    if not _is_open(request) and not knows(request, house):
        raise web.HTTPUnauthorized(
            text="The dashboard wants its token.", headers={"WWW-Authenticate": "Bearer"}
        )
    if request.method not in SAFE and request.path not in OPEN and not house.write:
        raise web.HTTPForbidden(text="This dashboard changes nothing: [dashboard] write is false.")
    return await handler(request)


def knows(request: web.Request, house: House) -> bool:
    """Whether the visitor knows the token, if there is one."""
    if not house.token:
        return True
    cookie = request.cookies.get(COOKIE, "")
    scheme, _, bearer = request.headers.get("Authorization", "").partition(" ")
    return _equal(cookie, house.session) or (scheme.lower() == "bearer" and _equal(bearer, house.token))


def is_token(text: str, house: House) -> bool:
    """Whether a text is the token; it takes as long whatever the text is."""
    return bool(house.token) and _equal(text, house.token)


def _equal(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode("utf-8", "replace"), other.encode("utf-8", "replace"))


def _is_open(request: web.Request) -> bool:
    return request.path in OPEN or request.path.startswith("/static/")


def _is_ours(host: str, house: House) -> bool:
    """Whether a Host header names us: by an address, as localhost, or by a name of the settings."""
    try:
        name = (urlsplit(f"//{host}").hostname or "").rstrip(".").lower()
    except ValueError:
        return False
    if name in {"localhost", house.host.lower(), *(one.lower() for one in house.names)}:
        return True
    # No name server can make an address lead elsewhere; on this machine alone, its own will do.
    return is_loopback(name) or (is_address(name) and not is_loopback(house.host))


def _from_our_page(request: web.Request, house: House) -> bool:
    """Whether a request that changes something comes from our own page, or from a script with a token."""
    site, origin = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin")
    if site is not None:
        return site == "same-origin"
    if origin is not None:
        return urlsplit(origin).netloc.lower() == request.host.lower()
    return request.headers.get("Authorization") is not None and knows(request, house)
