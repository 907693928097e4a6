"""The index of the image cache: its entries into rows, and back."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa

from storage.model import Cached, Picture, Served
from storage.rows.read import to_size
from storage.rows.written import Cells, instant, plain, sides

HEADERS: Final = (
    "etag",
    "last_modified",
    "cache_control",
    "age",
    "expires",
    "vary",
    "content_type",
    "date",
)
CACHED: Final = (
    "target_id",
    "digest",
    "size",
    "format",
    "width",
    "height",
    "stored_width",
    "stored_height",
    "orientation",
    "frames",
    "mode",
    "proof",
    "url",
    *HEADERS,
    "stored_at",
    "confirmed_at",
)


def cached_row(entry: Cached) -> Cells:
    """A row of `cached`, in the order of CACHED."""
    picture, served = entry.picture, entry.served
    headers = (getattr(served, name) for name in HEADERS)
    return (
        entry.target,
        picture.digest,
        picture.bytes,
        picture.format,
        *sides(picture.size),
        *sides(picture.stored),
        picture.orientation,
        picture.frames,
        picture.mode,
        entry.proof,
        plain(served.url),
        *(text and plain(text) for text in headers),
        instant(entry.stored_at),
        instant(entry.confirmed_at),
    )


def to_cached(row: sa.RowMapping) -> Cached:
    """The entry that a row of `cached` keeps."""
    picture = Picture(
        to_size(row["width"], row["height"]),
        to_size(row["stored_width"], row["stored_height"]),
        row["format"],
        row["orientation"],
        row["frames"],
        row["mode"],
        row["size"],
        row["digest"],
    )
    served = Served(row["url"], **{name: row[name] for name in HEADERS})
    return Cached(row["target_id"], picture, served, row["proof"], row["stored_at"], row["confirmed_at"])
