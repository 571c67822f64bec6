"""A cell of a camera's EEPROM that flips is named, and what rests on it is flagged."""

import time
from pathlib import Path

import numpy as np
import pytest
from conformance import CAMERA, codes, suspect
from numpy.typing import NDArray
from running import KINDS, PATIENCE, SEED, Running, hear, of, started

from thermo_core.graph.plan import plan
from thermo_core.quality import Quality
from thermo_core.sensors.mlx90640.constants import Constants
from thermo_core.sensors.mlx90640.registers import EEPROM_START
from thermo_core.wire.events import FAULTS
from thermo_core.wire.records import (
    Record,
    SignalRecord,
)
from thermo_host.link.wearable import Wearable
from thermo_sim.chips.mlx90640.eeprom import generate

pytestmark = pytest.mark.lengthy

ROTTEN = [(0x2431, 10, "PTAT reference"), (0x24A4, 15, "offset")]
"""Word and bit of a cell that no known sensor holds when it has flipped, and what it gives."""
DOUBTED = {FAULTS[name].code for name in ("constants_changed", "constants_doubtful")}


def rotten(address: int, bit: int, what: str) -> NDArray[np.uint16]:
    """The EEPROM with that cell flipped, which core is in doubt of."""
    words = generate(SEED)
    words[address - EEPROM_START] ^= 1 << bit
    (doubt,) = Constants.from_eeprom(words).doubts
    assert doubt.address == address and what in doubt.what
    return words


@pytest.mark.parametrize(("address", "bit", "what"), ROTTEN)
def test_a_cell_of_the_eeprom_that_flips_is_told_and_flagged(
    wearable: Running, host: Wearable, address: int, bit: int, what: str
) -> None:
    words, first = rotten(address, bit, what), host.hello().sensors[CAMERA]
    assert first.warning == "" and not any(suspect(hear(host, lambda records: bool(suspect(records)), "a finding")))

    def flip() -> None:
        """The cell, and the supply for a second, so that the EEPROM is read again."""
        wearable.laboratory("rot", address=address, bit=bit)
        wearable.laboratory("fault", spec="unplug@+0+1s:addr=0x33")

    flip()
    try:
        heard = hear(host, lambda records: codes(records) >= DOUBTED and any(suspect(records)), "what is in doubt")
        assert all(suspect(heard)[suspect(heard).index(True) :])
        state = host.hello().sensors[CAMERA]
        assert state.warning == FAULTS["constants_changed"].text
        assert state.id == first.id and state.constants > first.constants
        assert host.constants(CAMERA, "mlx90640").data == words.astype("<u2").tobytes()
        assert [one.passed for one in host.self_test() if one.name == "skin: constants"] == [False]
    finally:
        flip()
        hear(host, lambda records: suspect(records)[-2:] == [False, False], "findings without doubt")
        wearable.laboratory("fault", spec="")
    assert host.hello().sensors[CAMERA].warning == ""
    assert [one.passed for one in host.self_test() if one.name == "skin: constants"] == [True]


@pytest.mark.parametrize(("address", "bit", "what"), ROTTEN[:1])
@pytest.mark.parametrize("kind", KINDS)
def test_a_cell_that_is_doubtful_at_first_sight_is_named(
    kind: str, address: int, bit: int, what: str, tmp_path: Path
) -> None:
    np.save(tmp_path / "eeprom.npy", rotten(address, bit, what))
    with started(kind, tmp_path, "--eeprom", str(tmp_path / "eeprom.npy")) as running, running.open() as host:
        number = list(plan(running.bundle.profile).signals).index("skin.ta")
        heard: list[Record] = []
        end = time.monotonic() + 60 * PATIENCE
        with host.stream() as stream:
            host.choose_signals([number])
            while FAULTS["constants_doubtful"].code not in codes(heard) or len(of(SignalRecord, heard)) < 4:
                assert time.monotonic() < end, codes(heard)
                seen = stream.get(5.0)
                heard += [] if seen is None else [seen.record]
        assert all(one.flags & Quality.SUSPECT for one in of(SignalRecord, heard))
        assert FAULTS["constants_changed"].code not in codes(heard)
        warning = host.hello().sensors[CAMERA].warning
        assert warning.startswith(f"EEPROM word 0x{address:04X}") and warning.endswith("values may be wrong.")
        (told,) = (one.detail for one in host.self_test() if one.name == "skin: constants" and not one.passed)
        assert told.startswith(warning)
