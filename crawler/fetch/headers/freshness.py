"""How long an answer may be used before its server is asked again (RFC 9111, 4.2). Pure.

A cache that a site serves from is a shared one: `s-maxage` goes before `max-age`. What an answer
may not be stored for is kept all the same, since to keep the picture is the task that a person gave;
it is never fresh, and so confirmed at each turn. What says nothing is fresh for a tenth of the time
in which it has not changed, at most for a day (4.2.2).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from crawler.fetch.headers.times import http_date, whole_number
from storage.frozen import frozen
from storage.model import CachedImage, ServedHeaders

DIRECTIVE_PATTERN: Final = re.compile(r'([\w-]+)\s*(?:=\s*(?:"([^"]*)"|([^\s,"]*)))?')
UNCACHEABLE_DIRECTIVES: Final = frozenset({"no-store", "no-cache", "private", "must-understand"})
EXPLICIT_DIRECTIVES: Final = UNCACHEABLE_DIRECTIVES | {"s-maxage", "max-age"}
HEURISTIC_SHARE: Final = 0.1
MAX_HEURISTIC: Final = timedelta(days=1)
MAX_DELTA_SECONDS: Final = 2**31  # RFC 9111, 1.2.2: what is larger counts as this
NO_TIME: Final = timedelta(0)


@frozen
class FreshnessBounds:
    """The least and the most time that an answer stays fresh, whatever its server says."""

    least: timedelta
    most: timedelta


def stale_at(entry: CachedImage, bounds: FreshnessBounds) -> datetime:
    """When an entry becomes stale (UTC)."""
    headers, at = entry.served, entry.confirmed_at
    remaining_lifetime = lifetime(headers) - _age(headers, at)
    if _says_nothing(headers):
        remaining_lifetime = _heuristic(entry)
    return at + max(bounds.least, min(remaining_lifetime, bounds.most))


def _says_nothing(headers: ServedHeaders) -> bool:
    """Whether an answer names neither a time nor a reason to be asked again."""
    directives = cache_directives_of(headers.cache_control or "").keys()
    return not directives & EXPLICIT_DIRECTIVES and not _varies_always(headers) and headers.expires is None


def _heuristic(entry: CachedImage) -> timedelta:
    """A tenth of the time in which an image has not changed, by its server or by what was seen of it."""
    at, last_change = entry.confirmed_at, http_date(entry.served.last_modified)
    time_in_cache = at - entry.stored_at
    constant_time = max(time_in_cache, at - last_change) if last_change else time_in_cache
    return max(NO_TIME, min(constant_time * HEURISTIC_SHARE, MAX_HEURISTIC))


def _varies_always(headers: ServedHeaders) -> bool:
    return "*" in [name.strip() for name in (headers.vary or "").split(",")]


def lifetime(headers: ServedHeaders) -> timedelta:
    """How long an answer is fresh from the time its server made it, by its own headers."""
    cache_directives = cache_directives_of(headers.cache_control or "")
    if UNCACHEABLE_DIRECTIVES & cache_directives.keys() or _varies_always(headers):
        return NO_TIME
    for name in ("s-maxage", "max-age"):
        if name in cache_directives:
            return _delta_seconds(cache_directives[name])
    date = http_date(headers.date)
    if headers.expires is not None:
        expires = http_date(headers.expires)
        return expires - date if expires and date else NO_TIME
    return NO_TIME


def cache_directives_of(header: str) -> Mapping[str, str]:
    """The directives of a Cache-Control header; of one that comes twice, the first counts (4.2.1)."""
    values: dict[str, str] = {}
    for name, quoted_value, token in DIRECTIVE_PATTERN.findall(header):
        values.setdefault(name.lower(), quoted_value or token)
    return values


def _age(headers: ServedHeaders, at: datetime) -> timedelta:
    """How old an answer was when it came (4.2.3): by its Age, and by its Date."""
    date = http_date(headers.date)
    apparent = max(NO_TIME, at - date) if date else NO_TIME
    # RFC 9111, 5.1: of several ages the first counts.
    return max(apparent, _delta_seconds((headers.age or "").partition(",")[0]))


def _delta_seconds(text: str) -> timedelta:
    """A number of seconds (1.2.2); what is none is none, so stale."""
    number = whole_number(text) if text.strip().isdigit() else None
    return NO_TIME if number is None else timedelta(seconds=min(number, MAX_DELTA_SECONDS))
