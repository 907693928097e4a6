"""Small pictures for the pages: of what lies in the cache, if it can be had."""

from __future__ import annotations

from collections.abc import Callable

from storage.errors import CacheError
from storage.image_cache import BlobStore, name_of, open_store
from storage.model import Picture


def thumbnails(cache: str) -> Callable[[Picture], bytes | None]:
    """Make thumbnails from what `[images] cache` names; None for what is not there, or cannot be drawn."""
    stores: list[BlobStore] = []

    def of(picture: Picture) -> bytes | None:
        if picture.digest is None:
            return None
        from crawler.images.thumbnail import thumbnail  # noqa: PLC0415 - Pillow, which few reports need

        try:
            if not stores:
                stores.append(open_store(cache))
            return thumbnail(stores[0].read(name_of(picture.digest, picture.format)))
        except CacheError:
            return None  # a report without a picture is better than none

    return of
