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
from dataclasses import dataclass
from typing import Final

import idna

CACHE: Final = "cdn.ampproject.org"
LONGEST: Final = 63  # octets of a label: RFC 1035, 2.3.4
SERVINGS: Final = frozenset({"c", "i", "v", "r", "wp"})


@dataclass(frozen=True, slots=True)
class Parts:
    """What an AMP cache URL says: the page's own URL, how it is served, and by which cache."""

    url: str
    serving: str
    cache: str
    label: str


def cache_url(url: str, serving: str = "c", cache: str = CACHE) -> str:
    """The cache's URL for a request URL; a fragment does not count, credentials are dropped."""
    scheme, _, rest = url.partition("#")[0].partition("://")
    authority, slash, path = _split(rest)
    authority = authority.rpartition("@")[2]
    host = authority.partition(":")[0]
    secure = "s/" if scheme == "https" else ""
    return f"https://{label(host)}.{cache}/{serving}/{secure}{authority}{slash}{path}"


def _split(rest: str) -> tuple[str, str, str]:
    """Authority, the mark that ends it, and what follows."""
    ends = [at for at in (rest.find("/"), rest.find("?")) if at >= 0]
    if not ends:
        return rest, "", ""
    at = min(ends)
    path = rest[at + 1 :]
    # A bare "/" says no more than nothing.
    return (rest[:at], rest[at], path) if path or rest[at] == "?" else (rest[:at], "", "")


def label(host: str) -> str:
    """The label below the cache's domain that stands for a host."""
    return _readable(host) or _hashed(host)


def _readable(host: str) -> str | None:
    text = _to_unicode(host)
    # What already looks like an IDNA label without being one, or runs both ways, has no readable form.
    if "." not in text or text[2:4] == "--" or _runs_both_ways(text):
        return None
    text = text.lower().replace("-", "--").replace(".", "-")
    if text[2:4] == "--":
        text = f"0-{text}-0"
    found = text if text.isascii() else f"xn--{text.encode('punycode').decode()}"
    return found if len(found) <= LONGEST else None


def _to_unicode(host: str) -> str:
    try:
        return idna.decode(host)
    except idna.IDNAError:
        return host


def _runs_both_ways(text: str) -> bool:
    """Whether letters of both directions meet, which RFC 5893 forbids in one label."""
    directions = {unicodedata.bidirectional(letter) for letter in text}
    return bool(directions & {"R", "AL"}) and "L" in directions


def _hashed(host: str) -> str:
    digest = hashlib.sha256(host.encode()).digest()
    return base64.b32encode(digest).decode().lower().rstrip("=")


def parts(url: str, cache: str = CACHE) -> Parts | None:
    """Take a cache URL apart again; None if it is none."""
    rest = url.removeprefix("https://").removeprefix("http://")
    host, _, path = rest.partition("/")
    serving, _, inner = path.partition("/")
    if not host.endswith(f".{cache}") or serving not in SERVINGS or not inner:
        return None
    scheme = "http"
    if inner.startswith("s/"):
        scheme, inner = "https", inner[2:]
    return Parts(f"{scheme}://{inner}", serving, cache, host.removesuffix(f".{cache}"))


def same_url(one: str, other: str) -> bool:
    """Whether two cache URLs ask for the same: a trailing slash after the bare host says nothing."""
    return _comparable(one) == _comparable(other)


def _comparable(url: str) -> str:
    found = parts(url)
    if found is None:
        return url
    host_only = found.url.count("/") == 3 and found.url.endswith("/")  # noqa: PLR2004 - https://host/
    return f"{found.label}/{found.serving}/{found.url.rstrip('/') if host_only else found.url}"
