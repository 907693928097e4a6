"""What a report shows of each target: its newest finding, its links and their issues.

Sorting is done on keys alone, and the rest is fetched a page of targets at a time: so a report of
a million targets needs the memory of one page.
"""

from __future__ import annotations

from collections.abc import Iterator

import sqlalchemy as sa

from storage.db import schema
from storage.db.predicates import ignored_target, link_read_by, open_link
from storage.db.sql import Query, SqlColumn
from storage.db.statements import chunks
from storage.db.transactions import reading
from storage.model import Class, Run
from storage.queries.report.entry import WORST_FIRST, Entry
from storage.queries.report.entry_page import entry_page, shown_finding


def entries(engine: sa.Engine, *, run: Run | None = None, reading_run: Run | None = None) -> Iterator[Entry]:
    """Targets for a report, worst class first, then by URL.

    Without a run: the newest finding of every target that a record names. `run`: the findings of
    that run alone. `reading_run`: every target of the records that this run read, whether it was asked
    or not.

    Raises:
        LedgerError: the database cannot be read.
    """
    with reading(engine) as connection:
        keys = connection.execute(_keys(run, reading_run)).scalars()
        for ids in chunks(keys):
            yield from entry_page(connection, ids, run, reading_run)


def find(engine: sa.Engine, url: str) -> Entry | None:
    """The target with this request URL, or one that a link names with this text.

    Raises:
        LedgerError: the database cannot be read.
    """
    target, link = schema.target, schema.link
    by_url = sa.select(target.c.id).where(target.c.url == url)
    by_text = sa.select(link.c.target_id).where(link.c.text == url).order_by(link.c.target_id).limit(1)
    with reading(engine) as connection:
        key = connection.execute(by_url).scalar() or connection.execute(by_text).scalar()
        return None if key is None else next(entry_page(connection, [key]))


def at(engine: sa.Engine, target_key: str | int, *, limit: int) -> Entry | None:
    """The target with this request URL, or this number, and the first `limit` of its links: always quick.

    Raises:
        LedgerError: the database cannot be read.
    """
    target, link = schema.target, schema.link
    column: SqlColumn = target.c.url if isinstance(target_key, str) else target.c.id
    with reading(engine) as connection:
        key = connection.execute(sa.select(target.c.id).where(column == target_key)).scalar()
        if key is None:
            return None
        open_ = sa.select(link.c.id).where(link.c.target_id == key, open_link())
        links = list(connection.execute(open_.order_by(link.c.id).limit(limit)).scalars())
        return next(entry_page(connection, [key], links=links))


def _keys(run: Run | None, reading_run: Run | None) -> Query:
    """The ids of the targets of a report, in its order."""
    target, finding, link, record = schema.target, schema.finding, schema.link, schema.record
    query = sa.select(target.c.id).join(finding, shown_finding(run), isouter=run is None)
    if reading_run is not None:
        target_ids = sa.select(link.c.target_id).join(record, record.c.id == link.c.record_id)
        target_ids = target_ids.where(link_read_by(reading_run))
        query = query.where(target.c.id.in_(target_ids))
    elif run is None:
        open_ = (link.c.target_id == target.c.id) & open_link()
        query = query.where(sa.exists().where(open_))
    ranks = {cls.value: rank for rank, cls in enumerate(WORST_FIRST)}
    unchecked_rank = ranks[Class.UNCHECKED.value]
    order = sa.case(ranks, value=finding.c["class"], else_=unchecked_rank)
    return query.order_by(sa.case((ignored_target(), unchecked_rank), else_=order), target.c.url)
