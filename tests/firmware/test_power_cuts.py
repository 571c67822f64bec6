"""Power fails at each operation of flash: afterwards a confirmed image starts, and nothing that is kept is lost."""

from pathlib import Path

import pytest
from cut_campaign import SCENARIOS, program, run


@pytest.fixture(scope="module")
def campaign(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return program(tmp_path_factory.mktemp("power_cuts"))


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_no_device_is_lost(campaign: Path, scenario: str) -> None:
    counts = run(campaign, scenario, depth=2, stride=97)
    assert counts.cuts == 4 * counts.operations > 0
