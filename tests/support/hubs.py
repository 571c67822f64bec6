"""Hubs as tests use them: one in a process of its own, and a browser's place at one in this process."""

import contextlib
import os
import re
import select
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from patience import WAIT_S
from running import Running
from starlette.testclient import TestClient

from thermo_hub.security.cookies import name_of
from thermo_hub.security.door import Door
from thermo_hub.security.roles import Role
from thermo_hub.settings import Settings
from thermo_hub.store.store import Store

ORIGIN = "http://127.0.0.1:8123"


@dataclass
class Serving:
    """A hub that runs."""

    link: str
    folder: Path
    patch: Running

    @property
    def origin(self) -> str:
        return self.link.partition("/enter")[0]

    def new_link(self) -> str:
        """Another way in, as `thermo-hub link` gives it."""
        return link_in(command("link", "--folder", str(self.folder)))


def command(*words: str) -> str:
    """What a command of the hub prints."""
    run = [sys.executable, "-m", "thermo_hub.cli", *words]
    return subprocess.run(run, capture_output=True, text=True, check=True, env=os.environ).stdout


def link_in(said: str) -> str:
    found = re.search(r"http://\S+", said)
    assert found is not None, said
    return found[0]


@contextlib.contextmanager
def serving(folder: Path, patch: Running, *others: Running) -> Iterator[Serving]:
    words = ["run", *(str(one.link) for one in (patch, *others)), "--http-port", "0", "--folder", str(folder)]
    command_line = [sys.executable, "-m", "thermo_hub.cli", *words]
    with (
        tempfile.TemporaryFile("w+") as errors,
        subprocess.Popen(command_line, stdout=subprocess.PIPE, stderr=errors, text=True) as process,
    ):
        assert process.stdout is not None
        try:
            readable, _, _ = select.select([process.stdout], [], [], WAIT_S)
            assert readable, "the hub says nothing"
            yield Serving(link_in(process.stdout.readline()), folder, patch)
            if process.poll() is not None:
                errors.seek(0)
                pytest.fail(f"the hub ended with {process.returncode} and said: {errors.read()}")
        finally:
            process.terminate()


@dataclass
class Visit:
    """A browser's place at a hub in this process."""

    client: TestClient
    door: Door
    settings: Settings
    store: Store

    def come_in(self) -> str:
        """Use a link; the CSRF token."""
        assert self.client.get(f"/enter?token={self.door.token()}", follow_redirects=False).status_code == 303
        csrf: str = self.client.get("/api/me").json()["csrf"]
        return csrf

    def be(self, *roles: str) -> str:
        """Come in with some roles alone; the CSRF token."""
        self.door.scopes.assign("somebody", ["*"], "a test")
        return self.see(*roles)

    def see_only(self, wearable: str, *roles: str) -> str:
        """Come in with some roles alone, and see one wearable alone; the CSRF token."""
        self.door.scopes.assign("somebody", [wearable], "a test")
        return self.see(*roles)

    def see(self, *roles: str) -> str:
        """The same, and see what was assigned before."""
        cookie = self.door.let_in("somebody", frozenset(Role(role) for role in roles))
        self.client.cookies.clear()
        self.client.cookies.set(name_of(self.settings), cookie)
        csrf: str = self.client.get("/api/me").json()["csrf"]
        return csrf
