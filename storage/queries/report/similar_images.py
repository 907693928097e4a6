"""Pictures that look alike, by the bits of their looks."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from storage.db import schema
from storage.db.rows import MAX_BITS_APART, bits_apart, hash_parts
from storage.db.statements import chunks
from storage.db.transactions import reading
from storage.frozen import frozen
from storage.queries.report.placeholders import is_named


@frozen
class SimilarImage:
    """A URL whose picture looks like another one: `differs` is in how many of 64 bits it does not."""

    url: str
    differs: int


def similar_images(engine: sa.Engine, digest: str) -> list[SimilarImage]:
    """The URLs that records name whose picture looks like the one with this digest, the nearest first.

    Those with the very same bytes are left out (`twins` has them); none without the look of both.

    Raises:
        LedgerError: the database cannot be read.
    """
    look = schema.look
    with reading(engine) as connection:
        bits = connection.execute(sa.select(look.c.bits).where(look.c.digest == digest)).scalar()
        near = {} if bits is None else _near(connection, digest, bits)
        images = [
            SimilarImage(url, near[similar_digest])
            for batch in chunks(near)
            for similar_digest, url in _urls(connection, batch)
        ]
    return sorted(images, key=lambda image: (image.differs, image.url))


def _near(connection: sa.Connection, digest: str, bits: int) -> dict[str, int]:
    """The digests of all looks that are near some bits, and in how many they differ.

    Looks that differ in three bits share one of four parts, so no other look is read.
    """
    look = schema.look
    parts = zip((look.c.part0, look.c.part1, look.c.part2, look.c.part3), hash_parts(bits), strict=True)
    same_part = sa.or_(*(column == part for column, part in parts))
    rows = connection.execute(sa.select(look.c.digest, look.c.bits).where(same_part, look.c.digest != digest))
    distances = ((near_digest, bits_apart(bits, near_bits)) for near_digest, near_bits in rows)
    return {near_digest: differs for near_digest, differs in distances if differs <= MAX_BITS_APART}


def _urls(connection: sa.Connection, digests: Sequence[str]) -> list[tuple[str, str]]:
    cached, target = schema.cached, schema.target
    query = sa.select(cached.c.digest, target.c.url).join(target, cached.c.target_id == target.c.id)
    rows = connection.execute(query.where(cached.c.digest.in_(digests), is_named()))
    return [(row.digest, row.url) for row in rows]
