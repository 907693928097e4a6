"""Files that need not be read again, people's words on targets, when a state last turned; less to index."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Make the tables `source` and `pin`, and the column `turns` of `target`; drop two of its indexes."""
    op.create_table(
        "source",
        sa.Column("path", sa.String(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("reading", sa.String(), nullable=False),
        sa.Column("records", sa.Integer(), nullable=False),
        sa.Column("links", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("path"),
    )
    op.create_table(
        "pin",
        sa.Column("url", sa.String(), nullable=False),
        sa.Column("word", sa.String(), nullable=False),
        sa.Column("why", sa.String(), nullable=False),
        sa.Column("author", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("url"),
    )
    op.add_column("target", sa.Column("turns", sa.String(), nullable=True))
    # No query needs them, and every finding pays for them.
    for column in ("next_due", "last_run"):
        op.drop_index(op.f(f"ix_target_{column}"), table_name="target")
