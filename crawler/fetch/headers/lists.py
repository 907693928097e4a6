"""Fields that are lists: several lines of one are one list (RFC 9110, 5.3). Pure."""

from __future__ import annotations

from typing import Final

from multidict import CIMultiDict, CIMultiDictProxy

LIST_FIELDS: Final = (
    "Cache-Control",
    "Content-Encoding",
    "RateLimit",
    "Vary",
)


def joined_lists(headers: CIMultiDictProxy[str]) -> CIMultiDictProxy[str]:
    """Return headers in which each field that is a list stands once."""
    names = [name for name in LIST_FIELDS if len(headers.getall(name, ())) > 1]
    if not names:
        return headers
    joint_headers = CIMultiDict(headers)
    for name in names:
        joint_headers[name] = ", ".join(headers.getall(name))
    return CIMultiDictProxy(joint_headers)
