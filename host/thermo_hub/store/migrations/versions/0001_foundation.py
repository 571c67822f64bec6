"""Wearables, who comes in, and what is usual of pictures."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "wearable",
        sa.Column("id", sa.String(80), nullable=False),
        sa.Column("serial", sa.String(64), nullable=False),
        sa.Column("profile", sa.String(64), nullable=False),
        sa.Column("label", sa.String(80), nullable=False, server_default=""),
        sa.Column("port", sa.String(255), nullable=False, server_default=""),
        sa.Column("first_ns", sa.BigInteger, nullable=False),
        sa.Column("last_ns", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_wearable"),
    )
    op.create_table(
        "entry",
        sa.Column("token_sha256", sa.String(64), nullable=False),
        sa.Column("expires_ns", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("token_sha256", name="pk_entry"),
    )
    op.create_table(
        "visit",
        sa.Column("token_sha256", sa.String(64), nullable=False),
        sa.Column("csrf", sa.String(64), nullable=False),
        sa.Column("name", sa.String(80), nullable=False),
        sa.Column("roles", sa.String(255), nullable=False),
        sa.Column("since_ns", sa.BigInteger, nullable=False),
        sa.Column("expires_ns", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("token_sha256", name="pk_visit"),
    )
    op.create_table(
        "baseline",
        sa.Column("wearable", sa.String(80), nullable=False),
        sa.Column("signal", sa.String(80), nullable=False),
        sa.Column("basis", sa.String(64), nullable=False),
        sa.Column("state", sa.LargeBinary, nullable=False),
        sa.Column("updated_ns", sa.BigInteger, nullable=False),
        sa.Column("samples", sa.Integer, nullable=False),
        sa.ForeignKeyConstraint(["wearable"], ["wearable.id"], name="fk_baseline_wearable_wearable"),
        sa.PrimaryKeyConstraint("wearable", "signal", name="pk_baseline"),
    )


def downgrade() -> None:
    """Take them away."""
    for table in ("baseline", "visit", "entry", "wearable"):
        op.drop_table(table)
