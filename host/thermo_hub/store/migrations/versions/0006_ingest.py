"""Records of other hubs."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "heard_mark",
        sa.Column("site", sa.String(64), nullable=False),
        sa.Column("wearable", sa.String(80), nullable=False),
        sa.Column("boot", sa.BigInteger, autoincrement=False, nullable=False),
        sa.Column("sequence", sa.BigInteger, nullable=False),
        sa.Column("place", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("site", "wearable", "boot", name="pk_heard_mark"),
    )
    op.create_table(
        "heard_birth",
        sa.Column("site", sa.String(64), nullable=False),
        sa.Column("wearable", sa.String(80), nullable=False),
        sa.Column("session", sa.String(16), nullable=False),
        sa.Column("data", sa.LargeBinary, nullable=False),
        sa.Column("at_ns", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("site", "wearable", "session", name="pk_heard_birth"),
    )
    op.create_table(
        "heard_second",
        sa.Column("site", sa.String(64), nullable=False),
        sa.Column("wearable", sa.String(80), nullable=False),
        sa.Column("boot", sa.BigInteger, autoincrement=False, nullable=False),
        sa.Column("first", sa.BigInteger, autoincrement=False, nullable=False),
        sa.Column("last", sa.BigInteger, nullable=False),
        sa.Column("records", sa.Integer, nullable=False),
        sa.Column("received_ns", sa.BigInteger, nullable=False),
        sa.Column("data", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("site", "wearable", "boot", "first", name="pk_heard_second"),
    )
    op.create_index("ix_heard_second_received_ns", "heard_second", ["received_ns"])
    op.create_table(
        "heard_file",
        sa.Column("name", sa.String(80), nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_heard_file"),
    )


def downgrade() -> None:
    """Take them away."""
    for table in ("heard_file", "heard_second", "heard_birth", "heard_mark"):
        op.drop_table(table)
