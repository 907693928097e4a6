"""How bad targets and records are, so that pages show the worst of millions first."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0006"


def upgrade() -> None:
    """Add `severity` to `target` and `record`, `faults` to `record`, and what finds the worst."""
    for table, name in (("target", "severity"), ("record", "severity"), ("record", "faults")):
        op.add_column(table, sa.Column(name, sa.Integer(), nullable=False, server_default="0"))
    bad = sa.text("severity > 0")
    columns = ["failing_since", "kind", "state", "verdict", "host", "checked_at"]
    op.create_index(
        "ix_target_failing",
        "target",
        [sa.text("severity DESC"), *columns],
        sqlite_where=bad,
        postgresql_where=bad,
    )
    op.create_index(
        "ix_target_failing_url", "target", ["url", "severity"], sqlite_where=bad, postgresql_where=bad
    )
    op.create_index("ix_target_verdict", "target", ["verdict", "kind"])
    op.create_index(
        "ix_record_worst",
        "record",
        [sa.text("severity DESC"), sa.text("faults DESC"), "path", "number"],
        sqlite_where=bad,
        postgresql_where=bad,
    )
    # The next run judges every link again, and notes how bad its record is.
    op.execute("UPDATE link SET judged_run = NULL WHERE closed_run IS NULL")
