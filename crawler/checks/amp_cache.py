"""AMP cache URLs, as the cache makes them (amp.dev, "AMP Cache URL format and request handling").

The host of the page becomes one label below the cache's domain: its IDNA form in Unicode, every
`-` doubled, every `.` a `-`; `0-` and `-0` are put around it where it would have `--` at its third
and fourth place, which DNS keeps for itself; then back to punycode. Where that gives no label (too
long, no dot in the host, a mark that IDNA refuses), the SHA-256 of the host in base32 stands for it.
Path and query follow byte-exact behind `/c/`, `/i/` or `/v/`, with `s/` for https.
"""

from __future__ import annotations

import base64
import hashlib
import unicodedata
from typing import Final
from urllib.parse import unquote

import idna

from crawler.errors import UrlError
from crawler.urls import request_url
from storage.frozen import frozen

AMP_CACHE_DOMAIN: Final = "cdn.ampproject.org"
MAX_LABEL_OCTETS: Final = 63  # octets of a label: RFC 1035, 2.3.4
SERVINGS: Final = frozenset({"c", "i", "v", "r", "wp"})


@frozen
class AmpCacheUrl:
    """What an AMP cache URL says: the page's own URL, how it is served, and by which cache."""

    url: str
    serving: str
    cache: str
    label: str


def cache_url(url: str, serving: str = "c", cache: str = AMP_CACHE_DOMAIN) -> str:
    """The cache's URL for a request URL; a fragment does not count, credentials are dropped."""
    scheme, _, after_scheme = url.partition("#")[0].partition("://")
    authority, slash, path = _split_authority(after_scheme)
    authority = authority.rpartition("@")[2]
    host = authority.partition(":")[0]
    secure = "s/" if scheme == "https" else ""
    return f"https://{cache_label(host)}.{cache}/{serving}/{secure}{authority}{slash}{path}"


def _split_authority(after_scheme: str) -> tuple[str, str, str]:
    """Authority, the mark that ends it, and what follows."""
    ends = [at for at in (after_scheme.find("/"), after_scheme.find("?")) if at >= 0]
    if not ends:
        return after_scheme, "", ""
    at = min(ends)
    path = after_scheme[at + 1 :]
    # A bare "/" says no more than nothing.
    return (
        (after_scheme[:at], after_scheme[at], path)
        if path or after_scheme[at] == "?"
        else (after_scheme[:at], "", "")
    )


def cache_label(host: str) -> str:
    """The label below the cache's domain that stands for a host."""
    return _readable_label(host) or _hashed_label(host)


def _readable_label(host: str) -> str | None:
    text = _to_unicode(host)
    # What already looks like an IDNA label without being one, or runs both ways, has no readable form.
    if "." not in text or text[2:4] == "--" or _runs_both_ways(text):
        return None
    text = text.lower().replace("-", "--").replace(".", "-")
    if text[2:4] == "--":
        text = f"0-{text}-0"
    ascii_label = text if text.isascii() else f"xn--{text.encode('punycode').decode()}"
    return ascii_label if len(ascii_label) <= MAX_LABEL_OCTETS else None


def _to_unicode(host: str) -> str:
    try:
        return idna.decode(host)
    except idna.IDNAError:
        return host


def _runs_both_ways(text: str) -> bool:
    """Whether letters of both directions meet, which RFC 5893 forbids in one label."""
    directions = {unicodedata.bidirectional(letter) for letter in text}
    return bool(directions & {"R", "AL"}) and "L" in directions


def _hashed_label(host: str) -> str:
    digest = hashlib.sha256(host.encode()).digest()
    return base64.b32encode(digest).decode().lower().rstrip("=")


def parse_cache_url(url: str, cache: str = AMP_CACHE_DOMAIN) -> AmpCacheUrl | None:
    """Take a cache URL apart again; None if it is none."""
    after_scheme = url.removeprefix("https://").removeprefix("http://")
    host, _, path = after_scheme.partition("/")
    serving, _, inner = path.partition("/")
    if not host.endswith(f".{cache}") or serving not in SERVINGS or not inner:
        return None
    scheme = "http"
    if inner.startswith("s/"):
        scheme, inner = "https", inner[2:]
    return AmpCacheUrl(f"{scheme}://{inner}", serving, cache, host.removesuffix(f".{cache}"))


def same_cache_url(first_url: str, second_url: str) -> bool:
    """Whether two cache URLs ask for the same: a trailing slash after the bare host says nothing."""
    return _comparable(first_url) == _comparable(second_url)


def _comparable(url: str) -> str:
    parsed_url = parse_cache_url(url)
    if parsed_url is None:
        return url
    page = _page_key(parsed_url.url)
    # amp-toolbox leaves the port out of the path, and records follow it: the label has none either.
    host_only = page.count("/") == 3 and page.endswith("/")  # noqa: PLR2004 - https://host/
    return f"{parsed_url.label}/{parsed_url.serving}/{page.rstrip('/') if host_only else page}"


def _page_key(url: str) -> str:
    """The URL of a page with its host in ASCII, however the path of a cache URL spells it, and no port."""
    scheme, _, after_scheme = url.partition("://")
    authority, mark, path = _split_authority(after_scheme)
    host = unquote(authority).partition(":")[0]
    try:
        return request_url(f"{scheme}://{host}{mark}{path}")
    except UrlError:
        return url
