"""Power fails at each operation of flash: afterwards a confirmed image starts, and nothing that is kept is lost."""

import shutil
from pathlib import Path

import pytest
from cut_campaign import SCENARIOS, program, run
from rp2040_cuts import Cut, cut_once, cut_twice, cuts, live, scene


@pytest.fixture(scope="module")
def campaign(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return program(tmp_path_factory.mktemp("power_cuts"))


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_no_device_is_lost(campaign: Path, scenario: str) -> None:
    counts = run(campaign, scenario, depth=2, stride=97)
    assert counts.cuts == 4 * counts.operations
    assert counts.operations > 0 or scenario == "lies for good"  # it is passed over, and nothing written


def test_the_chips_own_program_is_not_lost_either(tmp_path: Path) -> None:
    """The RP2040's loader as it is flashed, with its devices and boot ROM; some of the cuts that bench/power_cuts.py makes."""
    if not shutil.which("arm-none-eabi-gcc"):
        pytest.skip("hardware absent: no compiler for a microcontroller (arm-none-eabi-gcc is not installed)")
    begun = scene(tmp_path)
    operations = live(begun, bytearray(begun.flash), None)
    every = list(cuts(operations, tears=1))
    for cut in every[5::17]:
        cut_once(begun, cut)
    cut_twice(begun, Cut(operations - 2, "partly", 1), Cut(2, "garbage", 2))
