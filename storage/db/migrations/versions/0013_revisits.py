"""Long URLs, spared targets, and what revisits follow from.

PostgreSQL keeps no text over 2,700 bytes in a tree: one such URL lost the targets of its batch. That
a target was spared stood in the sentence for people, and stands in the evidence now.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"

SPARED_DETAIL = "not asked itself: %"


def upgrade() -> None:
    """Keep URLs apart by a hash on PostgreSQL, mark spared findings, and add `added_at` and `hazard`."""
    connection = op.get_bind()
    if connection.dialect.name == "postgresql":
        op.drop_constraint("target_url_key", "target", type_="unique")
        op.execute("ALTER TABLE target ADD CONSTRAINT target_url_once EXCLUDE USING hash (url WITH =)")
        op.drop_index("ix_target_failing_url", "target")
    op.add_column("target", sa.Column("added_at", sa.DateTime()))
    op.add_column("target", sa.Column("hazard", sa.Float()))
    op.execute(
        "UPDATE target SET added_at = (SELECT min(run.started_at) FROM link "
        "JOIN run ON run.id = link.first_run WHERE link.target_id = target.id)"
    )
    _mark_spared(connection)


def _mark_spared(connection: sa.Connection) -> None:
    cell = sa.column("evidence", sa.JSON(none_as_null=True))
    finding = sa.table("finding", sa.column("run_id"), sa.column("target_id"), sa.column("detail"), cell)
    query = sa.select(finding.c.run_id, finding.c.target_id, cell)
    update = sa.update(finding).values(evidence=sa.bindparam("cell", type_=sa.JSON()))
    update = update.where(finding.c.run_id == sa.bindparam("run"), finding.c.target_id == sa.bindparam("key"))
    values = [
        {"run": run, "key": target, "cell": {**(evidence or {}), "spared": True}}
        for run, target, evidence in connection.execute(query.where(finding.c.detail.like(SPARED_DETAIL)))
    ]
    if values:
        connection.execute(update, values)
