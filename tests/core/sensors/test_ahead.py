"""Blocks that are announced and read together give what each would give alone, whatever comes."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from recorded import SEED, patch, patch_records, subpages

from thermo_core.errors import ThermoError
from thermo_core.graph.engine import Engine, Outcome
from thermo_core.sensors.kind import Block
from thermo_core.sensors.mlx90640.correction import PixelCorrection
from thermo_core.sensors.mlx90640.kind import CameraReader
from thermo_core.sensors.mlx90640.settings import Mlx90640Settings
from thermo_sim.chips.mlx90640 import eeprom

WORDS = eeprom.generate(SEED)
BLOCKS = [one for one in patch_records(subpages(WORDS, 80)) if isinstance(one, Block)]


def shown(outcome: Any) -> Any:
    """Values as bytes, so that they compare."""
    if isinstance(outcome, Outcome):
        return [shown(samples) for samples in outcome.passes]
    if isinstance(outcome, tuple):
        return [shown(one) for one in outcome]
    return {
        name: (one.time_us, one.values.tobytes(), one.values.dtype, one.flags, one.fresh)
        for name, one in outcome.items()
    }


def altered(blocks: list[Block], rng: np.random.Generator, times: int) -> list[Block]:
    """Blocks that are lost, come twice, change places, are cut, flipped, or of other constants."""
    found = list(blocks)
    for _ in range(times):
        at = int(rng.integers(len(found) - 1))
        one, kind = found[at], rng.integers(6)
        if kind == 0:
            del found[at]
        elif kind == 1:
            found.insert(at, one)
        elif kind == 2:
            found[at], found[at + 1] = found[at + 1], found[at]
        elif kind == 3:
            found[at] = Block(one.time_us, one.sensor, one.constants, one.index, one.data[: int(rng.integers(1, 60))])
        elif kind == 4:
            data = bytearray(one.data)
            data[rng.integers(len(data))] ^= 1 << int(rng.integers(8))
            found[at] = Block(one.time_us, one.sensor, one.constants, one.index, bytes(data))
        else:
            found[at] = Block(one.time_us, one.sensor, int(rng.integers(3)), one.index, one.data)
    return found


def camera(corrected: bool) -> CameraReader:
    correction = None
    if corrected:
        rng = np.random.default_rng(1)
        offset, gain, slope = (rng.normal(mean, 0.1, (24, 32)).astype(np.float32) for mean in (0, 1, 0))
        correction = PixelCorrection(offset, gain, slope, rng.random((24, 32)) < 0.02)
    constants = WORDS.astype("<u2").tobytes()
    return CameraReader(Mlx90640Settings(name="skin", path=(0x33,)), constants, correction)


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    harm=st.integers(0, 8),
    cuts=st.lists(st.integers(1, 40), min_size=1, max_size=6),
    others=st.lists(st.integers(0, 79), max_size=3),
    corrected=st.booleans(),
)
def test_a_camera_gives_the_same_and_is_not_misled_by_what_does_not_come(
    seed: int, harm: int, cuts: list[int], others: list[int], corrected: bool
) -> None:
    rng = np.random.default_rng(seed)
    announced = altered([one for one in BLOCKS if one.sensor == 0], rng, harm)
    told = [announced[at] for at in range(len(announced)) if at not in others]
    alone, together = camera(corrected), camera(corrected)
    ends = np.cumsum(cuts).tolist()
    place = 0
    for at, block in enumerate(announced):
        if at in (0, *ends):
            size = cuts[place] if place < len(cuts) else len(announced)
            together.expect(announced[at : at + size])
            place += 1
        if not any(block is one for one in told):
            continue
        assert outcome(together, block) == outcome(alone, block)
        assert np.array_equal(together.measured, alone.measured)


def outcome(reader: CameraReader, block: Block) -> Any:
    try:
        return shown(reader.push(block))
    except ThermoError as error:
        return type(error), str(error)


@pytest.mark.parametrize("size", [1, 7, 33, 200])
def test_an_engine_gives_the_same_of_all_its_sensors(size: int) -> None:
    rng = np.random.default_rng(size)
    blocks = altered(BLOCKS, rng, 6)
    session = patch()
    alone, together = session.engine(), session.engine()
    for start in range(0, len(blocks), size):
        together.expect(blocks[start : start + size])
        for block in blocks[start : start + size]:
            assert shown(together.push(block)) == shown(alone.push(block))
    assert together.undecodable == alone.undecodable
    assert sum(alone.undecodable) > 0


def test_a_sensor_that_is_opened_anew_forgets_what_was_announced() -> None:
    session = patch()
    engine: Engine = session.engine()
    engine.expect(BLOCKS)
    for block in BLOCKS[:11]:
        engine.push(block)
    session.open(engine, 0)
    fresh = session.engine()
    wanted = [shown(fresh.push(block)) for block in BLOCKS[11:]]
    found = [shown(engine.push(block)) for block in BLOCKS[11:]]
    camera_alone = [[{"skin": one["skin"]} for one in passes if "skin" in one] for passes in found]
    assert camera_alone == [[{"skin": one["skin"]} for one in passes if "skin" in one] for passes in wanted]
