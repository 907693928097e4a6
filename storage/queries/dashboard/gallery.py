"""Pictures for a gallery: of a wrong size, stand-ins, one behind many URLs, and those that changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import sqlalchemy as sa

from storage.db import schema
from storage.db.predicates import newest_finding, open_link
from storage.db.rows import picture_columns, to_picture
from storage.db.rows.read import to_size
from storage.db.sql import SqlColumn
from storage.db.transactions import reading
from storage.frozen import frozen
from storage.model import Declared, LinkIssue, Picture, Verdict
from storage.queries.dashboard.gallery_sections import (
    QUERY_OF_SECTION,
    ChangedImage,
    GalleryRow,
    GallerySection,
)
from storage.queries.dashboard.targets import MAX_COUNTED_LINKS, LinkPlace


@frozen
class GalleryImage:
    """One picture of a gallery, by the target that shows it.

    `links` name the target, or have the `issue` where there is one (it stops at 1,000); `place` is the
    first of them, and `declared` what that one says. `picture` is what the newest check found, `digest`
    ("sha256:...") and `format` are those of what the cache keeps. `urls` are the first that have the
    same picture, `behind` how many do.
    """

    target: int
    url: str
    verdict: Verdict
    picture: Picture | None
    digest: str | None
    format: str | None
    links: int
    place: LinkPlace | None
    issue: LinkIssue | None = None
    declared: Declared | None = None
    urls: tuple[str, ...] = ()
    behind: int = 0
    change: ChangedImage | None = None


@frozen
class GalleryPage:
    """A part of a gallery: `total` pictures fit; `more`, if others were not looked at."""

    total: int
    more: bool
    images: list[GalleryImage]


def gallery(
    engine: sa.Engine, section: GallerySection, *, search: str = "", limit: int, skip: int = 0
) -> GalleryPage:
    """A part of the pictures of a section whose URL has `search` in it, whatever its case.

    Raises:
        LedgerError: the database cannot be read.
    """
    with reading(engine) as connection:
        beyond, rows = QUERY_OF_SECTION[section](connection, section, search)
        part = rows[skip : skip + limit]
        return GalleryPage(len(rows), beyond, _exhibits(connection, part))


def _exhibits(connection: sa.Connection, images: Sequence[GalleryRow]) -> list[GalleryImage]:
    """All that a page shows of these pictures."""
    target, image, cached = schema.target, schema.image, schema.cached
    cache_columns = [cached.c[name].label(f"kept_{name}") for name in ("digest", "format", "width", "height")]
    query = sa.select(target.c.id, target.c.url, target.c.verdict, *picture_columns(), *cache_columns)
    query = query.join(image, newest_finding(image), isouter=True).join(
        cached, cached.c.target_id == target.c.id, isouter=True
    )
    query = query.where(target.c.id.in_({gallery_row.target for gallery_row in images}))
    rows = {row["id"]: row for row in connection.execute(query).mappings()}
    return [_exhibit(connection, rows[gallery_row.target], gallery_row) for gallery_row in images]


def _exhibit(connection: sa.Connection, row: sa.RowMapping, gallery_row: GalleryRow) -> GalleryImage:
    first, links = gallery_row.link, gallery_row.links
    if first is None:
        first, links = _named(connection, gallery_row.target)
    place, declared = _place(connection, first)
    return GalleryImage(
        gallery_row.target,
        row["url"],
        Verdict(row["verdict"] or Verdict.NOT_REACHED),
        _picture(row),
        row["kept_digest"],
        row["kept_format"],
        min(links, MAX_COUNTED_LINKS),
        place,
        gallery_row.issue,
        declared if gallery_row.issue else None,
        gallery_row.urls,
        gallery_row.behind,
        gallery_row.change,
    )


def _picture(row: sa.RowMapping) -> Picture | None:
    """What the newest check found, or what the cache keeps where that found no picture."""
    size = to_size(row["kept_width"], row["kept_height"])
    cache_picture = Picture(size, size, row["kept_format"]) if row["kept_format"] else None
    newest = to_picture(row)
    return replace(newest, size=size) if newest and newest.size is None else newest or cache_picture


def _named(connection: sa.Connection, target: int) -> tuple[int | None, int]:
    """The first link that names a target, and how many do."""
    link = schema.link
    naming = sa.select(link.c.id).where(link.c.target_id == target, open_link())
    sample = naming.order_by(link.c.id).limit(MAX_COUNTED_LINKS).subquery()
    first, links = connection.execute(sa.select(sa.func.min(sample.c.id), sa.func.count(sample.c.id))).one()
    return first, links


def _place(connection: sa.Connection, key: int | None) -> tuple[LinkPlace | None, Declared | None]:
    """Where a link stands, and what it declares of an image."""
    link, record = schema.link, schema.record
    columns: tuple[SqlColumn, ...] = (link.c.line, link.c.column, link.c.field, link.c.declared)
    query = sa.select(record.c.path, record.c.number, *columns).join(link, link.c.record_id == record.c.id)
    row = connection.execute(query.where(link.c.id == key)).one_or_none()
    if row is None:
        return None, None
    json = row.declared
    declared = None if json is None else Declared(json["width"], json["height"], json["cached"])
    return LinkPlace(*row[:5]), declared
