"""The numerics on an emulated Cortex-M4 and M0+: the same temperatures as core, within the instructions they may take."""

import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def emulator() -> None:
    if not shutil.which("arm-none-eabi-gcc") or not shutil.which("qemu-system-arm"):
        pytest.skip("hardware absent: no emulator (qemu-system-arm / arm-none-eabi-gcc not installed)")


def load(name: str) -> ModuleType:
    """A program of bench/ that compiles for the emulator and measures there."""
    spec = importlib.util.spec_from_file_location(f"{name}_bench", REPOSITORY / "bench" / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


def test_temperatures_are_cores_and_instructions_within_their_goals(shared_dir: Path) -> None:
    bench = load("firmware")
    costs, parity = bench.run_all(shared_dir)
    for name, label, goal in bench.ROWS:
        assert goal is None or costs[name] <= goal, label
    assert parity.scene_k < 0.001
    assert parity.golden_k < 0.001
    assert parity.vendor_k < 0.02
    assert parity.steps <= 1 and parity.differing < 0.1


def test_a_processor_without_floats_decodes_within_its_goals(shared_dir: Path) -> None:
    bench = load("firmware")
    costs, parity = bench.run_all(shared_dir, bench.M0PLUS)
    for name, goal in bench.GOALS_M0PLUS.items():
        assert costs[name] <= goal
    assert parity.scene_k < 0.005
    assert parity.golden_k < 0.005
    assert parity.vendor_k < 0.02
    assert parity.steps <= 1 and parity.differing < 0.1


def test_small_sensors_read_and_pack_the_same_bytes() -> None:
    """bench/sensors.py holds what the emulated microcontroller computes to core's, and its packing to 60 % of raw."""
    command = [sys.executable, str(REPOSITORY / "bench" / "sensors.py")]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert "thermo_core's byte for byte: yes" in said
    shares = [float(line.split()[-1].rstrip("%")) for line in said.splitlines() if line.startswith("pulse at 100 Hz,")]
    assert len(shares) == 3
    assert max(shares) <= 60


def test_the_breast_patchs_stages_are_within_their_goals() -> None:
    bench = load("stages")
    found = bench.measure()
    assert found.chain.instructions <= bench.CHAIN_INSTRUCTIONS
    assert found.chain.ram <= bench.CHAIN_RAM
