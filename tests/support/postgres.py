"""Debian's PostgreSQL in a temporary folder, for as long as tests need one."""

import itertools
import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

USER = "hub"
NOBODY = 65534
FAST = ("-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off")
"""Nothing of it outlives the test."""


class Postgres:
    """A server of this machine."""

    def __init__(self, port: int, folder: Path) -> None:
        self.port, self.folder = port, folder
        self._numbers = itertools.count(1)

    def new(self) -> str:
        """URL of an empty database."""
        name = f"hub{next(self._numbers)}"
        self.execute(f"CREATE DATABASE {name}")
        return f"postgresql+psycopg://{USER}@127.0.0.1:{self.port}/{name}"

    def execute(self, statement: str) -> None:
        where = f"host=127.0.0.1 port={self.port} user={USER} dbname=postgres"
        with psycopg.connect(where, autocommit=True) as connection:
            connection.execute(statement.encode())


def programs() -> Path | None:
    """Where initdb and postgres are: Debian puts them beside no other program."""
    for folder in sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True):
        if (folder / "initdb").exists():
            return folder
    found = shutil.which("initdb")
    return None if found is None else Path(found).resolve().parent


@contextmanager
def postgres() -> Iterator[Postgres]:
    """A server; the test is skipped where there is none to start."""
    found = programs()
    if found is None:
        pytest.skip("PostgreSQL is not installed; apt install postgresql")
    folder = Path(tempfile.mkdtemp(prefix="thermo-postgres-", dir="/dev/shm" if Path("/dev/shm").is_dir() else None))
    other: list[str] = []
    if os.geteuid() == 0:
        # It refuses to run as root.
        os.chown(folder, NOBODY, NOBODY)
        other = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
    data = folder / "data"
    try:
        made = [*other, str(found / "initdb"), "-D", str(data), "-U", USER, "-A", "trust", "-E", "UTF8", "--no-sync"]
        subprocess.run(made, check=True, capture_output=True, cwd=folder)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={folder} {' '.join(FAST)}"
        control = [*other, str(found / "pg_ctl"), "-D", str(data), "-w", "-t", "120"]
        subprocess.run(
            [*control, "-l", str(folder / "log"), "-o", options, "start"],
            check=True,
            cwd=folder,
            stdout=subprocess.DEVNULL,
        )
        try:
            yield Postgres(port, folder)
        finally:
            subprocess.run([*control, "-m", "immediate", "stop"], check=True, cwd=folder, stdout=subprocess.DEVNULL)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
