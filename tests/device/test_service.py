"""The systemd unit and README's lines for a Pi say what the agent's command line and this clone know."""

import re
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import typer

from thermo_device.application import application
from thermo_device.keys import DEFAULT_DIRECTORY

ROOT = Path(__file__).parents[2]
UNIT = ROOT / "device" / "thermo-device.service"
README = (ROOT / "README.md").read_text()
MOST_EXPOSED = 1.0
"""Of 10, as systemd counts: what is left is the I2C bus, the serial ports and the board's serial number in /proc."""


def parsed(words: list[str]) -> dict[str, Any]:
    """What the command line makes of these words."""
    command = typer.main.get_command(application())
    with command.make_context("thermo-device", words[:1], resilient_parsing=True) as context:
        name, chosen, _ = command.resolve_command(context, words[:1])  # type: ignore[attr-defined]
    with chosen.make_context(name, words[1:]) as context:
        return dict(context.params)


def settings(name: str) -> list[str]:
    return re.findall(rf"^{name}=(.*)$", UNIT.read_text(), re.MULTILINE)


def test_the_unit_starts_the_agent_as_its_command_line_knows() -> None:
    (arguments,) = settings("Environment")
    (start,) = settings("ExecStart")
    words = shlex.split(start.replace("$THERMO_ARGS", shlex.split(arguments)[0].removeprefix("THERMO_ARGS=")))
    assert words[0].endswith("/bin/thermo-device")
    options = parsed(words[1:])
    assert (options["bus"], options["port"], options["trust"]) == ("/dev/i2c-1", "/dev/ttyGS0", ())
    example = re.search(r"example: THERMO_ARGS=(.*)", UNIT.read_text())
    assert example and parsed(["run", *shlex.split(example[1])])["port"] == "/dev/serial0"
    assert str(DEFAULT_DIRECTORY) in UNIT.read_text()


def test_the_comments_install_what_the_unit_starts() -> None:
    text = UNIT.read_text()
    (start,) = settings("ExecStart")
    folder = Path(start.split()[0]).parents[1]
    assert f"python3 -m venv {folder}" in text and f"{folder}/bin/pip install" in text
    assert "thermo-edge[" not in text, "no package of that name is anywhere"
    for file in re.findall(r"-r (\S+)", text):
        assert (ROOT / file).exists()
    (user,) = settings("User")
    (groups,) = settings("SupplementaryGroups")
    assert f"useradd --system --groups {','.join(groups.split())} {user}" in text


def test_readme_installs_the_same_way() -> None:
    text = README.split("## On a Raspberry Pi")[1].split("\n## ")[0]
    for line in re.findall(r"^(?:\S*/)?thermo-device (.*?)(?:\s+#.*)?$", text, re.MULTILINE):
        parsed(shlex.split(line))
    assert "thermo-device run" in text and "i2c,dialout" in text and UNIT.name in text


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze not found; install systemd")
def test_the_unit_is_hardened() -> None:
    said = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--no-pager", str(UNIT)],
        capture_output=True,
        text=True,
        check=False,
    )
    if "offline" in said.stderr:
        pytest.skip("systemd before 251 looks at running services only")
    figure = re.search(r"Overall exposure level for .*: (\d+\.\d)", said.stdout)
    assert figure and float(figure[1]) <= MOST_EXPOSED, said.stdout
