"""Trends: series, minutes, hours and days."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "trend_series",
        sa.Column("id", sa.Integer, autoincrement=True, nullable=False),
        sa.Column("wearable", sa.String(80), nullable=False),
        sa.Column("name", sa.String(120), nullable=False),
        sa.Column("label", sa.String(120), nullable=False),
        sa.Column("unit", sa.String(16), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_trend_series"),
    )
    op.create_index("uq_trend_series", "trend_series", ["wearable", "name"], unique=True)
    numbers = [sa.Column(name, sa.BigInteger, nullable=False) for name in ("total", "low", "p5", "p95", "high")]
    op.create_table(
        "trend_rollup",
        sa.Column("series", sa.Integer, nullable=False),
        sa.Column("width", sa.SmallInteger, nullable=False),
        sa.Column("start_ns", sa.BigInteger, nullable=False),
        sa.Column("end_ns", sa.BigInteger, nullable=False),
        sa.Column("n", sa.Integer, nullable=False),
        sa.Column("doubtful", sa.Integer, nullable=False),
        sa.Column("lost", sa.Integer, nullable=False),
        *numbers,
        sa.Column("uncertainty", sa.BigInteger, nullable=True),
        sa.Column("ambient", sa.BigInteger, nullable=True),
        sa.Column("ambients", sa.Integer, nullable=False),
        sa.Column("calibration", sa.String(16), nullable=False),
        sa.PrimaryKeyConstraint("series", "width", "start_ns", name="pk_trend_rollup"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "trend_counts",
        sa.Column("series", sa.Integer, nullable=False),
        sa.Column("start_ns", sa.BigInteger, nullable=False),
        sa.Column("counts", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("series", "start_ns", name="pk_trend_counts"),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    """Take them away."""
    for table in ("trend_counts", "trend_rollup", "trend_series"):
        op.drop_table(table)
