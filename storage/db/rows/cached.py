"""The index of the image cache: its entries into rows, and back."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa

from storage.db.rows.read import to_size
from storage.db.rows.written import MAX_BIG_INTEGER, Cells, bounded, sides, storable_text, utc_text
from storage.model import CachedImage, Picture, ServedHeaders

SERVED_HEADERS: Final = (
    "etag",
    "last_modified",
    "cache_control",
    "age",
    "expires",
    "vary",
    "content_type",
    "date",
)
CACHED_COLUMNS: Final = (
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
    *SERVED_HEADERS,
    "stored_at",
    "confirmed_at",
)


def cached_row(entry: CachedImage) -> Cells:
    """A row of `cached`, in the order of CACHED."""
    picture, headers_served = entry.picture, entry.served
    header_texts = (getattr(headers_served, name) for name in SERVED_HEADERS)
    return (
        entry.target,
        picture.digest,
        bounded(picture.bytes, MAX_BIG_INTEGER),
        picture.format,
        *sides(picture.size),
        *sides(picture.stored),
        bounded(picture.orientation),
        bounded(picture.frames),
        picture.mode,
        entry.proof,
        storable_text(headers_served.url),
        *(text and storable_text(text) for text in header_texts),
        utc_text(entry.stored_at),
        utc_text(entry.confirmed_at),
    )


def to_cached(row: sa.RowMapping) -> CachedImage:
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
    served_headers = ServedHeaders(row["url"], **{name: row[name] for name in SERVED_HEADERS})
    return CachedImage(
        row["target_id"], picture, served_headers, row["proof"], row["stored_at"], row["confirmed_at"]
    )
