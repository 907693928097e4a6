"""Pictures for a gallery: of a wrong size, stand-ins, one behind many URLs, and those that changed.

Every list is cut by the database. Of the links with an issue, and of the URLs behind one picture, the
first thousands are looked at, as in `storage.queries.targets`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Final

import sqlalchemy as sa

from storage import schema
from storage.database import reading
from storage.model import Declared, Issue, Kind, LinkIssue, Picture, Verdict
from storage.pictures import PATHS
from storage.queries.targets import MOST, NAMED, Place
from storage.rows import picture_columns, to_picture
from storage.rows.read import to_size

LOOKED: Final = 15_000  # links with an issue that are looked at
URLS: Final = 5  # of a picture that are told


class Section(StrEnum):
    """What a gallery shows: a wrong size of any kind or of one, stand-ins, or what changed."""

    MISMATCHES = "mismatches"
    SIZE_MISMATCH = "size-mismatch"
    SIZE_ROTATED = "size-rotated"
    SIZE_SCALED = "size-scaled"
    DECLARED_INVALID = "declared-invalid"
    PLACEHOLDER = "placeholder"
    SUSPECT = "suspect"
    CHANGED = "changed"


ISSUES: Final = {one: (Issue(one.value),) for one in Section if one.value in {issue.value for issue in Issue}}
WRONG: Final[Mapping[Section, tuple[Issue, ...]]] = {
    Section.MISMATCHES: tuple(issue for one in ISSUES.values() for issue in one),
    **ISSUES,
}


@dataclass(frozen=True, slots=True)
class Repainted:
    """A picture that changed: the run that found it, and both digests ("sha256:...")."""

    run: int
    was: str
    now: str


@dataclass(frozen=True, slots=True)
class Exhibit:
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
    place: Place | None
    issue: LinkIssue | None = None
    declared: Declared | None = None
    urls: tuple[str, ...] = ()
    behind: int = 0
    change: Repainted | None = None


@dataclass(frozen=True, slots=True)
class Gallery:
    """A part of a gallery: `total` pictures fit; `more`, if others were not looked at."""

    total: int
    more: bool
    exhibits: list[Exhibit]


@dataclass(frozen=True, slots=True)
class _Found:
    """One picture before all is known of it; `link` is the first that has the issue."""

    target: int
    link: int | None = None
    links: int = 0
    issue: LinkIssue | None = None
    urls: tuple[str, ...] = ()
    behind: int = 0
    change: Repainted | None = None


_Looked = tuple[bool, list[_Found]]  # whether there are more, and what was found


def gallery(engine: sa.Engine, section: Section, *, search: str = "", most: int, skip: int = 0) -> Gallery:
    """A part of the pictures of a section whose URL has `search` in it, whatever its case.

    Raises:
        LedgerError: the database cannot be read.
    """
    with reading(engine) as connection:
        more, found = LISTS[section](connection, section, search)
        part = found[skip : skip + most]
        return Gallery(len(found), more, _exhibits(connection, part))


def _mismatches(connection: sa.Connection, section: Section, search: str) -> _Looked:
    """The targets with links that declare another size, once for each size that is declared."""
    issue, link, target = schema.link_issue, schema.link, schema.target
    some = sa.select(issue).where(issue.c.issue.in_([one.value for one in WRONG[section]]))
    wrong = some.order_by(issue.c.issue, issue.c.id).limit(LOOKED + 1).subquery()
    said = (wrong.c.issue, wrong.c.expected, wrong.c.actual)
    query = sa.select(link.c.target_id, sa.func.min(link.c.id), sa.func.count(), *said)
    query = query.join(wrong, wrong.c.link_id == link.c.id).where(link.c.closed_run.is_(None))
    if search:
        query = query.join(target, target.c.id == link.c.target_id).where(_has(search))
    query = query.group_by(link.c.target_id, *said).order_by(
        wrong.c.issue, link.c.target_id, sa.func.min(link.c.id)
    )
    found = [
        _Found(key, first, links, LinkIssue(Issue(word), expected, actual))
        for key, first, links, word, expected, actual in connection.execute(query)
    ]
    looked = connection.execute(sa.select(sa.func.count()).select_from(wrong)).scalar_one()
    return looked > LOOKED, found


def _placeholders(connection: sa.Connection, _: Section, search: str) -> _Looked:
    """The images that the newest check took for stand-ins."""
    target = schema.target
    query = sa.select(target.c.id).where(target.c.verdict == Verdict.PLACEHOLDER.value)
    query = query.where(target.c.kind == Kind.IMAGE.value, *([_has(search)] if search else ()))
    keys = list(connection.execute(query.order_by(target.c.id).limit(MOST + 1)).scalars())
    return len(keys) > MOST, [_Found(key) for key in keys[:MOST]]


def _suspects(connection: sa.Connection, _: Section, search: str) -> _Looked:
    """The pictures behind so many URLs of different paths that they may stand for nothing, the most first."""
    cached, target, shared = schema.cached, schema.target, schema.image_shared
    many = sa.select(shared.c.digest).order_by(shared.c.targets.desc(), shared.c.digest).limit(MOST)
    query = sa.select(cached.c.digest, target.c.id, target.c.url).where(cached.c.digest.in_(many))
    query = query.join(target, target.c.id == cached.c.target_id).where(target.c.kind.is_not(None))
    rows = connection.execute(query.order_by(cached.c.digest, target.c.id).limit(MOST + 1)).all()
    groups: dict[str, dict[int, str]] = {}
    for digest, key, url in rows[:MOST]:
        groups.setdefault(digest, {})[key] = url
    told = [
        _Found(next(iter(one)), urls=tuple(one.values())[:URLS], behind=len(one))
        for one in _fit(groups, search)
    ]
    return len(rows) > MOST, sorted(told, key=lambda one: (-one.behind, one.target))


def _fit(groups: Mapping[str, Mapping[int, str]], search: str) -> list[Mapping[int, str]]:
    """The groups of URLs that differ by more than their queries, and have what is searched in one of them."""
    part = search.casefold()
    return [
        urls
        for urls in groups.values()
        if len({url.partition("?")[0] for url in urls.values()}) >= PATHS
        and any(part in url.casefold() for url in urls.values())
    ]


def _repainted(connection: sa.Connection, _: Section, search: str) -> _Looked:
    """The pictures that changed, the newest change of each, the newest run first."""
    change, target = schema.image_change, schema.target
    query = sa.select(change.c.target_id, change.c.run_id, change.c.was, change.c.digest)
    query = query.join(target, target.c.id == change.c.target_id).where(target.c.kind.is_not(None))
    if search:
        query = query.where(_has(search))
    query = query.order_by(change.c.run_id.desc(), change.c.target_id.desc()).limit(MOST + 1)
    found: dict[int, _Found] = {}
    rows = connection.execute(query).all()
    for key, run, was, digest in rows[:MOST]:
        found.setdefault(key, _Found(key, change=Repainted(run, was, digest)))
    return len(rows) > MOST, list(found.values())


def _has(search: str) -> sa.ColumnElement[bool]:
    return schema.target.c.url.icontains(search, autoescape=True)


LISTS: Final[Mapping[Section, Callable[[sa.Connection, Section, str], _Looked]]] = {
    **dict.fromkeys(WRONG, _mismatches),
    Section.PLACEHOLDER: _placeholders,
    Section.SUSPECT: _suspects,
    Section.CHANGED: _repainted,
}


def _exhibits(connection: sa.Connection, found: Sequence[_Found]) -> list[Exhibit]:
    """All that a page shows of these pictures."""
    target, image, cached = schema.target, schema.image, schema.cached
    newest = (image.c.run_id == target.c.last_run) & (image.c.target_id == target.c.id)
    kept = [cached.c[name].label(f"kept_{name}") for name in ("digest", "format", "width", "height")]
    query = sa.select(target.c.id, target.c.url, target.c.verdict, *picture_columns(), *kept)
    query = query.join(image, newest, isouter=True).join(
        cached, cached.c.target_id == target.c.id, isouter=True
    )
    query = query.where(target.c.id.in_({one.target for one in found}))
    rows = {row["id"]: row for row in connection.execute(query).mappings()}
    return [_exhibit(connection, rows[one.target], one) for one in found]


def _exhibit(connection: sa.Connection, row: sa.RowMapping, found: _Found) -> Exhibit:
    first, links = found.link, found.links
    if first is None:
        first, links = _named(connection, found.target)
    place, declared = _place(connection, first)
    return Exhibit(
        found.target,
        row["url"],
        Verdict(row["verdict"] or Verdict.NOT_REACHED),
        _picture(row),
        row["kept_digest"],
        row["kept_format"],
        min(links, NAMED),
        place,
        found.issue,
        declared if found.issue else None,
        found.urls,
        found.behind,
        found.change,
    )


def _picture(row: sa.RowMapping) -> Picture | None:
    """What the newest check found, or what the cache keeps where that found no picture."""
    size = to_size(row["kept_width"], row["kept_height"])
    kept = Picture(size, size, row["kept_format"]) if row["kept_format"] else None
    found = to_picture(row)
    return replace(found, size=size) if found and found.size is None else found or kept


def _named(connection: sa.Connection, target: int) -> tuple[int | None, int]:
    """The first link that names a target, and how many do."""
    link = schema.link
    some = sa.select(link.c.id).where(link.c.target_id == target, link.c.closed_run.is_(None))
    some_links = some.order_by(link.c.id).limit(NAMED).subquery()
    first, links = connection.execute(
        sa.select(sa.func.min(some_links.c.id), sa.func.count(some_links.c.id))
    ).one()
    return first, links


def _place(connection: sa.Connection, key: int | None) -> tuple[Place | None, Declared | None]:
    """Where a link stands, and what it declares of an image."""
    link, record = schema.link, schema.record
    own: tuple[sa.ColumnElement[Any], ...] = (link.c.line, link.c.column, link.c.field, link.c.declared)
    query = sa.select(record.c.path, record.c.number, *own).join(link, link.c.record_id == record.c.id)
    row = connection.execute(query.where(link.c.id == key)).one_or_none()
    if row is None:
        return None, None
    said = row.declared
    declared = None if said is None else Declared(said["width"], said["height"], said["cached"])
    return Place(*row[:5]), declared
