"""Tables, the same in SQLite and PostgreSQL. Times are nanoseconds since 1970 UTC.

A change here comes with a file in `migrations/versions`, which `tests/hub/test_store.py` holds to these tables.
"""

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, Integer, LargeBinary, MetaData, String, Table

METADATA = MetaData(
    naming_convention={
        "ix": "ix_%(column_0_label)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

WEARABLE = Table(
    "wearable",
    METADATA,
    Column("id", String(80), primary_key=True, comment="as in addresses of pages: its serial number"),
    Column("serial", String(64), nullable=False),
    Column("profile", String(64), nullable=False, comment="name of what it is"),
    Column("label", String(80), nullable=False, server_default="", comment="what people call it"),
    Column("port", String(255), nullable=False, server_default="", comment="where it was last"),
    Column("first_ns", BigInteger, nullable=False),
    Column("last_ns", BigInteger, nullable=False, comment="last sign of it"),
)

ENTRY = Table(
    "entry",
    METADATA,
    Column("token_sha256", String(64), primary_key=True, comment="of a one-time token, which itself is kept nowhere"),
    Column("expires_ns", BigInteger, nullable=False),
)

VISIT = Table(
    "visit",
    METADATA,
    Column("token_sha256", String(64), primary_key=True, comment="of the cookie"),
    Column("csrf", String(64), nullable=False, comment="what every request that changes something must carry"),
    Column("name", String(80), nullable=False),
    Column("roles", String(255), nullable=False, comment="separated by spaces"),
    Column("since_ns", BigInteger, nullable=False),
    Column("expires_ns", BigInteger, nullable=False),
)

BASELINE = Table(
    "baseline",
    METADATA,
    Column("wearable", String(80), ForeignKey("wearable.id"), primary_key=True),
    Column("signal", String(80), primary_key=True),
    Column("basis", String(64), nullable=False, comment="of what sensor and correction it was learned"),
    Column("state", LargeBinary, nullable=False, comment="what is usual of the wearer's picture"),
    Column("updated_ns", BigInteger, nullable=False),
    Column("samples", Integer, nullable=False),
)

ASSIGNMENT = Table(
    "assignment",
    METADATA,
    Column("account", String(64), primary_key=True, comment="name of it"),
    Column("wearable", String(80), primary_key=True, comment="id of one that it sees; * for all"),
    Column("by", String(80), nullable=False, comment="who assigned it"),
    Column("at_ns", BigInteger, nullable=False),
)

ACCESS = Table(
    "access",
    METADATA,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("at_ns", BigInteger, nullable=False),
    Column("who", String(80), nullable=False, comment="name of the visitor"),
    Column("roles", String(255), nullable=False, comment="that they had then, separated by spaces"),
    Column("wearable", String(80), nullable=False, comment="id of the one that was looked at; empty for all of them"),
    Column("action", String(16), nullable=False, comment="read, live, export or change"),
    Column("what", String(200), nullable=False, comment="method and path of the route"),
    Column("ok", Boolean, nullable=False, comment="whether the visitor's role may"),
)
Index("ix_access_wearable", ACCESS.c.wearable, ACCESS.c.at_ns)

CONSENT = Table(
    "consent",
    METADATA,
    Column("id", String(32), primary_key=True),
    Column("wearable", String(80), nullable=False),
    Column("purpose", String(16), nullable=False, comment="sharing, research or training"),
    Column("given", Boolean, nullable=False, comment="else withdrawn"),
    Column("by", String(80), nullable=False),
    Column("at_ns", BigInteger, nullable=False),
    Column("note", String(500), nullable=False),
)
Index("ix_consent_wearable", CONSENT.c.wearable, CONSENT.c.at_ns)
