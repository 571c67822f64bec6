"""Pairing of subpages: every loss counted, nothing paired across a gap, and filling of pixels that have no value."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from thermo_core.errors import AuxiliaryDataError, SensorError, UsageError
from thermo_core.sensors.mlx90640.assemble import PictureAssembler
from thermo_core.sensors.mlx90640.constants import Constants
from thermo_core.sensors.mlx90640.decode import Decoder
from thermo_core.sensors.mlx90640.frames import Picture, Subpage, Words
from thermo_core.sensors.mlx90640.interpolate import fill_invalid


@pytest.fixture
def assembler(example: Any) -> PictureAssembler:
    return PictureAssembler(Decoder(Constants.from_eeprom(example.eeprom)))


def feed(assembler: PictureAssembler, frames: Words, *indices: int) -> list[Picture]:
    """Push subpages whose number alternates with their index, as a sensor's do."""
    pictures = (assembler.push(Subpage(frames[index % 2], index, 1000 * index)) for index in indices)
    return [picture for picture in pictures if picture is not None]


def test_each_pair_is_one_picture(assembler: PictureAssembler, example: Any) -> None:
    pictures = feed(assembler, example.frames, *range(10, 20))
    assert [(picture.index, picture.time_us) for picture in pictures] == [(i, 1000 * i) for i in range(11, 20, 2)]
    assert (assembler.lost, assembler.repeated, assembler.unpaired) == (0, 0, 0)
    wanted = assembler.decoder.picture(*example.frames)
    assert np.array_equal(pictures[0].celsius, wanted.celsius)


def test_subpage_one_may_come_first(assembler: PictureAssembler, example: Any) -> None:
    pictures = feed(assembler, example.frames, 1, 2, 3, 4)
    assert [picture.index for picture in pictures] == [2, 4]


def test_a_gap_is_counted_and_not_paired_across(assembler: PictureAssembler, example: Any) -> None:
    # 4 is lost: 5 starts anew although it would fit the waiting half by its number
    assert [picture.index for picture in feed(assembler, example.frames, 0, 1, 2, 5, 6)] == [1, 6]
    assert (assembler.lost, assembler.unpaired) == (2, 1)


def test_a_repeated_index_is_ignored(assembler: PictureAssembler, example: Any) -> None:
    assert [picture.index for picture in feed(assembler, example.frames, 0, 0, 1, 1, 2, 3)] == [1, 3]
    assert (assembler.repeated, assembler.lost) == (2, 0)


def test_the_same_subpage_twice_starts_anew(assembler: PictureAssembler, example: Any) -> None:
    first, second = example.frames
    pushed = [assembler.push(Subpage(words, index, index)) for index, words in enumerate((first, first, second))]
    assert [picture is not None for picture in pushed] == [False, False, True]
    assert assembler.unpaired == 1


def test_a_restart_of_the_device_starts_anew(assembler: PictureAssembler, example: Any) -> None:
    assert [picture.index for picture in feed(assembler, example.frames, 100, 101, 102, 1, 2)] == [101, 2]
    assert (assembler.lost, assembler.unpaired) == (0, 1)


def test_a_bad_page_costs_its_picture_and_no_more(assembler: PictureAssembler, example: Any) -> None:
    bad = example.frames[1].copy()
    bad[0x072A - 0x0400] = 0x7FFF
    assert not feed(assembler, example.frames, 0)
    with pytest.raises(AuxiliaryDataError):
        assembler.push(Subpage(bad, 1, 1))
    assert [picture.index for picture in feed(assembler, example.frames, 2, 3)] == [3]
    assert (assembler.lost, assembler.unpaired) == (0, 1)


def test_a_change_of_pattern_is_not_paired_across(assembler: PictureAssembler, example: Any) -> None:
    interleaved = example.frames.copy()
    interleaved[:, 832] &= 0xEFFF
    assert not feed(assembler, example.frames, 0)
    assert [picture.index for picture in feed(assembler, interleaved, 1, 2, 3)] == [2]
    assert assembler.unpaired == 1


def test_another_sensor_needs_its_own(assembler: PictureAssembler, example: Any) -> None:
    feed(assembler, example.frames, 0)
    with pytest.raises(UsageError, match="sensor 1"):
        assembler.push(Subpage(example.frames[1], 1, 1, sensor=1))
    assert [picture.index for picture in feed(assembler, example.frames, 1)] == [1]


@settings(max_examples=100, deadline=None)
@given(kept=st.lists(st.booleans(), min_size=1, max_size=40))
def test_every_subpage_is_accounted_for(example: Any, kept: list[bool]) -> None:
    assembler = PictureAssembler(Decoder(Constants.from_eeprom(example.eeprom)))
    indices = [index for index, keep in enumerate(kept) if keep]
    pictures = feed(assembler, example.frames, *indices)
    waiting = len(indices) - assembler.unpaired - 2 * len(pictures)
    assert waiting in (0, 1)
    assert assembler.lost == (indices[-1] - indices[0] + 1 - len(indices) if indices else 0)
    assert all({picture.index - 1, picture.index} <= set(indices) for picture in pictures)


def test_filling_is_exact_on_a_gradient() -> None:
    rows, columns = np.indices((24, 32))
    truth = (20 + 0.5 * rows - 0.25 * columns).astype(np.float32)
    valid = np.ones((24, 32), dtype=np.bool_)
    valid[[5, 10, 10, 15], [5, 0, 20, 30]] = False
    valid[14:17, 29:32][[0, 1, 2], [1, 0, 1]] = False
    filled = np.where(valid, truth, np.float32(-99))
    fill_invalid(filled, valid)
    inside = valid.copy()
    inside[[5, 10, 10, 15], [5, 0, 20, 30]] = True
    np.testing.assert_allclose(filled[inside], truth[inside], atol=1e-5)


def test_a_corner_takes_its_neighbours_mean() -> None:
    celsius = np.arange(768, dtype=np.float32).reshape(24, 32)
    valid = np.ones((24, 32), dtype=np.bool_)
    valid[0, 0] = False
    fill_invalid(celsius, valid)
    assert celsius[0, 0] == pytest.approx((1 + 32 + 33) / 3)


def test_filled_pixels_are_no_source() -> None:
    celsius = np.full((24, 32), 30, dtype=np.float32)
    valid = np.ones((24, 32), dtype=np.bool_)
    celsius[3:9, 3:9], valid[3:9, 3:9] = 1000, False
    fill_invalid(celsius, valid)
    assert np.array_equal(celsius, np.full((24, 32), 30, dtype=np.float32))


def test_one_valid_pixel_fills_the_picture_and_none_is_refused() -> None:
    celsius = np.zeros((24, 32), dtype=np.float32)
    valid = np.zeros((24, 32), dtype=np.bool_)
    celsius[20, 3], valid[20, 3] = 25, True
    fill_invalid(celsius, valid)
    assert (celsius == 25).all()
    with pytest.raises(SensorError, match="No pixel"):
        fill_invalid(celsius, np.zeros((24, 32), dtype=np.bool_))
