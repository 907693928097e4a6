"""How records write the URLs of targets, where that is not how they are requested."""

from __future__ import annotations

from collections.abc import Iterator

import sqlalchemy as sa

from storage.db import schema
from storage.db.predicates import link_read_by
from storage.db.transactions import reading
from storage.model import Run


def spellings(engine: sa.Engine, run: Run) -> Iterator[tuple[int, str]]:
    """Target and text of each link that a run read, where the text is another than the target's URL.

    Raises:
        LedgerError: the database cannot be read.
    """
    link, record, target = schema.link, schema.record, schema.target
    query = sa.select(link.c.target_id, link.c.text).distinct()
    query = query.join(record, record.c.id == link.c.record_id).join(target, target.c.id == link.c.target_id)
    with reading(engine) as connection:
        rows = connection.execute(query.where(link_read_by(run), link.c.text != target.c.url))
        yield from ((target_id, text) for target_id, text in rows)
