"""Pictures that look alike, by the bits of their looks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from storage import schema
from storage.database import reading
from storage.queries.suspects import named
from storage.rows import NEAR, apart, look_parts
from storage.statements import chunks


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
    look = schema.look
    with reading(engine) as connection:
        bits = connection.execute(sa.select(look.c.bits).where(look.c.digest == digest)).scalar()
        near = {} if bits is None else _near(connection, digest, bits)
        found = [Alike(url, near[other]) for some in chunks(near) for other, url in _urls(connection, some)]
    return sorted(found, key=lambda one: (one.differs, one.url))


def _near(connection: sa.Connection, digest: str, bits: int) -> dict[str, int]:
    """The digests of all looks that are near some bits, and in how many they differ.

    Looks that differ in three bits share one of four parts, so no other look is read.
    """
    look = schema.look
    parts = zip((look.c.part0, look.c.part1, look.c.part2, look.c.part3), look_parts(bits), strict=True)
    shared = sa.or_(*(column == part for column, part in parts))
    rows = connection.execute(sa.select(look.c.digest, look.c.bits).where(shared, look.c.digest != digest))
    found = ((other, apart(bits, of_other)) for other, of_other in rows)
    return {other: differs for other, differs in found if differs <= NEAR}


def _urls(connection: sa.Connection, digests: Sequence[str]) -> list[tuple[str, str]]:
    cached, target = schema.cached, schema.target
    query = sa.select(cached.c.digest, target.c.url).join(target, cached.c.target_id == target.c.id)
    rows = connection.execute(query.where(cached.c.digest.in_(digests), named()))
    return [(row.digest, row.url) for row in rows]
