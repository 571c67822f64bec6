"""The README's first session, command by command as it stands there, from a clone."""

import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.lengthy

ROOT = Path(__file__).parents[2]
LINK = "/tmp/thermo0"


def session() -> list[list[str]]:
    """Commands of the section, as words."""
    section = (ROOT / "README.md").read_text().split("## A first session by hand")[1].split("\n## ")[0]
    return [shlex.split(line) for line in re.findall(r"^\$ (.+)$", section, re.MULTILINE)]


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A folder that looks like the clone, in which a session may leave its files."""
    folder = tmp_path / "clone"
    folder.mkdir()
    for entry in ROOT.iterdir():
        if not entry.name.startswith("."):
            (folder / entry.name).symlink_to(entry)
    return folder


def test_the_first_session_works_as_it_stands(start_wearable: Callable[..., Any], clone: Path, tmp_path: Path) -> None:
    wearable, *commands = session()
    assert wearable[:2] == ["thermo-sim", "wearable"]
    options = wearable[2:]
    at = options.index("--link")
    assert options[at + 1] == LINK
    # Only the name of the port and the pace are the test's own: others on the machine may use that port.
    del options[at : at + 2]
    link = start_wearable(*options, "--speed", "max", link=tmp_path / "thermo0").link
    assert [command[1] for command in commands] == ["ports", "flash", "calibrate", "record", "replay", "export"]
    for program, *arguments in commands:
        assert program == "thermo-host"
        words = [str(link) if word == LINK else word for word in arguments]
        done = subprocess.run(
            [sys.executable, "-m", "thermo_host.cli", *words],
            cwd=clone,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{' '.join(words)}: {done.stderr}"
    assert {"cal", "night.mcap", "night.npz"} <= {entry.name for entry in clone.iterdir()}


def test_every_file_that_documents_name_is_there() -> None:
    """Paths of the clone in the README's commands; what a command makes is somebody's own."""
    text = (ROOT / "README.md").read_text()
    named = set(
        re.findall(r"(?<![\w/.])((?:models|hw_sim|device|docs|bench|locks|demo|core|host|tests)/[\w./-]+\w)", text)
    )
    assert len(named) > 20
    assert {path for path in named if not (ROOT / path).exists()} == set()
