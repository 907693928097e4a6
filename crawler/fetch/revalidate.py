"""Asking whether something has changed, instead of asking for it again (RFC 9110, 13; RFC 9111, 4.3)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from types import MappingProxyType
from typing import Final

from crawler.fetch.base import Answer, Request
from storage.model import Served

NOT_MODIFIED: Final = 304
CONDITIONS: Final = frozenset({"If-None-Match", "If-Modified-Since"})
LONGEST: Final = 1024  # characters of a header that are kept; a validator over that is not repeated
HEADERS: Final = MappingProxyType(
    {one.name: one.name.replace("_", "-").title() for one in fields(Served) if one.name != "url"}
)
# Each answer has its own: one that says nothing of them has none (RFC 9111, 3.2 keeps the others).
OF_THE_ANSWER: Final = frozenset({"age", "date"})


def conditions(served: Served) -> Mapping[str, str]:
    """The headers that ask for a body only if it is not the one that was served."""
    asked = {"If-None-Match": served.etag, "If-Modified-Since": served.last_modified}
    return {name: value for name, value in asked.items() if value}


def confirms(request: Request, answer: Answer) -> bool:
    """Whether an answer says that nothing has changed, to a request that asked for it."""
    return answer.status == NOT_MODIFIED and not CONDITIONS.isdisjoint(request.headers)


def served(answer: Answer) -> Served:
    """What was served beside the body of an answer."""
    return Served(answer.url, **_said(answer))


def confirmed(before: Served, answer: Answer) -> Served:
    """What was served, brought up to date by an answer without a body (RFC 9111, 3.2)."""
    said = _said(answer)
    kept = {name: value or getattr(before, name) for name, value in said.items() if name not in OF_THE_ANSWER}
    return Served(before.url, **kept, age=said["age"], date=said["date"])


def _said(answer: Answer) -> dict[str, str | None]:
    return {name: _kept(answer.headers.get(header)) for name, header in HEADERS.items()}


def _kept(value: str | None) -> str | None:
    """A header as it may be kept and sent again: aiohttp keeps raw bytes as surrogates."""
    if value is None or len(value) > LONGEST or not value.isprintable() or not value.isascii():
        return None
    return value
