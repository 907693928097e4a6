"""Pictures that look alike, by the bits of their looks."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from storage import schema
from storage.database import reading
from storage.queries.suspects import named
from storage.rows import NEAR, apart, look_parts

MOST: int = 1000  # pictures that share a part of their look and are compared


@dataclass(frozen=True, slots=True)
class Alike:
    """A URL whose picture looks like another one: `differs` is in how many of 64 bits it does not."""

    url: str
    differs: int


def alike(engine: sa.Engine, digest: str) -> list[Alike]:
    """The URLs that records name whose picture looks like the one with this digest, the nearest first.

    Those with the very same bytes are left out (`twins` has them); none without the look of both.

    Raises:
        LedgerError: the database cannot be read.
    """
    look, cached, target = schema.look, schema.cached, schema.target
    with reading(engine) as connection:
        bits = connection.execute(sa.select(look.c.bits).where(look.c.digest == digest)).scalar()
        if bits is None:
            return []
        parts = zip((look.c.part0, look.c.part1, look.c.part2, look.c.part3), look_parts(bits), strict=True)
        shared = sa.or_(*(column == part for column, part in parts))
        query = sa.select(target.c.url, look.c.bits).join(cached, cached.c.target_id == target.c.id)
        query = query.join(look, look.c.digest == cached.c.digest).where(shared, look.c.digest != digest)
        rows = connection.execute(query.where(named()).limit(MOST)).all()
    found = [Alike(url, apart(bits, other)) for url, other in rows]
    return sorted((one for one in found if one.differs <= NEAR), key=lambda one: (one.differs, one.url))
