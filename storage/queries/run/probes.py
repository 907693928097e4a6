"""What sites said of pages that cannot exist, as far as it still holds."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from storage.db import schema
from storage.db.rows import to_probe
from storage.db.transactions import reading
from storage.model import Probe


def valid_probes(engine: sa.Engine, now: datetime) -> list[Probe]:
    """The probes that are not due at a time (UTC); one of the future was asked by a clock gone wrong.

    Raises:
        LedgerError: the database cannot be read.
    """
    table = schema.probe
    query = sa.select(table).where(table.c.due_at > now, table.c.asked_at <= now).order_by(table.c.folder)
    with reading(engine) as connection:
        return [to_probe(row) for row in connection.execute(query).mappings()]
