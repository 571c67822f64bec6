"""The conformance suite on boards that are slow to emulate: what passes, what fails, what does not run and why.

Called by `boards.py`. Each board takes half an hour or so, because everything is emulated in its own time.
"""

import os
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree
from collections import Counter
from pathlib import Path

from thermo_core.errors import ThermoError
from thermo_sim.rp2040 import compiled

ROOT = Path(__file__).resolve().parents[1]
SUITE = ("tests/firmware/conformance", "tests/firmware/test_fed_wearables.py")


def show(boards: list[str], only: str) -> int:
    """Run and print; 1 where something fails.

    Args:
        boards: kinds of boards.
        only: tests whose names match, as of pytest's -k; "" for all.
    """
    failed = 0
    settings = {**os.environ, **faster(boards)}
    for board in boards:
        with tempfile.TemporaryDirectory(prefix="thermo-bench-") as folder:
            report = Path(folder) / "report.xml"
            command = [sys.executable, "-m", "pytest", "-v", "-n", "0", "-p", "no:cacheprovider", "--timeout=7200"]
            command += ["--basetemp", f"{folder}/pytest-0", "--junit-xml", str(report), *SUITE, "-k", only or "test"]
            subprocess.run(command, cwd=ROOT, env={**settings, "THERMO_BOARDS": board}, check=False)
            failed += _print(board, report)
    return bool(failed)


def faster(boards: list[str]) -> dict[str, str]:
    """What a program's environment needs to emulate boards as fast as this computer can."""
    if "rp2040" not in boards:
        return {}
    try:
        return {
            "PYTHONPATH": os.pathsep.join([str(compiled.build()), *os.environ.get("PYTHONPATH", "").split(os.pathsep)])
        }
    except ThermoError as error:
        print(f"boards: {error}", file=sys.stderr)
        return {}


def _print(board: str, report: Path) -> int:
    counted: dict[str, Counter[str]] = {}
    reasons: list[str] = []
    for case in ElementTree.parse(report).iter("testcase"):
        said = next((one for one in case if one.tag in ("failure", "error", "skipped")), None)
        word = "passed" if said is None else "not run" if said.tag == "skipped" else "failed"
        counted.setdefault(str(case.get("classname")).rpartition(".")[2], Counter())[word] += 1
        if said is not None:
            reasons.append(f"  {word}: {case.get('name')}: {str(said.get('message')).splitlines()[0][:150]}")
    print(f"{board:30}{'passed':>8}{'failed':>8}{'not run':>9}{'':4}")
    for name, words in counted.items():
        print(f"  {name:28}{words['passed']:>8}{words['failed']:>8}{words['not run']:>9}")
    print("\n".join(reasons), flush=True)
    return sum(words["failed"] for words in counted.values())
