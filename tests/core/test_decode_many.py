"""Pictures of a recording decoded side by side: the bytes of one at a time; and how far the short way is from the long one."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest
from examples import few
from hypothesis import given
from hypothesis import strategies as st

from thermo_core.errors import SensorError, ThermoError, UsageError
from thermo_core.sensors.mlx90640.assemble import PictureAssembler
from thermo_core.sensors.mlx90640.constants import Constants
from thermo_core.sensors.mlx90640.decode import Decoder, merge
from thermo_core.sensors.mlx90640.frames import Picture, Pictures, Subpage, Words
from thermo_core.sensors.mlx90640.quick_law import ROUNDING_K, TOLERANCE_K
from thermo_sim.chips.mlx90640 import eeprom
from thermo_sim.chips.mlx90640.dataset import PictureSource
from thermo_sim.chips.mlx90640.radiometry import ResponseError
from thermo_sim.surroundings import Conditions


def long_way(decoder: Decoder, first: Words, second: Words) -> Picture:
    return merge(decoder.decode(first), decoder.decode(second))


def one_by_one(decoded: Callable[[Words, Words], Picture], first: Words, second: Words) -> list[Picture | ThermoError]:
    found: list[Picture | ThermoError] = []
    for pair in zip(first, second, strict=True):
        try:
            found.append(decoded(*pair))
        except (SensorError, UsageError) as error:
            found.append(error)
    return found


def assert_same(decoder: Decoder, first: Words, second: Words) -> None:
    """Of both ways, the short one and the one in float64."""
    assert_told(decoder.pictures(first, second), one_by_one(decoder.picture, first, second))
    assert_told(decoder.merged(first, second), one_by_one(partial(long_way, decoder), first, second))


def assert_told(pictures: Pictures, one_at_a_time: list[Picture | ThermoError]) -> None:
    for place, wanted in enumerate(one_at_a_time):
        if not isinstance(wanted, Picture):
            error = pictures.errors[place]
            assert (type(error), str(error)) == (type(wanted), str(wanted))
            assert not pictures.celsius[place].any()
            continue
        assert place not in pictures.errors
        assert pictures.celsius[place].tobytes() == wanted.celsius.tobytes()
        assert np.array_equal(pictures.valid[place], wanted.valid)
        assert (pictures.ta[place], pictures.vdd[place]) == (wanted.ta, wanted.vdd)


@pytest.mark.parametrize("case", range(0, 40, 3))
def test_the_vendors_vectors_give_the_same_bytes(vectors: Any, case: int) -> None:
    """Real and made-up sensors, with bad pixels, a compensation pixel that counts, and scenes beyond the second range."""
    constants = Constants.from_eeprom(vectors.eeprom[case])
    first, second = (np.repeat(frame[np.newaxis], 3, axis=0) for frame in vectors.frames[case])
    first[1:, 5] += np.uint16(9)
    rng = np.random.default_rng(case)
    for decoder in (
        Decoder(constants, float(vectors.more["emissivity"][case])),
        Decoder(constants, rng.uniform(0.8, 1, (24, 32)), rng.uniform(-10, 40, (24, 32))),
    ):
        assert_same(decoder, first, second)


@few(20, of=60)
@given(
    seed=st.integers(0, 2**32 - 1),
    count=st.integers(1, 70),
    levels=st.lists(st.tuples(st.floats(-200, 500), st.floats(0, 600)), min_size=1, max_size=4),
    emissivity=st.floats(0.3, 1.0),
    mapped=st.booleans(),
    reflected=st.none() | st.floats(-20, 60),
    broken=st.integers(0, 6),
)
def test_any_scenes_and_any_damage_give_the_same_bytes_and_errors(
    example: Any,
    recording: Any,
    seed: int,
    count: int,
    levels: list[tuple[float, float]],
    emissivity: float,
    mapped: bool,
    reflected: float | None,
    broken: int,
) -> None:
    rng = np.random.default_rng(seed)
    source = (example, recording)[seed % 2]
    pages = source.frames[np.arange(2 * count) % 2].copy()
    for row, page in enumerate(pages):
        level, span = levels[row // 2 % len(levels)]
        ramp = level + span * np.linspace(-0.5, 0.5, 768) + rng.normal(0, 2, 768)
        page[:768] = ramp.astype(np.int16).view(np.uint16)
    for _ in range(broken):
        place = rng.choice([5, 768, 776, 778, 800, 808, 810, 832, 832, 833])
        value = rng.choice(np.array([0x7FFF, 0, 1, 0x1901, 0x0901, 0x8000, rng.integers(1 << 16)]))
        pages[rng.integers(len(pages)), place] = value
    skin = rng.uniform(0.8, 1, (24, 32)) * emissivity if mapped else emissivity
    decoder = Decoder(Constants.from_eeprom(source.eeprom), skin, reflected)
    order = (pages[1::2], pages[::2]) if seed % 3 == 0 else (pages[::2], pages[1::2])
    assert_same(decoder, *order)


def test_a_die_that_reads_negative_is_refused_though_the_ratio_is_right(example: Any) -> None:
    pages = np.repeat(example.frames, 2, axis=0)
    for place in (768, 800):
        pages[1, place] = -pages[1, place].astype(np.int16)
    assert_same(Decoder(Constants.from_eeprom(example.eeprom)), pages[:2], pages[2:])


@few(30, of=60)
@given(
    seed=st.integers(0, 2**32 - 1),
    steps=st.lists(st.sampled_from([1, 1, 1, 1, 2, 0, -3]), min_size=1, max_size=40),
    cuts=st.lists(st.integers(1, 12), max_size=6),
    broken=st.integers(0, 4),
)
def test_subpages_pair_alike_however_they_come(
    example: Any, seed: int, steps: list[int], cuts: list[int], broken: int
) -> None:
    """Lost, repeated, restarted, of another pattern or other constants, one at a time or in stretches of any length."""
    rng = np.random.default_rng(seed)
    indices = 10 + np.cumsum(steps)
    pages = []
    for index in indices.tolist():
        words = example.frames[index % 2].copy()
        words[832] ^= np.uint16(0x1000 if rng.random() < 0.05 else 0)
        pages.append(Subpage(words, index, index * 1000, 0, int(rng.random() < 0.9)))
    for _ in range(broken):
        pages[rng.integers(len(pages))].words[rng.choice([800, 833])] = 0x7FFF
    decoder = Decoder(Constants.from_eeprom(example.eeprom))
    alone, together = PictureAssembler(decoder), PictureAssembler(decoder)
    wanted: list[Picture | ThermoError | None] = []
    for page in pages:
        try:
            wanted.append(alone.push(page))
        except (SensorError, UsageError) as error:
            wanted.append(error)
    found: list[Picture | ThermoError | None] = []
    start = 0
    for cut in (*cuts, len(pages)):
        part = pages[start : start + cut]
        if part:
            found += together.push_many(part, np.stack([page.words for page in part]))
        start += cut
    assert [type(one) for one in found] == [type(one) for one in wanted]
    for one, other in zip(found, wanted, strict=True):
        if isinstance(one, Picture) and isinstance(other, Picture):
            assert one.celsius.tobytes() == other.celsius.tobytes()
            assert (one.index, one.time_us, one.ta, one.vdd) == (other.index, other.time_us, other.ta, other.vdd)
        else:
            assert str(one) == str(other)
    assert (together.lost, together.repeated, together.unpaired) == (alone.lost, alone.repeated, alone.unpaired)


@few(40, of=120)
@given(
    seed=st.integers(0, 11),
    ta=st.floats(-40, 85),
    ends=st.tuples(st.floats(0, 60), st.floats(0, 60)),
    emissivity=st.floats(0.8, 1.0),
    spread=st.none() | st.floats(0, 0.2),
    reflected=st.none() | st.floats(-20, 60),
    uneven_k=st.floats(0, 20),
)
def test_the_short_way_keeps_its_bound_over_what_the_product_promises(
    seed: int,
    ta: float,
    ends: tuple[float, float],
    emissivity: float,
    spread: float | None,
    reflected: float | None,
    uneven_k: float,
) -> None:
    """Against the datasheet's equations in float64, over dies of -40 to 85 degC, objects of 0 to 60 and emissivities of 0.8 to 1."""
    words = eeprom.generate(seed)
    rng = np.random.default_rng(seed)
    conditions = Conditions(ta=ta, emissivity=emissivity, reflected=ta - 8 if reflected is None else reflected)
    source = PictureSource(seed, eeprom=words, error=ResponseError.none(), conditions=conditions)
    pages = source.words(rng.uniform(min(ends), max(ends), (24, 32)))
    skin, mirrored = np.asarray(emissivity), None if reflected is None else np.asarray(reflected)
    if spread is not None:
        skin = np.clip(emissivity + rng.uniform(-spread, spread, (24, 32)), 0.8, 1)
        mirrored = mirrored if mirrored is None else mirrored + rng.uniform(-uneven_k, uneven_k, (24, 32))
    decoder = Decoder(Constants.from_eeprom(words), skin, mirrored)
    picture, wanted = decoder.picture(*pages), merge(decoder.decode(pages[0]), decoder.decode(pages[1]))
    assert np.abs(picture.celsius - wanted.celsius).max() <= TOLERANCE_K + ROUNDING_K


def test_subpages_of_unequal_number_or_shape_are_refused(example: Any) -> None:
    decoder = Decoder(Constants.from_eeprom(example.eeprom))
    one = example.frames[:1]
    for decode in (decoder.pictures, decoder.merged):
        with pytest.raises(UsageError, match="as many of both"):
            decode(one, example.frames)
        with pytest.raises(UsageError, match="834"):
            decode(one[:, :833], one[:, :833])
        with pytest.raises(UsageError, match="float64"):
            decode(one.astype(np.float64), one.astype(np.float64))
