"""A kind of sensor and an operation are named in their own files and in one row a room: nothing else may depend on one.

Prose may name them. What counts in Python is what runs: imports, names and texts; in C, everything but comments.
"""

import ast
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from thermo_core.sensors import SETTINGS
from thermo_core.stages import OPS

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("core", "device", "host", "hw_sim", "quantize")
"""Models are made for kinds and of stages; benches and tests try them."""
KINDS = [str(kind.__struct_config__.tag) for kind in SETTINGS if kind.__struct_config__.tag != "external"]
"""What comes from outside is no chip: a noun of the wire (command 11), of the agent and of `thermo-host feed`."""

REGISTRIES = frozenset(
    {
        "core/thermo_core/sensors/__init__.py",
        "core/thermo_core/sensors/correction.py",
        "core/thermo_core/sensors/document.py",
        "core/thermo_core/sensors/kinds.py",
        "device/thermo_device/sensors/table.py",
        "host/thermo_host/calibrate/kinds/__init__.py",
        "hw_sim/thermo_sim/chips/kinds.py",
        "quantize/thermo_quantize/firmware_sensors.py",
    }
)
"""A row for each kind of sensor."""
STAGE_REGISTRIES = frozenset(
    {
        "core/thermo_core/stages/__init__.py",
        "core/thermo_core/stages/document.py",
        "device/firmware/stages/registry.c",
        "quantize/thermo_quantize/compiler/graph/costs.py",
        "quantize/thermo_quantize/compiler/graph/rows/pictures.py",
        "quantize/thermo_quantize/compiler/graph/rows/bodies.py",
        "quantize/thermo_quantize/compiler/graph/rows/elements.py",
        "quantize/thermo_quantize/compiler/graph/rows/series.py",
    }
)
ALLOWED: Mapping[str, str] = {
    **dict.fromkeys(
        (
            "core/thermo_core/recording/frames.py",
            "host/thermo_host/exports/dumps.py",
        ),
        "raw subpages and EEPROM of cameras, as other tools dump them",
    ),
    **dict.fromkeys(
        (
            "host/thermo_host/calibrate/acceptance.py",
            "host/thermo_host/calibrate/camera.py",
            "host/thermo_host/calibrate/fit.py",
            "host/thermo_host/calibrate/outcome.py",
            "host/thermo_host/calibrate/pixels.py",
        ),
        "calibration of a camera's pixels",
    ),
    "host/thermo_host/calibrate/positions.py": "calibration of an accelerometer's axes",
    **dict.fromkeys(
        (
            "device/firmware/fuzz/make_eeprom_corpus.py",
            "hw_sim/thermo_sim/scenes.py",
        ),
        "what simulated cameras look at, in pixels of theirs, and their EEPROM",
    ),
    "device/firmware/fuzz/fuzz_smp.c": "a wearable whose requests are fuzzed",
    "hw_sim/thermo_sim/nrf52840/machine.py": "which sensors another emulator has models of its own of",
    "device/thermo_device/bare.py": "what a device without a bundle is taken to be",
    "host/thermo_host/commands/common.py": "range of an emissivity that is asked for",
}
"""Files that name a kind for a reason of their own, and the reason."""
ALLOWED_OPERATIONS: Mapping[str, tuple[str, str]] = {
    "host/thermo_hub/anomaly/deviation.py": (
        "reference",
        "a hub learns what is usual of a wearer whose wearable learns nothing",
    ),
}
"""Files that use an operation for a reason of their own: which, and the reason."""


def _sources() -> Iterator[tuple[str, str]]:
    for room in ROOMS:
        for path in sorted((ROOT / room).rglob("*")):
            name = path.relative_to(ROOT).as_posix()
            if path.suffix in (".py", ".c", ".h") and "/build/" not in name and "/generated/" not in name:
                yield name, path.read_text(encoding="utf-8")


def _words(name: str, text: str) -> set[str]:
    """All that runs in a source, as words."""
    if not name.endswith(".py"):
        return set(re.findall(r"[\w-]+", re.sub(r"/\*.*?\*/|//[^\n]*", " ", text, flags=re.DOTALL)))
    found: set[str] = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            found.update(part for alias in node.names for part in alias.name.split("."))
        elif isinstance(node, ast.ImportFrom):
            found.update((node.module or "").split("."), (alias.name for alias in node.names))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and "\n" not in node.value:
            found.add(node.value)
    return found


def _own(kind: str, name: str) -> bool:
    return kind.replace("-", "_") in name


TEXTS = list(_sources())
SOURCES = [(name, _words(name, text)) for name, text in TEXTS]


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_of_sensor_is_named_in_its_own_files_and_rows_alone(kind: str) -> None:
    named = [name for name, words in SOURCES if {kind, kind.replace("-", "_")} & words and not _own(kind, name)]
    assert set(named) - REGISTRIES - set(ALLOWED) == set()


@pytest.mark.parametrize("op", OPS)
def test_an_operation_is_named_in_its_own_files_and_rows_alone(op: str) -> None:
    named = []
    for name, text in TEXTS:
        stem = Path(name).stem
        if stem == op or name in STAGE_REGISTRIES or ALLOWED_OPERATIONS.get(name, ("", ""))[0] == op:
            continue
        imports = rf"thermo_core\.stages\.{op}\b|from thermo_core\.stages import [^\n]*\b{op}\b"
        branches = rf"\bop\"?\]? (==|!=|in|is) .*[\"']{op}[\"']|\b{op}_(stage|parameters|state)\b"
        if re.search(imports if name.endswith(".py") else branches, text) or re.search(branches, text):
            named.append(name)
    assert named == []


def test_what_is_allowed_is_needed() -> None:
    needing = {
        name
        for name, words in SOURCES
        for kind in KINDS
        if {kind, kind.replace("-", "_")} & words and not _own(kind, name)
    }
    assert set(ALLOWED) <= needing
    assert needing >= REGISTRIES
