"""How all targets stood at the end of each run, so that a page of figures need not count millions."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Make the table `tally`, the columns `kind` and `verdict` of `target`, and an index of news."""
    op.create_table(
        "tally",
        sa.Column("run_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("verdict", sa.String(), nullable=False),
        sa.Column("targets", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("run_id", "kind", "state", "verdict"),
        sqlite_with_rowid=False,
    )
    op.add_column("target", sa.Column("kind", sa.String(), nullable=True))
    op.add_column("target", sa.Column("verdict", sa.String(), nullable=True))
    news = sa.text("from_state <> 'new' OR to_state <> 'alive'")
    op.create_index(
        "ix_event_news",
        "event",
        ["run_id", "to_state", "from_state"],
        sqlite_where=news,
        postgresql_where=news,
    )
