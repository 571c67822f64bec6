"""Which wearables an account sees."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Make the table; accounts that are there go on to see what they saw, so that no alert of theirs goes unseen."""
    made = op.create_table(
        "assignment",
        sa.Column("account", sa.String(64), nullable=False),
        sa.Column("wearable", sa.String(80), nullable=False),
        sa.Column("by", sa.String(80), nullable=False),
        sa.Column("at_ns", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("account", "wearable", name="pk_assignment"),
    )
    account = sa.table("account", sa.column("name"))
    values = sa.select(account.c.name, sa.literal("*"), sa.literal("this computer"), sa.literal(0))
    op.execute(made.insert().from_select(["account", "wearable", "by", "at_ns"], values))


def downgrade() -> None:
    """Take it away."""
    op.drop_table("assignment")
