"""The data file of single hosts: which refuse HEAD, what their walls answer, which are one lane. Pure."""

from __future__ import annotations

from fnmatch import fnmatchcase
from functools import lru_cache
from typing import Final

from crawler.data import table
from crawler.data.shapes import HostTable
from storage.frozen import frozen


@frozen
class HostQuirks:
    """What is known of a host: whether HEAD can be asked, statuses of its wall, and its lane, if named."""

    head: bool = True
    wall: frozenset[int] = frozenset()
    lane: str | None = None


NO_QUIRKS: Final = HostQuirks()
QUIRK_RULES: Final = tuple(
    (
        tuple(rule["hosts"]),
        HostQuirks(rule.get("head", True), frozenset(rule.get("wall", ())), rule.get("lane")),
    )
    for rule in table("hosts", HostTable)["rule"]
)


@lru_cache(maxsize=65_536)
def quirks_of(host: str) -> HostQuirks:
    """What the first rule that names a host says of it."""
    return next(
        (quirks for hosts, quirks in QUIRK_RULES if any(fnmatchcase(host, pattern) for pattern in hosts)),
        NO_QUIRKS,
    )
