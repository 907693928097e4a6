"""Which database a cache belongs to: two that share one folder would remove each other's files.

The index of a cache is in its database. What that does not name looks like nobody's file to `gc`.
"""

from __future__ import annotations

import os
from pathlib import Path

import sqlalchemy as sa

from storage.errors import CacheError
from storage.image_cache.folder_store import OWNER_FILE
from storage.image_cache.store import BlobStore


def claim(blobs: BlobStore, engine: sa.Engine) -> None:
    """Write into an empty cache which database it belongs to; see that it belongs to this one.

    Raises:
        CacheError: it belongs to another database, or cannot be read or written.
    """
    owner = _owner_of(engine.url, blobs.where(""))
    present = blobs.owner()
    if present is None:
        blobs.set_owner(owner)
    elif present != owner:
        raise CacheError(
            f"{blobs.where('')}: this cache belongs to the database {present}, not to {owner}: two databases "
            "would remove each other's images. Name another folder in [images] cache, or remove "
            f"{OWNER_FILE} there if the database has moved"
        )


def _owner_of(url: sa.URL, root: str) -> str:
    """A name of the database without credentials; a file by its way from the cache, so that both may move."""
    if url.database is None or url.get_backend_name() != "sqlite":
        return f"{url.get_backend_name()}://{url.host or ''}:{url.port or ''}/{url.database or ''}"
    path = Path(url.database).resolve()
    return str(path) if "://" in root else os.path.relpath(path, Path(root).resolve())
