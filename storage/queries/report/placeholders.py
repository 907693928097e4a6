"""Pictures that may stand for nothing: one behind many URLs, or beside very many different pages."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import sqlalchemy as sa

from storage.db import schema
from storage.db.predicates import open_link
from storage.db.statements import chunks
from storage.db.transactions import reading
from storage.frozen import frozen
from storage.image_cache import name_of
from storage.model import Kind
from storage.rollups.images import MIN_SHARED_URLS

MIN_PAGES: Final = 20  # different pages beside one URL; an article seldom has its picture from another


@frozen
class SuspectedPlaceholder:
    """One picture: its digest and the file below the cache (None if it is not kept), its URLs, and
    the most different pages that one of them stands beside.
    """

    digest: str | None
    file: str | None
    urls: tuple[str, ...]
    pages: int


def suspected_placeholders(engine: sa.Engine) -> list[SuspectedPlaceholder]:
    """The pictures that may be stand-ins, those with the most pages and URLs first.

    URLs that differ by their query alone count as one: that is one picture in several sizes.

    Raises:
        LedgerError: the database cannot be read.
    """
    with reading(engine) as connection:
        targets_by_image = _cached_targets(connection)
        pages = _pages(connection)
        placeholders = [
            _suspect(key, targets, pages)
            for key, targets in targets_by_image.items()
            if _is_suspect(targets, pages)
        ]
        loose = set(pages) - {target for targets in targets_by_image.values() for target, _ in targets}
        placeholders += [
            SuspectedPlaceholder(None, None, (url,), pages[key])
            for key, url in _urls(connection, loose).items()
        ]
    return sorted(
        placeholders, key=lambda placeholder: (-placeholder.pages, -len(placeholder.urls), placeholder.urls)
    )


Key = tuple[str, str]
Targets = list[tuple[int, str]]


def _cached_targets(connection: sa.Connection) -> dict[Key, Targets]:
    """The targets of every digest (and format) that records still name, by URL."""
    cached, target = schema.cached, schema.target
    query = sa.select(cached.c.digest, cached.c.format, target.c.id, target.c.url)
    query = query.join(target, target.c.id == cached.c.target_id).where(is_named()).order_by(target.c.url)
    targets: dict[Key, Targets] = {}
    for digest, format_, key, url in connection.execute(query):
        targets.setdefault((digest, format_), []).append((key, url))
    return targets


def is_named() -> sa.ColumnElement[bool]:
    """Whether a record names a target."""
    link = schema.link
    return sa.exists().where((link.c.target_id == schema.target.c.id) & open_link())


def _pages(connection: sa.Connection) -> dict[int, int]:
    """How many different pages each image stands beside, for those with many."""
    link = schema.link
    page = sa.select(link.c.record_id, link.c.item, sa.func.min(link.c.target_id).label("page"))
    page = page.where(link.c.kind == Kind.WEB.value, open_link())
    items = page.group_by(link.c.record_id, link.c.item).subquery()
    count = sa.func.count(sa.distinct(items.c.page))
    same_item = (items.c.record_id == link.c.record_id) & (items.c.item == link.c.item)
    query = sa.select(link.c.target_id, count).join(items, same_item)
    query = query.where(link.c.kind == Kind.IMAGE.value, open_link())
    query = query.group_by(link.c.target_id).having(count >= MIN_PAGES)
    return {row[0]: row[1] for row in connection.execute(query)}


def _urls(connection: sa.Connection, keys: Iterable[int]) -> dict[int, str]:
    target = schema.target
    query = sa.select(target.c.id, target.c.url)
    urls: dict[int, str] = {}
    for batch in chunks(keys):
        urls |= {row.id: row.url for row in connection.execute(query.where(target.c.id.in_(batch)))}
    return urls


def _is_suspect(targets: Targets, pages: dict[int, int]) -> bool:
    paths = {url.partition("?")[0] for _, url in targets}
    return len(paths) >= MIN_SHARED_URLS or any(key in pages for key, _ in targets)


def _suspect(key: Key, targets: Targets, pages: dict[int, int]) -> SuspectedPlaceholder:
    digest, format_ = key
    max_pages = max(pages.get(target, 0) for target, _ in targets)
    return SuspectedPlaceholder(digest, name_of(digest, format_), tuple(url for _, url in targets), max_pages)


def same_image_urls(engine: sa.Engine, digest: str, besides: int) -> list[str]:
    """The URLs of other targets whose kept picture has this digest, those that records name.

    Raises:
        LedgerError: the database cannot be read.
    """
    cached, target = schema.cached, schema.target
    query = sa.select(target.c.url).join(cached, cached.c.target_id == target.c.id)
    query = query.where(cached.c.digest == digest, target.c.id != besides, is_named())
    with reading(engine) as connection:
        return list(connection.execute(query.order_by(target.c.url)).scalars())
