"""How a command ends when a signal interrupts it, wherever it is."""

import signal
import subprocess
import sys
import threading
import tomllib
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import NoReturn

import pytest
import typer
from interrupted import at_each_instruction

from thermo_core import command_line, entry
from thermo_core.exit_codes import ExitCode

PROGRAMS = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]["scripts"]


def waits() -> None:
    condition = threading.Condition()
    with condition:
        condition.wait(0.001)


def application(command: Callable[[], None]) -> Callable[[], typer.Typer]:
    app = typer.Typer()
    app.command()(command)
    return lambda: app


def failing(error: BaseException) -> Callable[[], NoReturn]:
    def fail() -> NoReturn:
        raise error

    return fail


def test_a_signal_is_told_as_one_also_amid_a_locks_own_bookkeeping(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    kinds = set()
    for error in at_each_instruction(waits):
        kinds.add(type(error))
        assert command_line.run("thermo-test", application(failing(error)), []) == ExitCode.TERMINATED
        assert capsys.readouterr().err == "thermo-test: ended by SIGTERM.\n"
        monkeypatch.setitem(sys.modules, "failing", SimpleNamespace(run=lambda words, error=error: failing(error)()))
        with pytest.raises(SystemExit) as ended:
            entry.enter("failing")
        assert ended.value.code == 128 + signal.SIGTERM
    assert RuntimeError in kinds, "no lock failed to be given back: this test looks at nothing"


def test_a_bug_is_still_told_as_one(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    fails = failing(RuntimeError("broken"))
    assert command_line.run("thermo-test", application(fails), []) == ExitCode.BUG
    assert "a bug in thermo-test (broken)" in capsys.readouterr().err
    monkeypatch.setitem(sys.modules, "failing", SimpleNamespace(run=lambda words: fails()))
    with pytest.raises(RuntimeError, match="broken"):
        entry.enter("failing")


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_program_obeys_signals_before_it_loads_what_takes_long(program: str) -> None:
    module, _, function = PROGRAMS[program].partition(":")
    words = (
        f"import sys; before = set(sys.modules); from {module} import {function}; print(*(set(sys.modules) - before))"
    )
    loaded = subprocess.run([sys.executable, "-c", words], capture_output=True, text=True, check=True).stdout.split()
    package = module.partition(".")[0]
    ours = {"thermo_core", "thermo_core.entry", package, module}
    assert ours <= set(loaded)
    assert not [name for name in loaded if name not in ours and name.partition(".")[0] not in sys.stdlib_module_names]
