"""URLs as text: what is requested, what is shown, and which lane it belongs to. Pure.

Parsing is WHATWG's (url.spec.whatwg.org), by ada. What a record says is requested byte-exact after
the percent-encoding that the standard prescribes: an existing escape, a query, a trailing slash
are never touched, since a server may tell any two spellings apart.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence
from fnmatch import fnmatchcase
from functools import lru_cache
from ipaddress import ip_address
from typing import Final, TypeAlias
from urllib.parse import unquote

from ada_url import URL
from publicsuffixlist import PublicSuffixList

from crawler.errors import InvalidUrl, UnsupportedScheme

SCHEMES: Final = frozenset({"http:", "https:"})
LONGEST: Final = 65_536  # characters; longer ones are no links but accidents
SCHEME: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*:")
ABSOLUTE: Final = re.compile(SCHEME.pattern + "//")
SECRET: Final = re.compile(r"([/\\]{2})(?:[^/\\?#@]*:.*|[^/\\?#]*)@", re.DOTALL)
MASK: Final = "***"
Login: TypeAlias = tuple[str, str]
_suffixes: Final = PublicSuffixList()


def request_url(text: str, base: str | None = None) -> str:
    """The URL that is requested for a link's text; `base` is what relative ones stand on.

    Raises:
        InvalidUrl: no absolute URL can be made of it.
        UnsupportedScheme: it is not http or https.
    """
    text = text.strip()
    if text.startswith("//"):
        text = f"https:{text}"
    if len(text) > LONGEST:
        raise InvalidUrl(f"{len(text)} characters are too many for a URL")
    return _asked(_parse(text, base))


def _asked(url: URL) -> str:
    """The part of a URL that is sent: all but the fragment."""
    if url.protocol not in SCHEMES:
        raise UnsupportedScheme(f"{url.protocol} is not http or https")
    url.hash = ""
    return url.href.removesuffix("#")


def resolve(text: str, base: str) -> str:
    """The request URL that a Location header names, seen from the URL that sent it.

    Raises:
        InvalidUrl: it cannot be parsed, or is too long.
        UnsupportedScheme: it is not http or https.
    """
    url = _asked(_parse(text.strip(), base))
    if len(url) > LONGEST:
        raise InvalidUrl(f"{len(url)} characters are too many for a URL")
    return url


def _parse(text: str, base: str | None) -> URL:
    try:
        # A scheme alone makes no URL absolute: "http:path" stands on a base of the same scheme.
        return URL(text) if base is None or ABSOLUTE.match(text) else URL(text, base)
    except ValueError:
        raise InvalidUrl(_why(text, base)) from None


def _why(text: str, base: str | None) -> str:
    if not text:
        return "the URL is empty"
    if SCHEME.match(text) or base is not None:
        return "it cannot be parsed as a URL"
    if text.startswith(("/", ".")):
        return "a relative URL, and [records] base_url is not set"
    return "no scheme: write https:// before it"


@lru_cache(maxsize=4096)
def _parsed(url: str) -> URL:
    return URL(url)


def basic(login: Login) -> str:
    """The Authorization header for a user and a password (RFC 7617, in UTF-8)."""
    token = base64.b64encode(":".join(login).encode()).decode()
    return f"Basic {token}"


def without_credentials(url: str) -> tuple[str, Login | None]:
    """A URL without user and password, and the two, decoded; None where it has none."""
    if "@" not in url:
        return url, None
    parsed = URL(url)
    user, password = parsed.username, parsed.password
    if not user and not password:
        return url, None
    parsed.username = parsed.password = ""
    return parsed.href, (unquote(user), unquote(password))


def masked(url: str) -> str:
    """A URL as it may be shown and stored: its user and password replaced by `***`."""
    if "@" not in url:
        return url
    try:
        bare, credentials = without_credentials(url)
    except ValueError:
        # No URL, so nobody knows where its secret would end.
        return SECRET.sub(rf"\1{MASK}@", url)
    return bare if credentials is None else bare.replace("//", f"//{MASK}@", 1)


@lru_cache(maxsize=4096)  # every layer of a request asks for it
def host_of(url: str) -> str:
    """The host of a request URL: ASCII, lower case, IPv6 without brackets."""
    authority = _authority(url.partition("://")[2])
    if authority.startswith("["):
        return authority[1:].partition("]")[0]
    return authority.partition(":")[0]


def _authority(rest: str) -> str:
    """Host and port at the beginning of what follows `://`, without user and password."""
    authority = rest.partition("/")[0]
    if "?" in authority or "#" in authority or "@" in authority:
        return re.split(r"[?#]", authority, maxsplit=1)[0].rpartition("@")[2]
    return authority


def origin_of(url: str) -> str:
    """Scheme, host and port of a request URL, which names no port that its scheme implies."""
    scheme, _, rest = url.partition("://")
    return f"{scheme}://{_authority(rest)}"


@lru_cache(maxsize=65_536)
def registrable(host: str) -> str:
    """The domain that somebody registered: bbc.co.uk of news.bbc.co.uk; an address is its own."""
    try:
        ip_address(host)
    except ValueError:
        return _suffixes.privatesuffix(host.rstrip(".")) or host
    return host


def lane_key(host: str, joined: Sequence[str] = (), join: str = "domain") -> str:
    """What must be polite together: a pattern of `joined` that fits, else domain or host."""
    for pattern in joined:
        if fnmatchcase(host, pattern):
            return pattern
    return registrable(host) if join == "domain" else host
