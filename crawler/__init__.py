"""What moves: sockets, time, order, judgement, pages and command lines. `storage` is what is at rest.

For Python programs and notebooks there are `audit` and `findings`; docs/library.md shows them.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from crawler.api import audit, findings

__all__ = ["audit", "findings"]


def __getattr__(name: str) -> object:
    """Import the library when it is asked for: no room of the house needs it."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    member: object = getattr(import_module("crawler.api"), name)
    return member
