"""Cookies of one visit: what an answer sets, and what the next request to a URL carries (RFC 6265). Pure."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from ipaddress import ip_address
from typing import Final

from crawler.fetch.base import Cookie
from crawler.fetch.headers.times import http_date, whole_number
from crawler.urls import host_of, is_public_suffix, path_of

MAX_COOKIES: Final = 50  # of one visit; RFC 6265, 6.1, asks for as many of one domain
MAX_COOKIE_CHARACTERS: Final = 4096  # of a name and its value, as browsers have it
MAX_PATH_CHARACTERS: Final = 1024  # of an attribute, as browsers have it

Attributes = Mapping[str, str]


def cookie_header(cookies: list[Cookie], url: str) -> str:
    """Return the Cookie header of a request to a URL, "" for none (5.4: longer paths first)."""
    host, path, secure = host_of(url), path_of(url), _is_secure(url)
    fitting = [cookie for cookie in cookies if _fits(cookie, host, path) and secure >= cookie.secure]
    fitting.sort(key=lambda cookie: -len(cookie.path))
    return "; ".join(f"{cookie.name}={cookie.value}" if cookie.name else cookie.value for cookie in fitting)


def store_cookies(
    cookies: list[Cookie], url: str, headers: Mapping[str, str], clock: Callable[[], float] = time.time
) -> None:
    """Keep the cookies that an answer of a URL sets, and drop those that it ends (5.3)."""
    if "Set-Cookie" not in headers:
        return
    for name, line in headers.items():
        if name.lower() == "set-cookie":
            _store(cookies, url, line, clock)


def _store(cookies: list[Cookie], url: str, line: str, clock: Callable[[], float]) -> None:
    cookie, attributes = _parse(line)
    new_cookie = _placed(cookie, attributes, url)
    if new_cookie is None or not _has_its_prefix(new_cookie, attributes):
        return
    numbers = (number for number, cookie in enumerate(cookies) if _is_same(cookie, new_cookie))
    before = next(numbers, None)
    if before is not None and cookies[before].secure and not _is_secure(url):
        return  # RFC 6265bis, 5.6: what was set by https stays
    if _has_ended(attributes, clock):
        cookies[:] = [candidate for candidate in cookies if not _is_same(candidate, new_cookie)]
    elif before is not None:
        cookies[before] = new_cookie
    elif len(cookies) < MAX_COOKIES:
        cookies.append(new_cookie)


def _parse(line: str) -> tuple[Cookie, Attributes]:
    """The cookie of a line, without a place yet, and its attributes by lower-case name; the last counts."""
    pair, *parts = line.split(";")
    name, equals, value = pair.partition("=")
    if not equals:
        name, value = "", pair
    attributes = {
        key.strip().lower(): text.strip() for key, _, text in (part.partition("=") for part in parts)
    }
    return Cookie(name.strip(), value.strip()), attributes


def _placed(cookie: Cookie, attributes: Attributes, url: str) -> Cookie | None:
    """The cookie with its domain and path; None if it may not be set from there."""
    text = cookie.name + cookie.value
    if not text or len(text) > MAX_COOKIE_CHARACTERS or not _is_sendable(text):
        return None
    secure = "secure" in attributes
    host = host_of(url)
    domain = attributes.get("domain", "").removeprefix(".").lower()
    if (secure and not _is_secure(url)) or (domain and not _domain_matches(host, domain)):
        return None
    if domain and is_public_suffix(domain):
        if domain != host:
            return None
        domain = ""
    path = attributes.get("path", "")
    if not path.startswith("/") or len(path) > MAX_PATH_CHARACTERS:
        path = path_of(url).rpartition("/")[0] or "/"
    return replace(cookie, domain=domain or host, host_only=not domain, path=path, secure=secure)


def _is_sendable(text: str) -> bool:
    """Whether a header may carry it; aiohttp keeps bytes that are no UTF-8 as halves of letters."""
    return all(letter >= " " and letter != "\x7f" and not "\ud800" <= letter <= "\udfff" for letter in text)


def _has_its_prefix(cookie: Cookie, attributes: Attributes) -> bool:
    """Whether a name that promises something keeps it (RFC 6265bis, 4.1.3)."""
    name = cookie.name.lower()
    if name.startswith("__secure-"):
        return cookie.secure
    if name.startswith("__host-"):
        return cookie.secure and cookie.host_only and attributes.get("path") == "/"
    return True


def _has_ended(attributes: Attributes, clock: Callable[[], float]) -> bool:
    """Whether the time of a cookie is over already; Max-Age goes before Expires (5.3)."""
    max_age = attributes.get("max-age", "")
    if max_age.removeprefix("-").isdigit():
        return max_age.startswith("-") or whole_number(max_age) == 0
    date = http_date(attributes.get("expires"))
    return date is not None and date.timestamp() <= clock()


def _is_same(cookie: Cookie, candidate: Cookie) -> bool:
    return (cookie.name, cookie.domain, cookie.path) == (candidate.name, candidate.domain, candidate.path)


def _fits(cookie: Cookie, host: str, path: str) -> bool:
    same_host = host == cookie.domain if cookie.host_only else _domain_matches(host, cookie.domain)
    return same_host and _path_matches(path, cookie.path)


def _domain_matches(host: str, domain: str) -> bool:
    """Whether a host is of a domain (5.1.3); an address is of none but itself."""
    return host == domain or (host.endswith(f".{domain}") and not _is_address(host))


def _path_matches(path: str, prefix: str) -> bool:
    """Whether a path lies below another (5.1.4)."""
    return path == prefix or (path.startswith(prefix) and (prefix.endswith("/") or path[len(prefix)] == "/"))


def _is_secure(url: str) -> bool:
    return url.startswith("https:")


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
