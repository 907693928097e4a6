"""Targets that a run was to check, and that it has no finding of."""

from __future__ import annotations

from collections.abc import Iterable

import sqlalchemy as sa

from storage.db import schema
from storage.db.transactions import reading
from storage.model import Run


def finding_count(engine: sa.Engine, run: Run) -> int:
    """How many findings a run has written.

    Raises:
        LedgerError: the database cannot be read.
    """
    finding = schema.finding
    query = sa.select(sa.func.count()).select_from(finding).where(finding.c.run_id == run.id)
    with reading(engine) as connection:
        return int(connection.execute(query).scalar_one())


def targets_without_finding(engine: sa.Engine, run: Run, targets: Iterable[int]) -> list[int]:
    """The ids, among some, of the targets that a run has no finding of.

    Raises:
        LedgerError: the database cannot be read.
    """
    finding = schema.finding
    query = sa.select(finding.c.target_id).where(finding.c.run_id == run.id)
    with reading(engine) as connection:
        target_ids = set(connection.execute(query).scalars())
    return [target for target in targets if target not in target_ids]
