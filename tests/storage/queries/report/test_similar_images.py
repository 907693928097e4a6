"""Looks of pictures in the database: those that are near are found, among however many."""

from __future__ import annotations

import random

import sqlalchemy as sa

from storage.db import schema
from storage.db.rows import MAX_BITS_APART, hash_row
from storage.queries import report as queries
from tests.storage.build import NOW, catalogued, document, ids, link


def test_near_looks_are_found_among_many(engine: sa.Engine) -> None:
    """Whatever three bits differ, the index finds the picture; with four it is another one."""
    luck = random.Random(5)
    look = luck.getrandbits(64)
    flips = [luck.sample(range(64), count) for count in (0, 1, 2, 3, 3, 3, 4, 5) for _ in range(4)]
    bits = [look ^ sum(1 << place for place in some) for some in flips]
    strangers = [luck.getrandbits(64) for _ in range(500)]
    # Many more share a part, and come first: none of them hides a picture that is near.
    crowd = [look ^ (luck.getrandbits(48) | 0xFFF) for _ in range(1100)]
    bits, flips = [look, *crowd, *bits[1:]], [flips[0], *([0] * 64 for _ in crowd), *flips[1:]]
    urls = [f"https://a.example/{number}" for number in range(len(bits) + len(strangers))]
    catalogued(engine, document("a.md", [link(url) for url in urls]))
    keys = ids(engine)
    with engine.begin() as connection:
        for number, (url, some) in enumerate(zip(urls, [*bits, *strangers], strict=True)):
            row = dict(zip(schema.look.c.keys(), hash_row(f"sha256:{number}", some), strict=True))
            connection.execute(sa.insert(schema.look).values(row))
            connection.execute(sa.insert(schema.cached).values(_cached(keys[url], number)))
    found = queries.similar_images(engine, "sha256:0")

    expected = {url for url, some in zip(urls[1:], flips[1:], strict=False) if len(some) <= MAX_BITS_APART}
    assert {one.url for one in found} == expected
    assert [one.differs for one in found] == sorted(one.differs for one in found)


def _cached(target: int, number: int) -> dict[str, object]:
    return {
        "target_id": target,
        "digest": f"sha256:{number}",
        "size": 1,
        "format": "PNG",
        "orientation": 1,
        "proof": "pixels",
        "url": "https://a.example/",
        "stored_at": NOW,
        "confirmed_at": NOW,
    }
