"""Links that name a part of a page, and what pages were looked at for."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import sqlalchemy as sa

from storage import schema
from storage.database import reading
from storage.model import Class, Kind, Run
from storage.statements import chunks

KEY: Final = "fragments"  # of the evidence of a finding


def fragments(engine: sa.Engine, run: Run) -> dict[int, set[str]]:
    """The texts of the web links of a run's records that have a `#`, by the id of their target.

    Raises:
        LedgerError: the database cannot be read.
    """
    link, record = schema.link, schema.record
    query = sa.select(link.c.target_id, link.c.text).join(record, record.c.id == link.c.record_id)
    query = query.where(link.c.closed_run.is_(None), record.c.seen_run == run.id)
    query = query.where(link.c.kind == Kind.WEB.value, link.c.text.contains("#"))
    found: dict[int, set[str]] = {}
    with reading(engine) as connection:
        for key, text in connection.execute(query):
            found.setdefault(key, set()).add(text)
    return found


def looked_for(engine: sa.Engine, targets: Iterable[int]) -> dict[int, set[str]]:
    """The fragments that the newest finding on each of some targets looked for, if that was alive.

    Raises:
        LedgerError: the database cannot be read.
    """
    finding, target = schema.finding, schema.target
    newest = (finding.c.target_id == target.c.id) & (finding.c.run_id == target.c.last_run)
    query = sa.select(target.c.id, finding.c.evidence).join(finding, newest)
    query = query.where(finding.c["class"] == Class.ALIVE.value)
    with reading(engine) as connection:
        return {
            key: set((evidence or {}).get(KEY, {}).get("asked", ()))
            for some in chunks(targets)
            for key, evidence in connection.execute(query.where(target.c.id.in_(some)))
        }
