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
from functools import cache, lru_cache
from ipaddress import ip_address
from typing import Final, TypeAlias
from urllib.parse import unquote

from ada_url import URL, join_url, normalize_url
from publicsuffixlist import PublicSuffixList

from crawler.errors import InvalidUrl, UnsupportedScheme, UrlError

HTTP_BEGINNINGS: Final = ("http://", "https://")  # of every URL of these schemes, once it is parsed
MAX_URL_CHARACTERS: Final = 65_536  # characters; longer ones are no links but accidents
SCHEME_PATTERN: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*:")
ABSOLUTE_PATTERN: Final = re.compile(SCHEME_PATTERN.pattern + "//")
SECRET_PATTERN: Final = re.compile(r"([/\\]{2})(?:[^/\\?#@]*:.*|[^/\\?#]*)@", re.DOTALL)
MASK: Final = "***"
Login: TypeAlias = tuple[str, str]


@lru_cache(maxsize=1024)  # a run asks twice for each target, and the links of a record name few
def request_url(text: str, base: str | None = None) -> str:
    """The URL that is requested for a link's text; `base` is what relative ones stand on.

    Raises:
        InvalidUrl: no absolute URL can be made of it.
        UnsupportedScheme: it is not http or https.
    """
    text = text.strip()
    if text.startswith("//"):
        text = f"https:{text}"
    if len(text) > MAX_URL_CHARACTERS:
        raise InvalidUrl(f"{len(text)} characters are too many for a URL")
    return _asked(_parse(text, base))


def typed_url(text: str, base: str | None = None) -> str:
    """The request URL of a URL as a person types it; the text itself where it is no URL."""
    try:
        return request_url(text, base)
    except UrlError:
        return text


def _asked(url: str) -> str:
    """The part of a parsed URL that is sent: all but the fragment."""
    if not url.startswith(HTTP_BEGINNINGS):
        raise UnsupportedScheme(f"{url.partition(':')[0]}: is not http or https")
    return url.partition("#")[0]


def resolve(text: str, base: str) -> str:
    """The request URL that a Location header names, seen from the URL that sent it.

    Raises:
        InvalidUrl: it cannot be parsed, or is too long.
        UnsupportedScheme: it is not http or https.
    """
    url = _asked(_parse(text.strip(), base))
    if len(url) > MAX_URL_CHARACTERS:
        raise InvalidUrl(f"{len(url)} characters are too many for a URL")
    return url


def _parse(text: str, base: str | None) -> str:
    try:
        # A scheme alone makes no URL absolute: "http:path" stands on a base of the same scheme.
        if base is None or ABSOLUTE_PATTERN.match(text):
            return normalize_url(text)
        return join_url(base, text)
    except ValueError:
        raise InvalidUrl(_why(text, base)) from None


def _why(text: str, base: str | None) -> str:
    if not text:
        return "the URL is empty"
    if SCHEME_PATTERN.match(text) or base is not None:
        return "it cannot be parsed as a URL"
    if text.startswith(("/", ".")):
        return "a relative URL, and [records] base_url is not set"
    return "no scheme: write https:// before it"


def basic(login: Login) -> str:
    """The Authorization header for a user and a password (RFC 7617, in UTF-8)."""
    token = base64.b64encode(":".join(login).encode()).decode()
    return f"Basic {token}"


def without_credentials(url: str) -> tuple[str, Login | None]:
    """A URL without user and password, and the two, decoded; None where it has none."""
    if "@" not in url:
        return url, None
    parts = URL(url)
    user = parts.username
    password = parts.password
    if not user and not password:
        return url, None
    parts.username = parts.password = ""
    return parts.href, (unquote(user), unquote(password))


def masked(url: str) -> str:
    """A URL as it may be shown and stored: its user and password replaced by `***`."""
    if "@" not in url:
        return url
    try:
        bare, credentials = without_credentials(url)
    except ValueError:
        # No URL, so there is no telling where its secret would end.
        return SECRET_PATTERN.sub(rf"\1{MASK}@", url)
    return bare if credentials is None else bare.replace("//", f"//{MASK}@", 1)


@lru_cache(maxsize=4096)  # every layer of a request asks for it
def host_of(url: str) -> str:
    """The host of a request URL: ASCII, lower case, IPv6 without brackets."""
    authority = _authority(url.partition("://")[2])
    if authority.startswith("["):
        return authority[1:].partition("]")[0]
    return authority.partition(":")[0]


def _authority(text: str) -> str:
    """Host and port at the beginning of what follows `://`, without user and password."""
    authority = text.partition("/")[0]
    if "?" in authority or "#" in authority or "@" in authority:
        return re.split(r"[?#]", authority, maxsplit=1)[0].rpartition("@")[2]
    return authority


def path_of(url: str) -> str:
    """The path of a request URL, without query."""
    return "/" + re.split(r"[?#]", url.partition("://")[2], maxsplit=1)[0].partition("/")[2]


@lru_cache(maxsize=4096)  # asked several times a target
def origin_of(url: str) -> str:
    """Scheme, host and port of a request URL, which names no port that its scheme implies."""
    scheme, _, text = url.partition("://")
    return f"{scheme}://{_authority(text)}"


@cache
def _suffixes() -> PublicSuffixList:
    """The list of public suffixes, read (50 ms) by the first who asks."""
    return PublicSuffixList()


@lru_cache(maxsize=65_536)
def registrable(host: str) -> str:
    """The domain that was registered: bbc.co.uk of news.bbc.co.uk; an address is its own."""
    try:
        ip_address(host)
    except ValueError:
        return _suffixes().privatesuffix(host.rstrip(".")) or host
    return host


def is_public_suffix(host: str) -> bool:
    """Whether anybody may register a name below a host, as below co.uk or github.io."""
    return bool(_suffixes().publicsuffix(host) == host)


def lane_key(host: str, patterns: Sequence[str] = (), join: str = "domain") -> str:
    """What must be polite together: a pattern that fits, else domain or host."""
    for pattern in patterns:
        if fnmatchcase(host, pattern):
            return pattern
    return registrable(host) if join == "domain" else host
