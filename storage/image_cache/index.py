"""The index of the cache: what is kept of each target. Rows are written by the ledger."""

from __future__ import annotations

from collections.abc import Iterable

import sqlalchemy as sa

from storage.db import schema
from storage.db.predicates import open_link
from storage.db.rows import to_cached
from storage.db.statements import chunks
from storage.db.transactions import reading, writing
from storage.model import CachedImage


def entries(engine: sa.Engine) -> dict[int, CachedImage]:
    """Every entry, by the id of its target; some 1.5 kB of memory each.

    Raises:
        LedgerError: the database cannot be read.
    """
    query = sa.select(schema.cached).order_by(schema.cached.c.target_id)
    with reading(engine) as connection:
        rows = connection.execute(query).mappings()
        return {row["target_id"]: to_cached(row) for row in rows}


def forget(engine: sa.Engine, targets: Iterable[int]) -> None:
    """Remove the entries of some targets; their files stay.

    Raises:
        LedgerError: the database cannot take it.
    """
    table = schema.cached
    with writing(engine) as connection:
        for ids in chunks(targets):
            connection.execute(sa.delete(table).where(table.c.target_id.in_(ids)))


def format_of(engine: sa.Engine, digest: str) -> str | None:
    """The format of what is kept under a digest ("sha256:..."); None if nothing is.

    Raises:
        LedgerError: the database cannot be read.
    """
    table = schema.cached
    query = sa.select(table.c.format).where(table.c.digest == digest).limit(1)
    with reading(engine) as connection:
        return connection.execute(query).scalar()


def named(engine: sa.Engine) -> dict[int, str]:
    """The URL of every target in the index that a record still names, by its id.

    Raises:
        LedgerError: the database cannot be read.
    """
    link, target, table = schema.link, schema.target, schema.cached
    open_ = sa.exists().where((link.c.target_id == target.c.id) & open_link())
    query = sa.select(target.c.id, target.c.url).join(table, table.c.target_id == target.c.id).where(open_)
    with reading(engine) as connection:
        return {row.id: row.url for row in connection.execute(query)}
