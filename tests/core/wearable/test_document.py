"""docs/wearable.md is what the types of a profile say."""

import re
from pathlib import Path

import msgspec

from thermo_core.wearable.document import page
from thermo_core.wearable.file import FileModel, WearableFile
from thermo_core.wearable.profile import Alert, Duration, Quantity

DOCUMENT = Path(__file__).resolve().parents[3] / "docs" / "wearable.md"


def test_the_page_is_up_to_date() -> None:
    said = "write it anew: python -m thermo_core.wearable.document docs/wearable.md"
    assert DOCUMENT.read_text(encoding="utf-8") == page(), said


def test_every_field_of_a_file_is_explained() -> None:
    rows = [[cell.strip() for cell in row.split(" | ")] for row in re.findall(r"^\| (`.*) \|$", page(), re.MULTILINE)]
    assert all(cell for row in rows for cell in row)
    listed = {row[0].strip("`") for row in rows} | {"sensors", "stages", "models", "alerts"}
    for kind in (WearableFile, FileModel, Quantity, Alert, Duration):
        assert {field.encode_name for field in msgspec.structs.fields(kind)} <= listed
