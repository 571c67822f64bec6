"""What the firmware's files include of one another: no part has itself beneath it, and a header's name is one header."""

import re
from collections import Counter
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest
from firmware_library import FIRMWARE

ROOMS = ("core", "sensors", "stages", "update", "boot")
INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.MULTILINE)


def parts(folder: Path) -> dict[str, set[str]]:
    """Each part, a header and its source of one stem, and the parts that either includes."""
    found: dict[str, set[str]] = {}
    for room in ROOMS:
        for path in sorted((folder / room).glob("*.[ch]")):
            included = {Path(name).stem for name in INCLUDE.findall(path.read_text())}
            found.setdefault(path.stem, set()).update(included - {path.stem})
    return found


def order(folder: Path) -> list[str]:
    return list(TopologicalSorter(parts(folder)).static_order())


def test_no_part_rests_on_itself() -> None:
    found = order(FIRMWARE)
    assert found.index("board") < found.index("wearable") < found.index("self_test") < found.index("agent")


def test_a_circle_is_found(tmp_path: Path) -> None:
    (tmp_path / "core").mkdir()
    for name, other in (("a", "b"), ("b", "c"), ("c", "a")):
        (tmp_path / "core" / f"{name}.{'h' if name == 'a' else 'c'}").write_text(f'#include "{other}.h"\n')
    with pytest.raises(CycleError) as caught:
        order(tmp_path)
    assert set(caught.value.args[1]) == {"a", "b", "c"}


def test_a_name_is_of_one_header() -> None:
    names = Counter(path.name for room in (*ROOMS, "boards") for path in (FIRMWARE / room).glob("*.h"))
    assert [name for name, count in names.items() if count > 1] == []
