"""`thermo-device` as a program: which bus it needs, and what it says where there is none."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from thermo_core.exit_codes import ExitCode
from thermo_core.wire.smp import Group, Op, SmpHeader, SmpMessage, encode_packets
from thermo_core.wire.table import Command
from thermo_device.application import run

NOWHERE = "/dev/i2c-nowhere"
OUTSIDE = """
name = "outside"
version = "1"
[[sensors]]
name = "pulse"
kind = "external"
rate_hz = 1.0
"""


@pytest.fixture
def outside(tmp_path: Path) -> str:
    """A wearable that is given everything."""
    path = tmp_path / "wearable.toml"
    path.write_text(OUTSIDE)
    return str(path)


def test_a_wearable_without_chips_is_served_on_a_board_without_a_bus(outside: str, tmp_path: Path) -> None:
    master, slave = os.openpty()
    words = [
        "run",
        "--port",
        os.ttyname(slave),
        "--bus",
        NOWHERE,
        "--wearable",
        outside,
        "--state",
        str(tmp_path / "s"),
    ]
    agent = subprocess.Popen(
        [sys.executable, "-m", "thermo_device.cli", *words],
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
    )
    assert agent.stderr is not None
    try:
        for said in agent.stderr:
            assert NOWHERE not in said
            if "serving" in said:
                break
        else:
            raise AssertionError(f"it ended with {agent.wait()}")
        hello = SmpMessage(SmpHeader(Op.READ, Group.THERMO, Command.HELLO, 1), {})
        os.write(master, encode_packets(hello.encode()))
        assert os.read(master, 4096)
    finally:
        agent.send_signal(signal.SIGTERM)
        agent.communicate()
        os.close(master)
        os.close(slave)
    assert agent.returncode == ExitCode.OK


def test_a_wearable_with_chips_says_at_once_that_there_is_no_bus(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for words in (["run", "--port", "/dev/null", "--state", str(tmp_path / "s")], ["self-test"]):
        assert run([*words, "--bus", NOWHERE]) == ExitCode.USAGE
        said = capsys.readouterr().err
        assert f"The I2C bus {NOWHERE} cannot be opened" in said and "Traceback" not in said


@pytest.mark.parametrize("port", ["/dev/null", "wearable.toml", "."])
def test_what_can_never_be_a_serial_port_is_said_and_ends_it(
    outside: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], port: str
) -> None:
    words = ["run", "--port", str(tmp_path / port), "--wearable", outside, "--state", str(tmp_path / "s")]
    assert run(words) == ExitCode.USAGE
    assert "is no serial port" in capsys.readouterr().err


def test_the_self_test_of_a_wearable_without_chips_needs_no_bus(
    outside: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["self-test", "--bus", NOWHERE, "--wearable", outside]) == ExitCode.OK
    assert "nothing to test" in capsys.readouterr().out
