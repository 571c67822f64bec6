"""All command lines alike: -h, --version, one table of exit codes, and a sentence for what is wrong."""

import subprocess
import sys

import pytest

from thermo_core.exit_codes import MEANINGS, ExitCode
from thermo_core.version import software_version

PROGRAMS = ("host", "sim", "device", "quantize", "models")


def run(program: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
    script = f"import sys; from thermo_{program}.cli import main; sys.exit(main())"
    command = [sys.executable, "-c", script, *arguments]
    return subprocess.run(
        command, capture_output=True, text=True, check=False, env={"COLUMNS": "200", "PATH": "/usr/bin"}
    )


@pytest.mark.parametrize("program", PROGRAMS)
def test_help_and_version(program: str) -> None:
    short, long = run(program, "-h"), run(program, "--help")
    assert short.returncode == long.returncode == ExitCode.OK
    assert short.stdout == long.stdout
    assert "xit codes:" in long.stdout
    told = run(program, "--version")
    assert (told.returncode, told.stdout) == (ExitCode.OK, f"thermo-{program} {software_version()}\n")


@pytest.mark.parametrize("program", PROGRAMS)
def test_wrong_arguments(program: str) -> None:
    told = run(program, "no-such-command")
    assert told.returncode == ExitCode.USAGE
    assert "no-such-command" in told.stderr
    assert "Traceback" not in told.stderr


@pytest.mark.parametrize("program", ["host", "sim", "device", "quantize"])
def test_a_code_means_the_same_everywhere(program: str) -> None:
    text = " ".join(run(program, "--help").stdout.split())
    told = [code for code in ExitCode if f"{int(code)} {MEANINGS[code]}" in text]
    assert {ExitCode.OK, ExitCode.USAGE, ExitCode.FILE, ExitCode.INTERRUPTED} <= set(told)
