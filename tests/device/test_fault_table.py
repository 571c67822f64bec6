"""The table of event codes in docs/wire.md and the codes in the agent are the same."""

import re
from pathlib import Path

from thermo_device.counters import FAULTS
from thermo_device.telemetry import Notice

DOCUMENT = Path(__file__).parents[2] / "docs" / "wire.md"
ROW = re.compile(r"^\| (\d+) \| (?:`(\w+)`)? ?\| (information|warning|error) \| (.+) \|$", re.MULTILINE)
SEVERITY = {0: "information", 1: "warning", 2: "error"}


def test_every_code_is_documented_as_it_is_sent() -> None:
    rows = {int(code): (name, severity, text) for code, name, severity, text in ROW.findall(DOCUMENT.read_text())}
    sent = {fault.code: (name, SEVERITY[fault.severity], fault.text) for name, fault in FAULTS.items()}
    assert {code: row for code, row in rows.items() if code < 100} == sent
    assert {code for code in rows if code >= 100} == set(Notice)
