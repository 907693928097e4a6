"""What the data file says of single hosts: who refuses HEAD, what a wall answers, who is one lane. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import Final

from crawler.data import table


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a host: whether HEAD can be asked, statuses of its wall, and its lane, if named."""

    head: bool = True
    wall: frozenset[int] = frozenset()
    lane: str | None = None


NOTHING: Final = Known()
RULES: Final = tuple(
    (tuple(rule["hosts"]), Known(rule.get("head", True), frozenset(rule.get("wall", ())), rule.get("lane")))
    for rule in table("hosts")["rule"]
)


@lru_cache(maxsize=65_536)
def known(host: str) -> Known:
    """What the first rule that names a host says of it."""
    return next((said for hosts, said in RULES if any(fnmatchcase(host, one) for one in hosts)), NOTHING)
