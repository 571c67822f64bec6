"""What leaves the hub as FHIR: descriptions of wearables, consents, confirmations, and what was sent."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "wearable_description",
        sa.Column("wearable", sa.String(80), nullable=False),
        sa.Column("described", sa.Text, nullable=False),
        sa.Column("at_ns", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("wearable", name="pk_wearable_description"),
    )
    op.create_table(
        "consent",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("wearable", sa.String(80), nullable=False),
        sa.Column("purpose", sa.String(16), nullable=False),
        sa.Column("given", sa.Boolean, nullable=False),
        sa.Column("by", sa.String(80), nullable=False),
        sa.Column("at_ns", sa.BigInteger, nullable=False),
        sa.Column("note", sa.String(500), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_consent"),
    )
    op.create_index("ix_consent_wearable", "consent", ["wearable", "at_ns"])
    op.create_table(
        "confirmation",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("wearable", sa.String(80), nullable=False),
        sa.Column("series", sa.String(120), nullable=False),
        sa.Column("start_ns", sa.BigInteger, nullable=False),
        sa.Column("value", sa.Float, nullable=False),
        sa.Column("by", sa.String(80), nullable=False),
        sa.Column("at_ns", sa.BigInteger, nullable=False),
        sa.Column("note", sa.String(500), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_confirmation"),
    )
    op.create_index("uq_confirmation_hour", "confirmation", ["wearable", "series", "start_ns"], unique=True)
    op.create_table(
        "fhir_sending",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("wearable", sa.String(80), nullable=False),
        sa.Column("from_ns", sa.BigInteger, nullable=False),
        sa.Column("to_ns", sa.BigInteger, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("due_ns", sa.BigInteger, nullable=False),
        sa.Column("made_ns", sa.BigInteger, nullable=False),
        sa.Column("ended_ns", sa.BigInteger, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_fhir_sending"),
    )
    op.create_index("uq_fhir_sending_window", "fhir_sending", ["wearable", "from_ns"], unique=True)
    op.create_index("ix_fhir_sending_state", "fhir_sending", ["state", "due_ns"])
    op.create_table(
        "fhir_try",
        sa.Column("sending", sa.String(32), nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("at_ns", sa.BigInteger, nullable=False),
        sa.Column("ok", sa.Boolean, nullable=False),
        sa.Column("detail", sa.String(500), nullable=False),
        sa.ForeignKeyConstraint(["sending"], ["fhir_sending.id"], name="fk_fhir_try_sending_fhir_sending"),
        sa.PrimaryKeyConstraint("sending", "number", name="pk_fhir_try"),
    )


def downgrade() -> None:
    """Take them away."""
    for table in ("fhir_try", "fhir_sending", "confirmation", "consent", "wearable_description"):
        op.drop_table(table)
