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

from crawler.dashboard.settings import SETTINGS_KEY, DashboardSettings, is_address, is_loopback

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

SESSION_COOKIE: Final = "linkhealth"
SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
OPEN_PATHS: Final = frozenset({"/login"})  # what can be asked without the token, beside /static/
SECURITY_HEADERS: Final = {
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
    for name, value in SECURITY_HEADERS.items():
        response.headers.setdefault(name, value)
    response.headers["Server"] = "linkhealth"


@web.middleware
async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Pass requests that are allowed; the reason why another is not is an HTTP error."""
    settings = request.app[SETTINGS_KEY]
    if not _is_own_host(request.host, settings):
        raise web.HTTPMisdirectedRequest(
            text="This name is none of the dashboard's. Add it to [dashboard] names if it is yours."
        )
    if request.method not in SAFE_METHODS and not _is_same_origin(request, settings):
        raise web.HTTPForbidden(text="The request comes from another site.")
    if not _is_open_path(request) and not is_authorized(request, settings):
        raise web.HTTPUnauthorized(
            text="The dashboard wants its token.", headers={"WWW-Authenticate": "Bearer"}
        )
    if request.method not in SAFE_METHODS and request.path not in OPEN_PATHS and not settings.write:
        raise web.HTTPForbidden(text="This dashboard changes nothing: [dashboard] write is false.")
    return await handler(request)


def is_authorized(request: web.Request, settings: DashboardSettings) -> bool:
    """Whether the visitor knows the token, if there is one."""
    if not settings.token:
        return True
    cookie = request.cookies.get(SESSION_COOKIE, "")
    scheme, _, bearer = request.headers.get("Authorization", "").partition(" ")
    return _equal(cookie, settings.session) or (scheme.lower() == "bearer" and _equal(bearer, settings.token))


def is_token(text: str, settings: DashboardSettings) -> bool:
    """Whether a text is the token; it takes as long whatever the text is."""
    return bool(settings.token) and _equal(text, settings.token)


def _equal(text: str, secret: str) -> bool:
    return hmac.compare_digest(text.encode("utf-8", "replace"), secret.encode("utf-8", "replace"))


def _is_open_path(request: web.Request) -> bool:
    return request.path in OPEN_PATHS or request.path.startswith("/static/")


def _is_own_host(host: str, settings: DashboardSettings) -> bool:
    """Whether a Host header names us: by an address, as localhost, or by a name of the settings."""
    try:
        name = (urlsplit(f"//{host}").hostname or "").rstrip(".").lower()
    except ValueError:
        return False
    if name in {"localhost", settings.host.lower(), *(alias.lower() for alias in settings.names)}:
        return True
    # No name server can make an address lead elsewhere; on this machine alone, its own will do.
    return is_loopback(name) or (is_address(name) and not is_loopback(settings.host))


def _netloc(origin: str) -> str | None:
    """Host and port of an origin, None where it is none."""
    try:
        return urlsplit(origin).netloc.lower()
    except ValueError:
        return None


def _is_same_origin(request: web.Request, settings: DashboardSettings) -> bool:
    """Whether a request that changes something comes from our own page, or from a script with a token."""
    site, origin = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin")
    if site is not None:
        return site == "same-origin"
    if origin is not None:
        return _netloc(origin) == request.host.lower()
    return request.headers.get("Authorization") is not None and is_authorized(request, settings)
