"""What a run put off, and why."""

from __future__ import annotations

import sqlalchemy as sa

from storage.db import schema
from storage.db.predicates import ignored_target
from storage.db.transactions import reading
from storage.model import Run, Verdict


def postponed(engine: sa.Engine, run: Run) -> list[tuple[str, str]]:
    """URL and reason of each target that a run put off since its host asked to come back later.

    Raises:
        LedgerError: the database cannot be read.
    """
    finding, target = schema.finding, schema.target
    query = sa.select(target.c.url, finding.c.detail).join(target, target.c.id == finding.c.target_id)
    query = query.where(finding.c.run_id == run.id, finding.c.verdict == Verdict.POSTPONED.value)
    query = query.where(~ignored_target()).order_by(finding.c.retry_at, target.c.id)
    with reading(engine) as connection:
        return [(url, detail or "") for url, detail in connection.execute(query)]
