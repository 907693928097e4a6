"""Walls against robots: the marks by which an answer is known as one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from crawler.data import table
from crawler.data.shapes import WallTable

# Where a wall between robots and people leaves its mark, and the marks, by header and by page.
WALL_STATUSES: Final = frozenset({202, 403, 405, 406, 429, 503})
WALLS: Final = table("walls", WallTable)["wall"]
WALL_HEADERS: Final = tuple(name for wall in WALLS for name in wall["headers"])
WALL_PAGES: Final = tuple(text.encode() for wall in WALLS for text in wall["pages"])


def walled(status: int, headers: Mapping[str, str], body: bytes) -> str | None:
    """The mark of a bot wall on an answer, or None."""
    if status not in WALL_STATUSES:
        return None
    mark = next((name for name in WALL_HEADERS if name in headers), None)
    if mark is not None:
        return f"header {mark}"
    page = next((text for text in WALL_PAGES if text in body), None)
    return None if page is None else f"challenge page ({page.decode()})"
