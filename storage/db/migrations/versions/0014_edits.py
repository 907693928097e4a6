"""What `fix` wrote into the records, so that it is known, shown and put back."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    """Make `edited_file` and `edit`."""
    op.create_table(
        "edited_file",
        sa.Column("fix", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("path", sa.String, primary_key=True),
        sa.Column("digest_before", sa.String, nullable=False),
        sa.Column("digest_after", sa.String, nullable=False),
        sa.Column("at", sa.DateTime, nullable=False),
        sa.Column("undone_at", sa.DateTime),
    )
    op.create_table(
        "edit",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("fix", sa.Integer, nullable=False),
        sa.Column("path", sa.String, nullable=False),
        sa.Column("field", sa.String, nullable=False),
        sa.Column("rule", sa.String, nullable=False),
        sa.Column("url", sa.String, nullable=False),
        sa.Column("start", sa.Integer, nullable=False),
        sa.Column("old_text", sa.String, nullable=False),
        sa.Column("new_text", sa.String, nullable=False),
    )
    op.create_index("ix_edit_file", "edit", ["fix", "path"])
