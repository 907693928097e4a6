"""What sites say of pages that cannot exist."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Make the table `probe`."""
    op.create_table(
        "probe",
        sa.Column("folder", sa.String(), nullable=False),
        sa.Column("asked", sa.String(), nullable=False),
        sa.Column("final", sa.String(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("said", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("asked_at", sa.DateTime(), nullable=False),
        sa.Column("due_at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("folder"),
    )
