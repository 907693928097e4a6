"""How long an answer may be used before its server is asked again (RFC 9111, 4.2). Pure.

A cache that a site serves from is a shared one: `s-maxage` goes before `max-age`. What an answer
may not be stored for is kept all the same, since to keep the picture is the task that a person gave;
it is never fresh, and so confirmed at each turn. So is what says nothing: the heuristics of 4.2.2
would spare a request that costs no body, and miss a picture that changed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final

from storage.model import Cached, Served

DIRECTIVE: Final = re.compile(r'([\w-]+)\s*(?:=\s*(?:"([^"]*)"|([^\s,"]*)))?')
NEVER: Final = frozenset({"no-store", "no-cache", "private", "must-understand"})
MOST: Final = 2**31  # RFC 9111, 1.2.2: what is larger counts as this
NOTHING: Final = timedelta(0)


@dataclass(frozen=True, slots=True)
class Shelf:
    """The least and the most time that an answer stays fresh, whatever its server says."""

    least: timedelta
    most: timedelta


def stale_at(entry: Cached, shelf: Shelf) -> datetime:
    """When an entry becomes stale (UTC)."""
    served, at = entry.served, entry.confirmed_at
    left = lifetime(served) - _age(served, at)
    return at + max(shelf.least, min(left, shelf.most))


def lifetime(served: Served) -> timedelta:
    """How long an answer is fresh from the time its server made it, by its own headers."""
    said = directives(served.cache_control or "")
    if NEVER & said.keys() or (served.vary or "").strip() == "*":
        return NOTHING
    for name in ("s-maxage", "max-age"):
        if name in said:
            return _seconds(said[name])
    date = _date(served.date)
    if served.expires is not None:
        expires = _date(served.expires)
        return expires - date if expires and date else NOTHING
    return NOTHING


def directives(header: str) -> Mapping[str, str]:
    """The directives of a Cache-Control header; of one that comes twice, the first counts (4.2.1)."""
    found: dict[str, str] = {}
    for name, quoted, plain in DIRECTIVE.findall(header):
        found.setdefault(name.lower(), quoted or plain)
    return found


def _age(served: Served, at: datetime) -> timedelta:
    """How old an answer was when it came (4.2.3): by its Age, and by its Date."""
    date = _date(served.date)
    apparent = max(NOTHING, at - date) if date else NOTHING
    return max(apparent, _seconds(served.age or ""))


def _seconds(text: str) -> timedelta:
    """A number of seconds (1.2.2); what is none is none, so stale."""
    text = text.strip()
    return timedelta(seconds=min(int(text[:12]), MOST)) if text.isascii() and text.isdigit() else NOTHING


def _date(text: str | None) -> datetime | None:
    try:
        found = parsedate_to_datetime(text or "")
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
