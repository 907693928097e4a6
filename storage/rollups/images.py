"""Pictures that changed or lie behind several URLs, noted once when a run ends: no page compares millions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

import sqlalchemy as sa

from storage.db import schema
from storage.db.rows import bits_apart
from storage.db.sql import Query, SqlColumn
from storage.db.statements import chunks
from storage.db.transactions import reading, writing

MIN_SHARED_URLS: Final = (
    3  # URLs with the same bytes that are several; as many paths make a picture a suspect
)
CHANGES_PER_STATEMENT: Final = 5000  # changes written in one statement


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
        hashes = _hashes(connection, {row[name] for row in rows for name in ("was", "digest")})
    for row in rows:
        was, now = hashes.get(row["was"]), hashes.get(row["digest"])
        row["differs"] = None if was is None or now is None else bits_apart(was, now)
    with writing(engine) as connection:
        connection.execute(sa.delete(table).where(table.c.run_id == run))
        for chunk in chunks(rows, CHANGES_PER_STATEMENT):
            connection.execute(sa.insert(table), chunk)
    return len(rows)


def _hashes(connection: sa.Connection, digests: Iterable[str]) -> dict[str, int]:
    """The bits of the looks of some pictures, of those that have one."""
    hashes, bits_by_digest = schema.look, dict[str, int]()
    for chunk in chunks(digests):
        rows = connection.execute(sa.select(hashes.c.digest, hashes.c.bits).where(hashes.c.digest.in_(chunk)))
        bits_by_digest.update((row.digest, row.bits) for row in rows)
    return bits_by_digest


def _changed(run: int) -> Query:
    """The pictures of a run whose bytes differ from those that were seen last before it."""
    image = schema.image.alias("now")
    was = _before(image, run).label("was")
    images = sa.select(image.c.run_id, image.c.target_id, was, image.c.digest)
    pairs = images.where(image.c.run_id == run, image.c.digest.is_not(None)).subquery()
    return sa.select(pairs).where(pairs.c.was != pairs.c.digest).order_by(pairs.c.target_id)


def _before(image: sa.FromClause, run: int) -> SqlColumn:
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
    shared_digests = (
        sa.select(digest, sa.func.count()).group_by(digest).having(sa.func.count() >= MIN_SHARED_URLS)
    )
    with reading(engine) as connection:
        current_rows, stored_rows = (
            set(map(tuple, connection.execute(query))) for query in (shared_digests, sa.select(table))
        )
    with writing(engine) as connection:
        for chunk in chunks(digest_value for digest_value, _ in stored_rows - current_rows):
            connection.execute(sa.delete(table).where(table.c.digest.in_(chunk)))
        for chunk in chunks(sorted(current_rows - stored_rows), CHANGES_PER_STATEMENT):
            connection.execute(
                sa.insert(table),
                [{"digest": digest_value, "targets": count} for digest_value, count in chunk],
            )
