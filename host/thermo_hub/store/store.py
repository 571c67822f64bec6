"""The database of a hub: SQLite in WAL mode unless settings name PostgreSQL; brought to this version's tables when it is opened."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import SQLAlchemyError

from thermo_core.errors import StorageError
from thermo_core.files import make_folder
from thermo_core.text import clean
from thermo_hub.settings import Settings

BUSY_S = 30.0
"""How long a writer of SQLite waits for another."""
WRITES = "thermo_hub_writes"
WRITER = 0x7468_6875_6277
"""Number of the lock of PostgreSQL that a transaction holds which writes."""
MIGRATIONS = Path(__file__).parent / "migrations"


class Store:
    """A database that is open. Made by `open_store`.

    Both contexts may be used in any thread, but not in the event loop, which would wait for the disk: endpoints that are `def` and
    `asyncio.to_thread` are the places.

    Attributes:
        engine: SQLAlchemy's.
    """

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    @contextlib.contextmanager
    def read(self) -> Iterator[Connection]:
        """A connection to look something up with."""
        with _told(self.engine), self.engine.connect() as connection:
            yield connection

    @contextlib.contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction: all of it is kept when the block ends, or nothing where it fails."""
        with _told(self.engine), _writing(self.engine).begin() as connection:
            yield connection

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()


def open_store(settings: Settings) -> Store:
    """Open the database, make it where it is not there, and bring its tables to this version.

    Raises:
        StorageError: it cannot be opened, or belongs to a newer version.
    """
    url = settings.database_url
    if not settings.database:
        make_folder(settings.place)
        settings.place.chmod(0o700)
    engine = create_engine(url, pool_pre_ping=not url.startswith("sqlite"))
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _set_up_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    else:
        event.listen(engine, "begin", _begin_postgresql)
    with _told(engine):
        _migrate(engine)
    return Store(engine)


def config(connection: Connection | None = None) -> Config:
    """Settings of Alembic for our migrations."""
    found = Config()
    found.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    found.attributes["connection"] = connection
    return found


def _migrate(engine: Engine) -> None:
    with _writing(engine).begin() as connection:
        command.upgrade(config(connection), "head")


def _writing(engine: Engine) -> Engine:
    """The same engine for transactions that write."""
    return engine.execution_options(**{WRITES: True})


def _begin_sqlite(connection: Connection) -> None:
    """Begin; with the lock where it is to be written, because one that has read cannot get it any more once another has written."""
    connection.exec_driver_sql("BEGIN IMMEDIATE" if connection.get_execution_options().get(WRITES) else "BEGIN")


def _begin_postgresql(connection: Connection) -> None:
    """Have one transaction write after the other there too: what one has read, no other changes before it has written."""
    if connection.get_execution_options().get(WRITES):
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({WRITER})")


def _set_up_sqlite(connection: Any, _: object) -> None:
    connection.isolation_level = None  # SQLAlchemy begins, not the driver
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON", f"busy_timeout={int(BUSY_S * 1000)}"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


@contextlib.contextmanager
def _told(engine: Engine) -> Iterator[None]:
    """Turn what the database says into a sentence of ours."""
    try:
        yield
    except SQLAlchemyError as error:
        where = engine.url.render_as_string(hide_password=True)
        reason = clean(str(getattr(error, "orig", None) or error).splitlines()[0].rstrip("."))
        raise StorageError(
            f"The hub's database {where} cannot be used: {reason}; check that it is there, whole and not full."
        ) from error
