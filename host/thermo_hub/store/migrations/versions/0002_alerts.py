"""Alerts, their steps, and what was delivered of them."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "alert",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("wearable", sa.String(80), nullable=False),
        sa.Column("rule", sa.String(64), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("severity", sa.String(16), nullable=False),
        sa.Column("text", sa.String(1000), nullable=False),
        sa.Column("condition", sa.String(200), nullable=False),
        sa.Column("personal", sa.Boolean, nullable=False),
        sa.Column("value", sa.Float, nullable=True),
        sa.Column("unit", sa.String(16), nullable=False),
        sa.Column("policy", sa.Text, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("raised_ns", sa.BigInteger, nullable=False),
        sa.Column("told_ns", sa.BigInteger, nullable=True),
        sa.Column("level", sa.Integer, nullable=False),
        sa.Column("snoozed_ns", sa.BigInteger, nullable=True),
        sa.Column("resolved_ns", sa.BigInteger, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_alert"),
    )
    still_open = sa.text("resolved_ns IS NULL")
    op.create_index(
        "uq_alert_open",
        "alert",
        ["wearable", "rule"],
        unique=True,
        sqlite_where=still_open,
        postgresql_where=still_open,
    )
    op.create_index("ix_alert_raised", "alert", ["raised_ns"])
    op.create_table(
        "alert_step",
        sa.Column("alert", sa.String(32), nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("at_ns", sa.BigInteger, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("by", sa.String(80), nullable=False),
        sa.Column("note", sa.String(1000), nullable=False),
        sa.Column("until_ns", sa.BigInteger, nullable=True),
        sa.ForeignKeyConstraint(["alert"], ["alert.id"], name="fk_alert_step_alert_alert"),
        sa.PrimaryKeyConstraint("alert", "number", name="pk_alert_step"),
    )
    op.create_table(
        "delivery",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("alert", sa.String(32), nullable=False),
        sa.Column("step", sa.Integer, nullable=False),
        sa.Column("channel", sa.String(40), nullable=False),
        sa.Column("calls", sa.Boolean, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("due_ns", sa.BigInteger, nullable=False),
        sa.Column("made_ns", sa.BigInteger, nullable=False),
        sa.Column("ended_ns", sa.BigInteger, nullable=True),
        sa.ForeignKeyConstraint(["alert"], ["alert.id"], name="fk_delivery_alert_alert"),
        sa.PrimaryKeyConstraint("id", name="pk_delivery"),
    )
    op.create_index("ix_delivery_state", "delivery", ["state", "due_ns"])
    op.create_index("ix_delivery_alert", "delivery", ["alert"])
    op.create_table(
        "delivery_attempt",
        sa.Column("delivery", sa.String(32), nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("at_ns", sa.BigInteger, nullable=False),
        sa.Column("ok", sa.Boolean, nullable=True),
        sa.Column("detail", sa.String(500), nullable=False),
        sa.ForeignKeyConstraint(["delivery"], ["delivery.id"], name="fk_delivery_attempt_delivery_delivery"),
        sa.PrimaryKeyConstraint("delivery", "number", name="pk_delivery_attempt"),
    )
    op.create_table(
        "alert_watched",
        sa.Column("wearable", sa.String(80), nullable=False),
        sa.Column("sensor", sa.String(64), nullable=False),
        sa.Column("period_s", sa.Float, nullable=False),
        sa.Column("since_ns", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("wearable", "sensor", name="pk_alert_watched"),
    )


def downgrade() -> None:
    """Take them away."""
    for table in ("alert_watched", "delivery_attempt", "delivery", "alert_step", "alert"):
        op.drop_table(table)
