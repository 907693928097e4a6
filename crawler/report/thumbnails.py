"""Small pictures for the pages: of what lies in the cache, if it can be had."""

from __future__ import annotations

from collections.abc import Callable

from crawler.pixels.thumbnail import thumbnail
from storage.cache import Store, name_of, open_store
from storage.errors import CacheError
from storage.model import Picture


def thumbnails(cache: str) -> Callable[[Picture], bytes | None]:
    """Make thumbnails from what `[images] cache` names; None for what is not there, or cannot be drawn."""
    opened: list[Store] = []

    def of(picture: Picture) -> bytes | None:
        if picture.digest is None:
            return None
        try:
            if not opened:
                opened.append(open_store(cache))
            return thumbnail(opened[0].read(name_of(picture.digest, picture.format)))
        except CacheError:
            return None  # a report without a picture is better than none

    return of
