"""Conditional requests: ask whether something has changed (RFC 9110, 13; RFC 9111, 4.3)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from types import MappingProxyType
from typing import Final

from multidict import MultiMapping

from crawler.fetch.base import Request, Response
from storage.model import ServedHeaders

NOT_MODIFIED_STATUS: Final = 304
CONDITIONS: Final = frozenset({"If-None-Match", "If-Modified-Since"})
MAX_VALIDATOR_CHARACTERS: Final = 1024  # of a header that are kept; a longer validator is not repeated
STORED_FIELDS: Final = tuple(field.name for field in fields(ServedHeaders) if field.name != "url")
SERVED_HEADER_NAMES: Final = MappingProxyType(
    {name: name.replace("_", "-").title() for name in STORED_FIELDS}
)
# Each answer has its own: one that says nothing of them has none (RFC 9111, 3.2 keeps the others).
LIST_HEADERS: Final = frozenset({"Cache-Control", "Vary", "Age"})
ANSWER_ONLY_FIELDS: Final = frozenset({"age", "date"})


def is_same_resource(headers: ServedHeaders, answer: Response) -> bool:
    """Whether an answer is about what was served before: a validator belongs to one URL.

    A signed URL changes its query each time; a strong ETag of the same host and path counts all the same.
    """
    if answer.url == headers.url:
        return True
    etag = headers.etag
    if not etag or etag.startswith("W/") or answer.headers.get("ETag", etag) != etag:
        return False
    return headers.url.partition("?")[0] == answer.url.partition("?")[0]


def conditional_headers(headers: ServedHeaders) -> Mapping[str, str]:
    """The headers that ask for a body only if it is not the one that was served."""
    values = {"If-None-Match": headers.etag, "If-Modified-Since": headers.last_modified}
    return {name: value for name, value in values.items() if value}


def is_not_modified(request: Request, answer: Response) -> bool:
    """Whether an answer says that nothing has changed, to a request that asked for it."""
    return answer.status == NOT_MODIFIED_STATUS and not CONDITIONS.isdisjoint(request.headers)


def served_headers(answer: Response) -> ServedHeaders:
    """What was served beside the body of an answer."""
    return ServedHeaders(answer.url, **_served_values(answer))


def updated_headers(before: ServedHeaders, answer: Response) -> ServedHeaders:
    """What was served, brought up to date by an answer without a body (RFC 9111, 3.2)."""
    values = _served_values(answer)
    merged_values = {
        name: value or getattr(before, name)
        for name, value in values.items()
        if name not in ANSWER_ONLY_FIELDS
    }
    return ServedHeaders(before.url, **merged_values, age=values["age"], date=values["date"])


def _served_values(answer: Response) -> dict[str, str | None]:
    names = SERVED_HEADER_NAMES.items()
    return {name: _storable(_field_value(answer.headers, header)) for name, header in names}


def _field_value(headers: Mapping[str, str], name: str) -> str | None:
    """The value of a field; several lines of one that is a list are one list (RFC 9110, 5.3)."""
    if name not in LIST_HEADERS or not isinstance(headers, MultiMapping):
        return headers.get(name)
    lines = headers.getall(name, [])
    return ", ".join(lines) if lines else None


def _storable(value: str | None) -> str | None:
    """A header as it may be kept and sent again: aiohttp keeps raw bytes as surrogates."""
    if value is None or len(value) > MAX_VALIDATOR_CHARACTERS:
        return None
    return value if value.isprintable() and value.isascii() else None
