"""Tables of alerts. Times are nanoseconds since 1970 UTC."""

from sqlalchemy import BigInteger, Boolean, Column, Float, ForeignKey, Index, Integer, String, Table, Text

from thermo_hub.store.tables import METADATA

ALERT = Table(
    "alert",
    METADATA,
    Column("id", String(32), primary_key=True),
    Column("wearable", String(80), nullable=False, comment="id of it; empty for one of the hub itself"),
    Column("rule", String(64), nullable=False, comment="name of the rule, and of the sensor where it has one for each"),
    Column("version", Integer, nullable=False, comment="of the rules it was raised by"),
    Column("severity", String(16), nullable=False),
    Column("text", String(1000), nullable=False, comment="what a person reads"),
    Column("condition", String(200), nullable=False, comment="that it was raised by, in words"),
    Column("personal", Boolean, nullable=False, comment="whether the condition is of this wearer alone"),
    Column("value", Float, nullable=True, comment="that raised it"),
    Column("unit", String(16), nullable=False),
    Column("policy", Text, nullable=False, comment="JSON: channels, escalations and quiet hours it was raised with"),
    Column("state", String(16), nullable=False, comment="its last step"),
    Column("raised_ns", BigInteger, nullable=False),
    Column("told_ns", BigInteger, nullable=True, comment="when somebody was told last of all anew"),
    Column("level", Integer, nullable=False, comment="escalations since then"),
    Column("snoozed_ns", BigInteger, nullable=True, comment="until when nobody is called"),
    Column("resolved_ns", BigInteger, nullable=True),
)
_OPEN = ALERT.c.resolved_ns.is_(None)
Index("uq_alert_open", ALERT.c.wearable, ALERT.c.rule, unique=True, sqlite_where=_OPEN, postgresql_where=_OPEN)
Index("ix_alert_raised", ALERT.c.raised_ns)

STEP = Table(
    "alert_step",
    METADATA,
    Column("alert", String(32), ForeignKey("alert.id"), primary_key=True),
    Column("number", Integer, primary_key=True, comment="from 1"),
    Column("at_ns", BigInteger, nullable=False),
    Column("state", String(16), nullable=False, comment="it led to"),
    Column("by", String(80), nullable=False),
    Column("note", String(1000), nullable=False),
    Column("until_ns", BigInteger, nullable=True, comment="of a snooze"),
)

DELIVERY = Table(
    "delivery",
    METADATA,
    Column("id", String(32), primary_key=True, comment="that receivers tell repeats by"),
    Column("alert", String(32), ForeignKey("alert.id"), nullable=False),
    Column("step", Integer, nullable=False),
    Column("channel", String(40), nullable=False),
    Column("calls", Boolean, nullable=False, comment="whether it is to call somebody; else it only tells"),
    Column("state", String(16), nullable=False, comment="waiting, sending, sent, failed or cancelled"),
    Column("attempts", Integer, nullable=False),
    Column("due_ns", BigInteger, nullable=False, comment="when it is tried next"),
    Column("made_ns", BigInteger, nullable=False),
    Column("ended_ns", BigInteger, nullable=True),
)
Index("ix_delivery_state", DELIVERY.c.state, DELIVERY.c.due_ns)
Index("ix_delivery_alert", DELIVERY.c.alert)

ATTEMPT = Table(
    "delivery_attempt",
    METADATA,
    Column("delivery", String(32), ForeignKey("delivery.id"), primary_key=True),
    Column("number", Integer, primary_key=True, comment="from 1"),
    Column("at_ns", BigInteger, nullable=False, comment="when it was begun"),
    Column("ok", Boolean, nullable=True, comment="null while nobody knows, as after a kill"),
    Column("detail", String(500), nullable=False, comment="what the receiver said"),
)

WATCHED = Table(
    "alert_watched",
    METADATA,
    Column("wearable", String(80), primary_key=True, comment="whose silence is an alert"),
    Column("sensor", String(64), primary_key=True),
    Column("period_s", Float, nullable=False),
    Column("since_ns", BigInteger, nullable=False),
)
