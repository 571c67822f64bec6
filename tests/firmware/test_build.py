"""The built firmware as an object: what it may not contain, and the budgets it is held to."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from board_probe import ROOT, build

SIZE_REPORT = ROOT / "device/firmware/size_report.py"
FORBIDDEN = re.compile(
    r"^(_?(malloc|calloc|realloc|free|sbrk)(_r)?|\w*printf\w*|\w*scanf\w*|powf?|__aeabi_d(add|sub|mul|div|cmp\w+)"
    r"|__aeabi_(f2d|i2d|ui2d|l2d|ul2d)|__(add|sub|mul|div)df3|setjmp|longjmp)$"
)


@pytest.fixture(scope="module")
def wearable(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build("mps2_an386", tmp_path_factory.mktemp("wearable"))


def output(*command: str | Path) -> str:
    return subprocess.run(list(map(str, command)), capture_output=True, text=True, check=True).stdout


def test_it_has_no_heap_no_printf_and_no_double(wearable: Path) -> None:
    names = [line.split()[-1] for line in output("arm-none-eabi-nm", wearable).splitlines()]
    assert "agent_step" in names
    assert [name for name in names if FORBIDDEN.match(name)] == []


def calls(wearable: Path) -> dict[str, set[str]]:
    """Functions each function calls or jumps to; names carry addresses, since static ones may repeat."""
    graph: dict[str, set[str]] = {}
    function = ""
    for line in output("arm-none-eabi-objdump", "-d", "--no-show-raw-insn", wearable).splitlines():
        if begins := re.match(r"0*([0-9a-f]+) <([\w.]+)>:$", line):
            function = f"{begins[2]}@{begins[1]}"
            graph[function] = set()
        elif goes := re.search(r"\s(b\S*)\s+([0-9a-f]+) <([\w.]+)>", line):
            target = f"{goes[3]}@{goes[2]}"
            if target != function or goes[1].startswith("bl"):  # a loop may jump to its function's first instruction
                graph[function].add(target)
    return graph


def test_nothing_calls_itself(wearable: Path) -> None:
    """The stack has a known depth: no function reaches itself by calls."""
    graph = calls(wearable)
    (application,) = (name for name in graph if name.startswith("application@"))
    assert {name.partition("@")[0] for name in graph[application]} >= {"agent_init", "agent_step"}
    finished: set[str] = set()

    def visit(name: str, path: tuple[str, ...]) -> None:
        assert name not in path, " -> ".join((*path, name))
        if name not in finished:
            for callee in graph.get(name, ()):
                visit(callee, (*path, name))
            finished.add(name)

    for name in graph:
        visit(name, ())
    assert len(finished) > 150


def _found(pattern: str, text: str) -> str:
    match = re.search(pattern, text)
    assert match is not None, text
    return match[1]


def report(wearable: Path, ram: int, flash: int) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, str(SIZE_REPORT), str(wearable), "--ram", str(ram), "--flash", str(flash)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_it_fits_its_budgets_and_the_report_would_say_otherwise(wearable: Path) -> None:
    fits = report(wearable, 65536, 98304)
    assert fits.returncode == 0, fits.stdout
    ram, flash = (int(_found(rf"{name}\s+([\d,]+) of", fits.stdout).replace(",", "")) for name in ("RAM", "weights"))
    sections = {
        row[0]: int(row[1])
        for row in map(str.split, output("arm-none-eabi-size", "-A", wearable).splitlines())
        if len(row) == 3 and row[0].startswith(".")
    }
    weights = int(_found(r"weights and tables\s+([\d,]+)", fits.stdout).replace(",", ""))
    assert ram == sum(sections[name] for name in (".stack", ".data", ".bss", ".noinit"))
    assert flash + weights == sections[".text"] + sections[".ARM.exidx"] + sections[".data"] and weights > 10_000
    for limits in ((ram - 1, flash), (ram, flash - 1)):
        over = report(wearable, *limits)
        assert over.returncode == 1 and "over its budget" in over.stderr
