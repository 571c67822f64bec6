"""Every name that the agent counts by is one of the table that both ends and docs/wire.md share."""

import re
from pathlib import Path

from thermo_core.wire.events import COUNTS, FAULTS, NOTICES

AGENT = Path(__file__).parents[2] / "device" / "thermo_device"
COUNTED = re.compile(r"""(?:\.add|_lose|_count)\(\s*"(\w+)\"""")
NOTICED = re.compile(r"""_notice\(\s*"(\w+)\"""")


def test_what_is_counted_is_in_the_table() -> None:
    text = "".join(path.read_text() for path in AGENT.rglob("*.py"))
    counted, noticed = set(COUNTED.findall(text)), set(NOTICED.findall(text))
    assert len(counted) > 15 and len(noticed) > 4
    assert counted <= set(FAULTS) | set(COUNTS)
    assert noticed <= set(NOTICES)
