"""What is known of wearables of other hubs, and their records where they are kept in the database."""

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, String, Table

from thermo_hub.store.tables import METADATA

HEARD_MARK = Table(
    "heard_mark",
    METADATA,
    Column("site", String(64), primary_key=True),
    Column("wearable", String(80), primary_key=True),
    Column("boot", BigInteger, primary_key=True, autoincrement=False),
    Column("sequence", BigInteger, nullable=False, comment="up to which all is kept that its hub still had"),
    Column("place", BigInteger, nullable=False, comment="counts up, so that the newest is known"),
)

HEARD_BIRTH = Table(
    "heard_birth",
    METADATA,
    Column("site", String(64), primary_key=True),
    Column("wearable", String(80), primary_key=True),
    Column("session", String(16), primary_key=True, comment="id that records name"),
    Column("data", LargeBinary, nullable=False),
    Column("at_ns", BigInteger, nullable=False),
)

HEARD_SECOND = Table(
    "heard_second",
    METADATA,
    Column("site", String(64), primary_key=True),
    Column("wearable", String(80), primary_key=True),
    Column("boot", BigInteger, primary_key=True, autoincrement=False),
    Column("first", BigInteger, primary_key=True, autoincrement=False, comment="sequence of its first record"),
    Column("last", BigInteger, nullable=False),
    Column("records", Integer, nullable=False),
    Column("received_ns", BigInteger, nullable=False, comment="arrival of the first record at its hub"),
    Column("data", LargeBinary, nullable=False, comment="a message of records"),
    Index("ix_heard_second_received_ns", "received_ns"),
)

HEARD_FILE = Table(
    "heard_file",
    METADATA,
    Column("name", String(80), primary_key=True),
    Column("size", BigInteger, nullable=False, comment="bytes that marks tell of; what is behind them came of a kill"),
)
