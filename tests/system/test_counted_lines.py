"""Which lines ran, by marks in the modules, is what coverage.py's tracer says, in processes that end by themselves or are killed."""

import os
import subprocess
import sys
from pathlib import Path

import counted
from coverage import Coverage, CoverageData

EVERY_KIND = '''"""A module of every kind of statement."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from enum import Enum
from functools import (
    cache,
)


@dataclass(frozen=True)
class Point:
    """Documented."""

    x: int = 0
    y: int = field if (field := 1) else 2


class Colour(Enum):
    RED = 1
    BLUE = 2

    def other(self) -> Colour:
        """The other one."""
        return Colour.BLUE if self is Colour.RED else Colour.RED


@cache
def counted(until):
    total = 0
    for number in range(until):
        if number % 2:
            continue
        elif number > 6:
            break
        else:
            total += number
    else:
        total = -1
    while total > 100: total -= 1
    return (
        total
        + 1
    )


def raising(kind):
    try:
        if kind == "value":
            raise ValueError
        int(kind)
    except TypeError:
        return 1
    except ValueError:
        found = 2
    else:
        return 3
    finally:
        last = 4
    return found + last


def matched(value):
    match value:
        case {"x": x}:
            return x
        case [first, *_] if first:
            return first
        case _:
            pass
    with contextlib.suppress(KeyError), contextlib.nullcontext():
        raise KeyError
    return None


def generated():
    global LAST
    LAST = yield 1
    del LAST


async def never():
    async with contextlib.AsyncExitStack():
        await never()


def outer():
    held = 1

    def inner():
        nonlocal held
        held += 1
        return lambda: held

    return inner()()


assert counted(3) == 0
counted(20), raising("value"), raising("7"), outer(), matched({"x": 1}), matched(())
if __name__ == "elsewhere":
    never = None
print(list(generated()), Colour.RED.other(), Point().y)
'''


def test_marks_say_what_a_tracer_says(tmp_path: Path) -> None:
    module = tmp_path / "every_kind.py"
    module.write_text(EVERY_KIND)
    traced = tmp_path / "traced"
    subprocess.run(
        [sys.executable, "-m", "coverage", "run", f"--data-file={traced}", str(module)],
        check=True, capture_output=True, env=os.environ | {"COVERAGE_RCFILE": os.devnull},
    )  # fmt: skip

    marks = bytearray(1000)
    exec(counted.marked(EVERY_KIND, module, 500), {counted.MARKS: marks, "__name__": "__main__"})
    ours = CoverageData(str(tmp_path / "marked"))
    ours.add_lines({str(module): [line for line, mark in enumerate(marks[500:]) if mark]})
    ours.write()

    missing = [_missing(data, module) for data in (traced, tmp_path / "marked")]
    never_caught = EVERY_KIND[: EVERY_KIND.index("    except TypeError")].count("\n") + 1
    not_matched = EVERY_KIND[: EVERY_KIND.index("        case [first")].count("\n") + 1
    assert missing[0]
    assert set(missing[1]) - set(missing[0]) == {never_caught, not_matched}, "what is tried but not entered"
    assert set(missing[0]) <= set(missing[1])
    assert not any(marks[:500])


def test_each_process_that_inherits_the_folder_is_counted(tmp_path: Path) -> None:
    folder = tmp_path / "lines"
    path = str(counted.ROOT / "core/thermo_core/files.py")
    never = str(counted.ROOT / "host/thermo_host/cli.py")
    counted.prepare(folder, [Path(path), Path(never)])
    lines = str(Path(counted.__file__).parent)
    environment = os.environ | {"THERMO_LINES": str(folder), "PYTHONPATH": lines}
    assert not counted.ran(folder)[path]

    killed = "import os, signal, thermo_core.files; os.kill(os.getpid(), signal.SIGKILL)"
    subprocess.run([sys.executable, "-c", killed], check=False, env=environment, cwd=tmp_path)

    reached = counted.ran(folder)
    assert reached[path]
    assert not reached[never]
    statements = Coverage(data_file=None, config_file=False).analysis2(path)[1]
    assert len(set(reached[path]) & set(statements)) < len(statements), "its functions were not called"


def _missing(data: Path, module: Path) -> list[int]:
    coverage = Coverage(data_file=str(data), config_file=False)
    coverage.load()
    missing: list[int] = coverage.analysis2(str(module))[3]
    return missing
