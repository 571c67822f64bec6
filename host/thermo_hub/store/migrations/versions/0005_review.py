"""Review: windows of recordings, and what readers said of them."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "review_scan",
        sa.Column("recording", sa.String(255), nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("wearable", sa.String(80), nullable=False),
        sa.Column("from_ns", sa.BigInteger, nullable=False),
        sa.Column("to_ns", sa.BigInteger, nullable=False),
        sa.Column("problem", sa.String(500), nullable=False),
        sa.PrimaryKeyConstraint("recording", name="pk_review_scan"),
    )
    op.create_table(
        "review_item",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("recording", sa.String(255), nullable=False),
        sa.Column("wearable", sa.String(80), nullable=False),
        sa.Column("person", sa.String(500), nullable=False),
        sa.Column("profile", sa.String(64), nullable=False),
        sa.Column("model", sa.String(64), nullable=False),
        sa.Column("classes", sa.Text, nullable=False),
        sa.Column("pictures", sa.Text, nullable=False),
        sa.Column("from_ns", sa.BigInteger, nullable=False),
        sa.Column("to_ns", sa.BigInteger, nullable=False),
        sa.Column("uncertainty", sa.Float, nullable=False),
        sa.Column("alerts", sa.Text, nullable=False),
        sa.Column("finding", sa.Text, nullable=False),
        sa.Column("made_ns", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_review_item"),
    )
    op.create_index("uq_review_item_window", "review_item", ["recording", "model", "from_ns"], unique=True)
    op.create_table(
        "review_step",
        sa.Column("item", sa.String(32), nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("at_ns", sa.BigInteger, nullable=False),
        sa.Column("by", sa.String(80), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("blinded", sa.Boolean, nullable=False),
        sa.Column("opinion", sa.Text, nullable=False),
        sa.ForeignKeyConstraint(["item"], ["review_item.id"], name="fk_review_step_item_review_item"),
        sa.PrimaryKeyConstraint("item", "number", name="pk_review_step"),
    )
    op.create_index("ix_review_step_by", "review_step", ["by"])


def downgrade() -> None:
    """Take them away."""
    for table in ("review_step", "review_item", "review_scan"):
        op.drop_table(table)
