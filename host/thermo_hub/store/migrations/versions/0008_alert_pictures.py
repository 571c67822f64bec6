"""Annotated pictures of the moments in which alerts were raised."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "alert_picture",
        sa.Column("alert", sa.String(32), nullable=False),
        sa.Column("signal", sa.String(80), nullable=False),
        sa.Column("wearable", sa.String(80), nullable=False),
        sa.Column("at_ns", sa.BigInteger, nullable=False),
        sa.Column("png", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("alert", "signal", name="pk_alert_picture"),
    )
    op.create_index("ix_alert_picture_at", "alert_picture", ["wearable", "at_ns"])


def downgrade() -> None:
    """Take it away."""
    op.drop_table("alert_picture")
