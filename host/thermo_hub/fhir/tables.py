"""Tables of what leaves the hub as FHIR. Times are nanoseconds since 1970 UTC."""

from sqlalchemy import BigInteger, Boolean, Column, Float, ForeignKey, Index, Integer, String, Table, Text

from thermo_hub.store.tables import METADATA

DESCRIPTION = Table(
    "wearable_description",
    METADATA,
    Column("wearable", String(80), primary_key=True),
    Column(
        "described", Text, nullable=False, comment="JSON: `fhir.description.Description`, as it was when it joined last"
    ),
    Column("at_ns", BigInteger, nullable=False),
)

CONFIRMATION = Table(
    "confirmation",
    METADATA,
    Column("id", String(32), primary_key=True),
    Column("wearable", String(80), nullable=False),
    Column("series", String(120), nullable=False, comment="of a model's estimates"),
    Column("start_ns", BigInteger, nullable=False, comment="of the hour that is confirmed"),
    Column("value", Float, nullable=False, comment="that holds, in the unit of the series"),
    Column("by", String(80), nullable=False),
    Column("at_ns", BigInteger, nullable=False),
    Column("note", String(500), nullable=False, comment="how it was found"),
)
Index("uq_confirmation_hour", CONFIRMATION.c.wearable, CONFIRMATION.c.series, CONFIRMATION.c.start_ns, unique=True)

SENDING = Table(
    "fhir_sending",
    METADATA,
    Column("id", String(32), primary_key=True),
    Column("wearable", String(80), nullable=False),
    Column("from_ns", BigInteger, nullable=False),
    Column("to_ns", BigInteger, nullable=False),
    Column("state", String(16), nullable=False, comment="waiting, sent, failed or cancelled"),
    Column("attempts", Integer, nullable=False),
    Column("due_ns", BigInteger, nullable=False, comment="when it is tried next"),
    Column("made_ns", BigInteger, nullable=False),
    Column("ended_ns", BigInteger, nullable=True),
)
Index("uq_fhir_sending_window", SENDING.c.wearable, SENDING.c.from_ns, unique=True)
Index("ix_fhir_sending_state", SENDING.c.state, SENDING.c.due_ns)

TRY = Table(
    "fhir_try",
    METADATA,
    Column("sending", String(32), ForeignKey("fhir_sending.id"), primary_key=True),
    Column("number", Integer, primary_key=True, comment="from 1"),
    Column("at_ns", BigInteger, nullable=False),
    Column("ok", Boolean, nullable=False),
    Column("detail", String(500), nullable=False, comment="what the server said"),
)
