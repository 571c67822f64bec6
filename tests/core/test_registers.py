"""Registers against the datasheet's tables."""

from typing import Any, cast

import numpy as np
import pytest

from thermo_core.errors import UsageError
from thermo_core.sensors.mlx90640.registers import (
    CONTROL_DEFAULT,
    REFRESH_RATES_HZ,
    UNUSED_AUXILIARY,
    ControlRegister,
    RefreshRate,
    StatusRegister,
    subpage_mask,
)


def test_every_word_survives_both_registers() -> None:
    for word in range(0x10000):
        assert ControlRegister.from_word(word).to_word() == word
        assert StatusRegister.from_word(word).to_word() == word


def test_power_on_default_means_what_the_datasheet_says() -> None:
    register = ControlRegister.from_word(CONTROL_DEFAULT)
    assert register == ControlRegister()
    assert (register.chess, register.refresh_hz, register.resolution_bits) == (True, 2.0, 18)
    assert register.subpages and not register.data_hold and not register.repeat


def test_bits_lie_where_the_datasheet_puts_them() -> None:
    assert StatusRegister(overwrite=True, start=True).to_word() == 0x0030
    assert StatusRegister.from_word(0x0009) == StatusRegister(subpage=1, new_data=True)
    assert ControlRegister(trigger=True).to_word() == CONTROL_DEFAULT | 0x8000
    assert ControlRegister(refresh_code=7, resolution_code=3, chess=False).to_word() == 0x0F81


@pytest.mark.parametrize("field", [{"refresh_code": 8}, {"resolution_code": 4}, {"selected": -1}, {"reserved": 4}])
def test_a_field_that_does_not_fit_is_refused(field: dict[str, int]) -> None:
    with pytest.raises(UsageError, match=next(iter(field))):
        ControlRegister(**cast("dict[str, Any]", field)).to_word()


def test_refresh_rates_double() -> None:
    assert [RefreshRate.to_hz(code) for code in range(8)] == [0.5 * 2**code for code in range(8)]
    assert [RefreshRate.from_hz(hz) for hz in REFRESH_RATES_HZ] == list(range(8))
    with pytest.raises(UsageError, match="3 Hz"):
        RefreshRate.from_hz(3)
    with pytest.raises(UsageError, match="code 8"):
        RefreshRate.to_hz(8)


def test_masks_split_the_picture() -> None:
    for chess in (False, True):
        first, second = subpage_mask(0, chess), subpage_mask(1, chess)
        assert first.sum() == second.sum() == 384
        assert (first ^ second).all()
        assert not first.flags.writeable
    assert subpage_mask(0, False)[0].all() and not subpage_mask(0, False)[1].any()
    assert subpage_mask(0, True)[0, ::2].all() and subpage_mask(0, True)[1, 1::2].all()
    with pytest.raises(UsageError, match="not 2"):
        subpage_mask(2, True)


def test_unused_auxiliary_words_are_those_a_real_sensor_leaves_unmeasured(example: Any) -> None:
    unmeasured = {0x0700 + int(i) for i in np.flatnonzero(example.frames[0, 768:832] == 0x7FFF)}
    assert unmeasured
    assert unmeasured <= UNUSED_AUXILIARY
