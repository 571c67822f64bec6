"""Tables of trends. Numbers are whole steps of a thousandth of the unit of their series, so that sums are exact whatever their order."""

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, SmallInteger, String, Table

from thermo_hub.store.tables import METADATA

SERIES = Table(
    "trend_series",
    METADATA,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("wearable", String(80), nullable=False),
    Column("name", String(120), nullable=False, comment='as "skin.max", "spots.0" or "core.core"'),
    Column("label", String(120), nullable=False, comment="what people call it"),
    Column("unit", String(16), nullable=False),
)
Index("uq_trend_series", SERIES.c.wearable, SERIES.c.name, unique=True)

ROLLUP = Table(
    "trend_rollup",
    METADATA,
    Column("series", Integer, primary_key=True, autoincrement=False),
    Column(
        "width", SmallInteger, primary_key=True, autoincrement=False, comment="0 of a minute, 1 of an hour, 2 of a day"
    ),
    Column("start_ns", BigInteger, primary_key=True, autoincrement=False),
    Column("end_ns", BigInteger, nullable=False),
    Column("n", Integer, nullable=False, comment="samples"),
    Column("doubtful", Integer, nullable=False, comment="samples left out because they cannot be believed"),
    Column("lost", Integer, nullable=False, comment="blocks of the wearable that did not come"),
    Column("total", BigInteger, nullable=False, comment="sum of the samples"),
    Column("low", BigInteger, nullable=False),
    Column("p5", BigInteger, nullable=False),
    Column("p95", BigInteger, nullable=False),
    Column("high", BigInteger, nullable=False),
    Column("uncertainty", BigInteger, nullable=True, comment="k = 2, of the calibration in use; the largest"),
    Column("ambient", BigInteger, nullable=True, comment="sum of the means of minutes, thousandths of a degC"),
    Column("ambients", Integer, nullable=False, comment="how many minutes know it"),
    Column("calibration", String(16), nullable=False, comment="id of it; several of one stretch are 'several'"),
    sqlite_with_rowid=False,
)

COUNTS = Table(
    "trend_counts",
    METADATA,
    Column("series", Integer, primary_key=True, autoincrement=False),
    Column("start_ns", BigInteger, primary_key=True, autoincrement=False, comment="of the minute"),
    Column("counts", LargeBinary, nullable=False, comment="values and how often each came, until the day is over"),
    sqlite_with_rowid=False,
)
