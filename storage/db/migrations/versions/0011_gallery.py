"""Which pictures changed, and which lie behind several URLs: noted once a run, for the gallery."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0009"


def upgrade() -> None:
    """Make the tables `image_change` and `image_shared`."""
    op.create_table(
        "image_change",
        sa.Column("run_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("target_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("was", sa.String(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("run_id", "target_id"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "image_shared",
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("targets", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("digest"),
        sqlite_with_rowid=False,
    )
