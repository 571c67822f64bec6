"""Tables of review. Times are nanoseconds since 1970 UTC; what a reader says is a row, and no row is ever changed."""

from sqlalchemy import BigInteger, Boolean, Column, Float, ForeignKey, Index, Integer, String, Table, Text

from thermo_hub.store.tables import METADATA

SCAN = Table(
    "review_scan",
    METADATA,
    Column("recording", String(255), primary_key=True, comment="name of the file"),
    Column("size", BigInteger, nullable=False, comment="of it when it was looked through"),
    Column("wearable", String(80), nullable=False, comment="id of the wearable that it is of"),
    Column("from_ns", BigInteger, nullable=False),
    Column("to_ns", BigInteger, nullable=False),
    Column("problem", String(500), nullable=False, comment="why it cannot be read, or has nothing to review"),
)

ITEM = Table(
    "review_item",
    METADATA,
    Column("id", String(32), primary_key=True),
    Column("recording", String(255), nullable=False),
    Column("wearable", String(80), nullable=False),
    Column("person", String(500), nullable=False, comment="whom the recording is of: its subject, else the wearable"),
    Column("profile", String(64), nullable=False),
    Column("model", String(64), nullable=False),
    Column("classes", Text, nullable=False, comment="JSON: labels of the model"),
    Column("pictures", Text, nullable=False, comment="JSON: rows and columns of each picture by signal"),
    Column("from_ns", BigInteger, nullable=False),
    Column("to_ns", BigInteger, nullable=False),
    Column("uncertainty", Float, nullable=False, comment="0 to 1: entropy of the model's mean scores, normalised"),
    Column("alerts", Text, nullable=False, comment="JSON: names of alerts that were raised in it"),
    Column("finding", Text, nullable=False, comment="JSON: what the model said; nobody gets it before the first read"),
    Column("made_ns", BigInteger, nullable=False),
)
Index("uq_review_item_window", ITEM.c.recording, ITEM.c.model, ITEM.c.from_ns, unique=True)

STEP = Table(
    "review_step",
    METADATA,
    Column("item", String(32), ForeignKey("review_item.id"), primary_key=True),
    Column("number", Integer, primary_key=True, comment="from 1"),
    Column("at_ns", BigInteger, nullable=False),
    Column("by", String(80), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("blinded", Boolean, nullable=False),
    Column("opinion", Text, nullable=False, comment="JSON: held since then"),
)
Index("ix_review_step_by", STEP.c.by)
