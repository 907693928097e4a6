"""Links that name a part of a page, and what pages were looked at for."""

from __future__ import annotations

from collections.abc import Iterable

import sqlalchemy as sa

from storage.db import schema
from storage.db.predicates import link_read_by, newest_finding
from storage.db.rows import to_evidence
from storage.db.statements import chunks
from storage.db.transactions import reading
from storage.model import Class, Kind, Run


def fragment_texts(engine: sa.Engine, run: Run) -> dict[int, set[str]]:
    """The texts of the web links of a run's records that have a `#`, by the id of their target.

    Raises:
        LedgerError: the database cannot be read.
    """
    link, record = schema.link, schema.record
    query = sa.select(link.c.target_id, link.c.text).join(record, record.c.id == link.c.record_id)
    query = query.where(link_read_by(run))
    query = query.where(link.c.kind == Kind.WEB.value, link.c.text.contains("#"))
    texts: dict[int, set[str]] = {}
    with reading(engine) as connection:
        for key, text in connection.execute(query):
            texts.setdefault(key, set()).add(text)
    return texts


def fragments_looked_for(engine: sa.Engine, targets: Iterable[int]) -> dict[int, set[str]]:
    """The fragments that the newest finding on each of some targets looked for, if that was alive.

    Raises:
        LedgerError: the database cannot be read.
    """
    finding, target = schema.finding, schema.target
    query = sa.select(target.c.id, finding.c.evidence).join(finding, newest_finding())
    query = query.where(finding.c["class"] == Class.ALIVE.value)
    with reading(engine) as connection:
        return {
            key: set(parts.asked) if (parts := to_evidence(cell).fragments) else set()
            for ids in chunks(targets)
            for key, cell in connection.execute(query.where(target.c.id.in_(ids)))
        }
