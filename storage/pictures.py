"""Pictures that changed or lie behind several URLs, noted once when a run ends: no page compares millions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

import sqlalchemy as sa

from storage import schema
from storage.database import reading, writing
from storage.rows import apart
from storage.statements import chunks

PATHS: Final = 3  # URLs with the same bytes that are several; as many paths make a picture a suspect
ROWS: Final = 5000  # changes written in one statement


def note_changes(engine: sa.Engine, runs: Sequence[int]) -> int:
    """Note whose picture each of these runs kept with other bytes than were kept of it before.

    Returns how many changes were noted.

    Raises:
        LedgerError: the database cannot take it.
    """
    return sum(_note(engine, run) for run in runs)


def _note(engine: sa.Engine, run: int) -> int:
    table = schema.image_change
    with reading(engine) as connection:
        rows = [dict(row) for row in connection.execute(_changed(run)).mappings()]
        looks = _looks(connection, {row[name] for row in rows for name in ("was", "digest")})
    for row in rows:
        was, now = looks.get(row["was"]), looks.get(row["digest"])
        row["differs"] = None if was is None or now is None else apart(was, now)
    with writing(engine) as connection:
        connection.execute(sa.delete(table).where(table.c.run_id == run))
        for some in chunks(rows, ROWS):
            connection.execute(sa.insert(table), some)
    return len(rows)


def _looks(connection: sa.Connection, digests: Iterable[str]) -> dict[str, int]:
    """The bits of the looks of some pictures, of those that have one."""
    look, found = schema.look, dict[str, int]()
    for some in chunks(digests):
        rows = connection.execute(sa.select(look.c.digest, look.c.bits).where(look.c.digest.in_(some)))
        found.update((row.digest, row.bits) for row in rows)
    return found


def _changed(run: int) -> sa.Select[Any]:
    """The pictures of a run whose bytes differ from those that were seen last before it."""
    image = schema.image.alias("now")
    was = _before(image, run).label("was")
    kept = sa.select(image.c.run_id, image.c.target_id, was, image.c.digest)
    both = kept.where(image.c.run_id == run, image.c.digest.is_not(None)).subquery()
    return sa.select(both).where(both.c.was != both.c.digest).order_by(both.c.target_id)


def _before(image: sa.FromClause, run: int) -> sa.ScalarSelect[Any]:
    """The digest of the newest picture of the same target before a run."""
    finding, old = schema.finding, schema.image.alias("old")
    query = sa.select(old.c.digest).join(
        finding, (finding.c.target_id == old.c.target_id) & (finding.c.run_id == old.c.run_id)
    )
    query = query.where(finding.c.target_id == image.c.target_id, finding.c.run_id < run)
    query = query.where(old.c.digest.is_not(None)).order_by(finding.c.run_id.desc())
    return query.limit(1).correlate(image).scalar_subquery()


def note_shared(engine: sa.Engine) -> None:
    """Note anew which pictures of the cache lie behind several URLs.

    Raises:
        LedgerError: the database cannot take it.
    """
    table, digest = schema.image_shared, schema.cached.c.digest
    many = sa.select(digest, sa.func.count()).group_by(digest).having(sa.func.count() >= PATHS)
    with reading(engine) as connection:
        now, known = (set(map(tuple, connection.execute(query))) for query in (many, sa.select(table)))
    with writing(engine) as connection:
        for some in chunks(one for one, _ in known - now):
            connection.execute(sa.delete(table).where(table.c.digest.in_(some)))
        for some in chunks(sorted(now - known), ROWS):
            connection.execute(sa.insert(table), [{"digest": one, "targets": count} for one, count in some])
