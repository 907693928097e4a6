"""The sections of the gallery: which pictures each of them shows.

Every list is cut by the database. Of the links with an issue, and of the URLs behind one picture, the
first thousands are looked at, as in `storage.queries.dashboard.targets`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Final

import sqlalchemy as sa

from storage.db import schema
from storage.db.predicates import open_link
from storage.frozen import frozen
from storage.model import Issue, Kind, LinkIssue, Verdict
from storage.queries.dashboard.targets import MAX_LISTED_TARGETS
from storage.rollups.images import MIN_SHARED_URLS

MAX_WRONG_LINKS: Final = 15_000  # links with an issue that are looked at
URL_SAMPLES: Final = 5  # of a picture that are told


class GallerySection(StrEnum):
    """What a gallery shows: a wrong size of any kind or of one, stand-ins, or what changed."""

    MISMATCHES = "mismatches"
    SIZE_MISMATCH = "size-mismatch"
    SIZE_ROTATED = "size-rotated"
    SIZE_SCALED = "size-scaled"
    DECLARED_INVALID = "declared-invalid"
    PLACEHOLDER = "placeholder"
    SUSPECT = "suspect"
    CHANGED = "changed"


ISSUE_OF_SECTION: Final = {
    section: (Issue(section.value),)
    for section in GallerySection
    if section.value in {issue.value for issue in Issue}
}
ISSUES_OF_SECTION: Final[Mapping[GallerySection, tuple[Issue, ...]]] = {
    GallerySection.MISMATCHES: tuple(issue for issues in ISSUE_OF_SECTION.values() for issue in issues),
    **ISSUE_OF_SECTION,
}


@frozen
class ChangedImage:
    """A picture that changed: the run that found it, and both digests ("sha256:...")."""

    run: int
    was: str
    now: str


@frozen
class GalleryRow:
    """One picture before all is known of it; `link` is the first that has the issue."""

    target: int
    link: int | None = None
    links: int = 0
    issue: LinkIssue | None = None
    urls: tuple[str, ...] = ()
    behind: int = 0
    change: ChangedImage | None = None


_Section = tuple[bool, list[GalleryRow]]  # whether there are more, and the rows


def _mismatches(connection: sa.Connection, section: GallerySection, search: str) -> _Section:
    """The targets with links that declare another size, once for each size that is declared."""
    issue, link, target = schema.link_issue, schema.link, schema.target
    issues = sa.select(issue).where(issue.c.issue.in_([name.value for name in ISSUES_OF_SECTION[section]]))
    wrong = issues.order_by(issue.c.issue, issue.c.id).limit(MAX_WRONG_LINKS + 1).subquery()
    values = (wrong.c.issue, wrong.c.expected, wrong.c.actual)
    query = sa.select(link.c.target_id, sa.func.min(link.c.id), sa.func.count(), *values)
    query = query.join(wrong, wrong.c.link_id == link.c.id).where(open_link())
    if search:
        query = query.join(target, target.c.id == link.c.target_id).where(_has(search))
    query = query.group_by(link.c.target_id, *values).order_by(
        wrong.c.issue, link.c.target_id, sa.func.min(link.c.id)
    )
    rows = [
        GalleryRow(key, first, links, LinkIssue(Issue(word), expected, actual))
        for key, first, links, word, expected, actual in connection.execute(query)
    ]
    count = connection.execute(sa.select(sa.func.count()).select_from(wrong)).scalar_one()
    return count > MAX_WRONG_LINKS, rows


def _placeholders(connection: sa.Connection, _: GallerySection, search: str) -> _Section:
    """The images that the newest check took for stand-ins."""
    target = schema.target
    query = sa.select(target.c.id).where(target.c.verdict == Verdict.PLACEHOLDER.value)
    query = query.where(target.c.kind == Kind.IMAGE.value, *([_has(search)] if search else ()))
    keys = list(connection.execute(query.order_by(target.c.id).limit(MAX_LISTED_TARGETS + 1)).scalars())
    return len(keys) > MAX_LISTED_TARGETS, [GalleryRow(key) for key in keys[:MAX_LISTED_TARGETS]]


def _suspects(connection: sa.Connection, _: GallerySection, search: str) -> _Section:
    """The pictures behind so many URLs of different paths that they may stand for nothing, the most first."""
    cached, target, digests = schema.cached, schema.target, schema.image_shared
    most_shared = (
        sa.select(digests.c.digest)
        .order_by(digests.c.targets.desc(), digests.c.digest)
        .limit(MAX_LISTED_TARGETS)
    )
    query = sa.select(cached.c.digest, target.c.id, target.c.url).where(cached.c.digest.in_(most_shared))
    query = query.join(target, target.c.id == cached.c.target_id).where(target.c.kind.is_not(None))
    rows = connection.execute(
        query.order_by(cached.c.digest, target.c.id).limit(MAX_LISTED_TARGETS + 1)
    ).all()
    groups: dict[str, dict[int, str]] = {}
    for digest, key, url in rows[:MAX_LISTED_TARGETS]:
        groups.setdefault(digest, {})[key] = url
    images = [
        GalleryRow(next(iter(urls)), urls=tuple(urls.values())[:URL_SAMPLES], behind=len(urls))
        for urls in _fit(groups, search)
    ]
    return len(rows) > MAX_LISTED_TARGETS, sorted(images, key=lambda row: (-row.behind, row.target))


def _fit(groups: Mapping[str, Mapping[int, str]], search: str) -> list[Mapping[int, str]]:
    """The groups of URLs that differ by more than their queries, and have what is searched in one of them."""
    part = search.casefold()
    return [
        urls
        for urls in groups.values()
        if len({url.partition("?")[0] for url in urls.values()}) >= MIN_SHARED_URLS
        and any(part in url.casefold() for url in urls.values())
    ]


def _changes(connection: sa.Connection, _: GallerySection, search: str) -> _Section:
    """The pictures that changed, the newest change of each, the newest run first."""
    change, target = schema.image_change, schema.target
    query = sa.select(change.c.target_id, change.c.run_id, change.c.was, change.c.digest)
    query = query.join(target, target.c.id == change.c.target_id).where(target.c.kind.is_not(None))
    if search:
        query = query.where(_has(search))
    query = query.order_by(change.c.run_id.desc(), change.c.target_id.desc()).limit(MAX_LISTED_TARGETS + 1)
    images: dict[int, GalleryRow] = {}
    rows = connection.execute(query).all()
    for key, run, was, digest in rows[:MAX_LISTED_TARGETS]:
        images.setdefault(key, GalleryRow(key, change=ChangedImage(run, was, digest)))
    return len(rows) > MAX_LISTED_TARGETS, list(images.values())


def _has(search: str) -> sa.ColumnElement[bool]:
    return schema.target.c.url.icontains(search, autoescape=True)


QUERY_OF_SECTION: Final[Mapping[GallerySection, Callable[[sa.Connection, GallerySection, str], _Section]]] = {
    **dict.fromkeys(ISSUES_OF_SECTION, _mismatches),
    GallerySection.PLACEHOLDER: _placeholders,
    GallerySection.SUSPECT: _suspects,
    GallerySection.CHANGED: _changes,
}
