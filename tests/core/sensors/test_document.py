"""docs/sensors.md is what the registry says."""

from pathlib import Path

from thermo_core.sensors import SETTINGS
from thermo_core.sensors.document import page

DOCUMENT = Path(__file__).resolve().parents[3] / "docs" / "sensors.md"


def test_the_page_is_up_to_date() -> None:
    said = "write it anew: python -m thermo_core.sensors.document docs/sensors.md"
    assert DOCUMENT.read_text(encoding="utf-8") == page(), said


def test_every_setting_of_every_kind_is_explained() -> None:
    rows = [line for line in page().splitlines() if line.startswith("| `") and line.count("|") == 5]
    empty = [row for row in rows if row.endswith("|  |")]
    assert len(rows) > 5 * len(SETTINGS) // 2
    assert not empty
