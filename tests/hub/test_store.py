"""The database: its migrations make the tables that the code has, in SQLite in WAL mode."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect, text

import thermo_hub.app  # noqa: F401  brings in the tables of all parts
from thermo_core.errors import StorageError
from thermo_hub.settings import Settings
from thermo_hub.store.store import Store, config, open_store
from thermo_hub.store.tables import METADATA


@pytest.fixture(params=["sqlite", "postgresql"])
def either(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """A store in each kind of database."""
    database = request.getfixturevalue("postgres").new() if request.param == "postgresql" else ""
    opened = open_store(Settings(folder=str(tmp_path / "hub"), database=database))
    yield opened
    opened.close()


def test_migrations_make_the_tables_that_the_code_has(either: Store) -> None:
    with either.read() as connection:
        found = compare_metadata(MigrationContext.configure(connection, opts={"compare_type": True}), METADATA)
    # Comments are for readers of the code; migrations make none.
    assert [one for one in found if not (isinstance(one, list) and one[0][0] == "modify_comment")] == []


def test_migrations_go_back_to_nothing(either: Store) -> None:
    with either.write() as connection:
        command.downgrade(config(connection), "base")
        assert set(inspect(connection).get_table_names()) <= {"alembic_version"}
        command.upgrade(config(connection), "head")


def test_sqlite_is_in_wal_mode_and_holds_references(store: Store) -> None:
    with store.read() as connection:
        assert connection.execute(text("PRAGMA journal_mode")).scalar() == "wal"
        assert connection.execute(text("PRAGMA foreign_keys")).scalar() == 1


def test_what_is_kept_is_for_its_owner_alone(settings: Settings, store: Store) -> None:
    assert settings.place.stat().st_mode & 0o777 == 0o700


def test_a_file_that_is_no_database_is_told_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "hub.sqlite").write_bytes(b"this is no database" * 100)
    with pytest.raises(StorageError, match=r"hub\.sqlite cannot be used: file is not a database; check that"):
        open_store(Settings(folder=str(tmp_path)))


def test_a_transaction_that_fails_leaves_nothing(either: Store) -> None:
    with pytest.raises(StorageError), either.write() as connection:
        connection.execute(text("INSERT INTO entry VALUES ('a', 1)"))
        connection.execute(text("INSERT INTO entry VALUES ('a', 1)"))
    with either.read() as connection:
        assert connection.execute(text("SELECT count(*) FROM entry")).scalar() == 0


def test_writers_at_once_wait_for_each_other_and_none_is_lost(either: Store) -> None:
    """Each reads before it writes; what it has read must hold until then."""
    with either.write() as connection:
        connection.execute(text("INSERT INTO entry VALUES ('count', 0)"))

    def count(times: int) -> None:
        for _ in range(times):
            with either.write() as connection:
                known = connection.execute(text("SELECT expires_ns FROM entry")).scalar_one()
                connection.execute(text("UPDATE entry SET expires_ns = :next"), {"next": known + 1})

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(count, [25] * 8))
    with either.read() as connection:
        assert connection.execute(text("SELECT expires_ns FROM entry")).scalar_one() == 200
