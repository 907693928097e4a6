"""How the pictures of the cache look, so that those that look alike are found."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Make the table `look`, and say of changes how much of the look they are."""
    op.create_table(
        "look",
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("bits", sa.BigInteger(), nullable=False),
        *(sa.Column(f"part{number}", sa.Integer(), nullable=False) for number in range(4)),
        sa.PrimaryKeyConstraint("digest"),
        sqlite_with_rowid=False,
    )
    for number in range(4):
        op.create_index(f"ix_look_part{number}", "look", [f"part{number}"])
    op.add_column("image_change", sa.Column("differs", sa.Integer()))
