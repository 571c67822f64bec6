"""The table of pictures that alerts keep. Times are nanoseconds since 1970 UTC."""

from sqlalchemy import BigInteger, Column, Index, LargeBinary, String, Table

from thermo_hub.store.tables import METADATA

ALERT_PICTURE = Table(
    "alert_picture",
    METADATA,
    Column("alert", String(32), primary_key=True),
    Column("signal", String(80), primary_key=True),
    Column("wearable", String(80), nullable=False),
    Column("at_ns", BigInteger, nullable=False, comment="of its capture"),
    Column("png", LargeBinary, nullable=False, comment="the annotated picture, when the alert was raised"),
)
Index("ix_alert_picture_at", ALERT_PICTURE.c.wearable, ALERT_PICTURE.c.at_ns)
