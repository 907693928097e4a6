"""What an image cache holds, and how well it saves: figures for a person."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from typing import Final
from urllib.parse import urlsplit

import sqlalchemy as sa

from storage.db import schema
from storage.db.transactions import reading
from storage.frozen import frozen
from storage.image_cache.index import entries
from storage.model import iso_utc

MAX_HOSTS: Final = 5  # that are named
UNCHANGED_STATUS: Final = 304
OK_STATUS: Final = 200
UNIT_BYTES: Final = 1024


@frozen
class CacheStatistics:
    """Images and the files that they share, bytes, formats and hosts by number, and times in UTC.

    `unchanged` of `answers` came without a body, over all findings that the database keeps.
    """

    images: int
    files: int
    size: int
    formats: tuple[tuple[str, int], ...]
    hosts: tuple[tuple[str, int], ...]
    oldest: datetime | None
    least_confirmed: datetime | None
    unchanged: int
    answers: int

    def lines(self) -> Iterator[tuple[str, str]]:
        """Each figure with its name."""
        yield "images", f"{self.images} in {self.files} files"
        yield "bytes", f"{self.size} ({self.size / UNIT_BYTES**2:.1f} MiB)"
        yield "formats", ", ".join(f"{name} {count}" for name, count in self.formats) or "none"
        yield "hosts", ", ".join(f"{host} {count}" for host, count in self.hosts) or "none"
        yield "oldest", _time(self.oldest)
        yield "confirmed", f"{_time(self.least_confirmed)} at the latest for each"
        share = 100 * self.unchanged / self.answers if self.answers else 0.0
        yield "unchanged", f"{self.unchanged} of {self.answers} answers ({share:.0f} %) cost no body"


def statistics_of(engine: sa.Engine) -> CacheStatistics:
    """The figures of a cache, by its index.

    Raises:
        LedgerError: the database cannot be read.
    """
    index = entries(engine)
    sizes = {entry.picture.digest: entry.picture.bytes or 0 for entry in index.values()}
    hosts = Counter(urlsplit(entry.served.url).hostname or "" for entry in index.values())
    formats = Counter(entry.picture.format for entry in index.values())
    revalidations, answers = _answers(engine)
    return CacheStatistics(
        len(index),
        len(sizes),
        sum(sizes.values()),
        tuple(formats.most_common()),
        tuple(hosts.most_common(MAX_HOSTS)),
        min((entry.stored_at for entry in index.values()), default=None),
        min((entry.confirmed_at for entry in index.values()), default=None),
        revalidations,
        answers,
    )


def _answers(engine: sa.Engine) -> tuple[int, int]:
    """How many answers about images of the index said that nothing changed, and how many there were."""
    finding, cached = schema.finding, schema.cached
    query = sa.select(finding.c.status, sa.func.count()).join(
        cached, cached.c.target_id == finding.c.target_id
    )
    query = query.where(finding.c.status.in_([OK_STATUS, UNCHANGED_STATUS])).group_by(finding.c.status)
    with reading(engine) as connection:
        rows = [(row[0], row[1]) for row in connection.execute(query)]
    revalidations = sum(count for status, count in rows if status == UNCHANGED_STATUS)
    return revalidations, sum(count for _, count in rows)


def _time(at: datetime | None) -> str:
    return iso_utc(at) if at else "never"
