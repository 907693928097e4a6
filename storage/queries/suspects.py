"""Pictures that may stand for nothing: one behind many URLs, or beside very many different pages."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import sqlalchemy as sa

from storage import schema
from storage.cache import name_of
from storage.database import reading
from storage.model import Kind
from storage.pictures import PATHS
from storage.statements import chunks

PAGES: Final = 20  # different pages beside one URL; an article seldom has its picture from another


@dataclass(frozen=True, slots=True)
class Suspect:
    """One picture: its digest and the file below the cache (None if it is not kept), its URLs, and
    the most different pages that one of them stands beside.
    """

    digest: str | None
    file: str | None
    urls: tuple[str, ...]
    pages: int


def suspects(engine: sa.Engine) -> list[Suspect]:
    """The pictures that may be stand-ins, those with the most pages and URLs first.

    URLs that differ by their query alone count as one: that is one picture in several sizes.

    Raises:
        LedgerError: the database cannot be read.
    """
    with reading(engine) as connection:
        kept = _kept(connection)
        pages = _pages(connection)
        found = [_suspect(key, targets, pages) for key, targets in kept.items() if _many(targets, pages)]
        loose = set(pages) - {target for targets in kept.values() for target, _ in targets}
        found += [Suspect(None, None, (url,), pages[key]) for key, url in _urls(connection, loose).items()]
    return sorted(found, key=lambda one: (-one.pages, -len(one.urls), one.urls))


Key = tuple[str, str]
Targets = list[tuple[int, str]]


def _kept(connection: sa.Connection) -> dict[Key, Targets]:
    """The targets of every digest (and format) that records still name, by URL."""
    cached, target = schema.cached, schema.target
    query = sa.select(cached.c.digest, cached.c.format, target.c.id, target.c.url)
    query = query.join(target, target.c.id == cached.c.target_id).where(named()).order_by(target.c.url)
    found: dict[Key, Targets] = {}
    for digest, format_, key, url in connection.execute(query):
        found.setdefault((digest, format_), []).append((key, url))
    return found


def named() -> sa.ColumnElement[bool]:
    """Whether a record names a target."""
    link = schema.link
    return sa.exists().where((link.c.target_id == schema.target.c.id) & link.c.closed_run.is_(None))


def _pages(connection: sa.Connection) -> dict[int, int]:
    """How many different pages each image stands beside, for those with many."""
    link = schema.link
    page = sa.select(link.c.record_id, link.c.item, sa.func.min(link.c.target_id).label("page"))
    page = page.where(link.c.kind == Kind.WEB.value, link.c.closed_run.is_(None))
    items = page.group_by(link.c.record_id, link.c.item).subquery()
    count = sa.func.count(sa.distinct(items.c.page))
    same = (items.c.record_id == link.c.record_id) & (items.c.item == link.c.item)
    query = sa.select(link.c.target_id, count).join(items, same)
    query = query.where(link.c.kind == Kind.IMAGE.value, link.c.closed_run.is_(None))
    query = query.group_by(link.c.target_id).having(count >= PAGES)
    return {row[0]: row[1] for row in connection.execute(query)}


def _urls(connection: sa.Connection, keys: Iterable[int]) -> dict[int, str]:
    target = schema.target
    query = sa.select(target.c.id, target.c.url)
    found: dict[int, str] = {}
    for some in chunks(keys):
        found |= {row.id: row.url for row in connection.execute(query.where(target.c.id.in_(some)))}
    return found


def _many(targets: Targets, pages: dict[int, int]) -> bool:
    paths = {url.partition("?")[0] for _, url in targets}
    return len(paths) >= PATHS or any(key in pages for key, _ in targets)


def _suspect(key: Key, targets: Targets, pages: dict[int, int]) -> Suspect:
    digest, format_ = key
    most = max(pages.get(one, 0) for one, _ in targets)
    return Suspect(digest, name_of(digest, format_), tuple(url for _, url in targets), most)


def twins(engine: sa.Engine, digest: str, besides: int) -> list[str]:
    """The URLs of other targets whose kept picture has this digest, those that records name.

    Raises:
        LedgerError: the database cannot be read.
    """
    cached, target = schema.cached, schema.target
    query = sa.select(target.c.url).join(cached, cached.c.target_id == target.c.id)
    query = query.where(cached.c.digest == digest, target.c.id != besides, named())
    with reading(engine) as connection:
        return list(connection.execute(query.order_by(target.c.url)).scalars())
