"""Calibrations that no sensor in order can need are refused with the figure, and those of real size are not."""

import re
from dataclasses import replace

import numpy as np
import pytest
from thermo_core.correction import Correction
from thermo_core.correction_bounds import objection
from thermo_core.profile import ThermistorSettings

from thermo_core.sensors.ads1115_ntc.thermistor import Beta, SteinhartHart
from thermo_sim.radiometry import ResponseError

NTC = ThermistorSettings("skin")


def correction(offset: float = 0.0, gain: float = 1.0, ta_slope: float = 0.0, bad: int = 0) -> Correction:
    mask = np.zeros(768, np.bool_)
    mask[:bad] = True
    maps = (np.full((24, 32), value, np.float32) for value in (offset, gain, ta_slope))
    return Correction(*maps, mask.reshape(24, 32))


def curve(moved_k: float) -> SteinhartHart:
    """The usual NTC's curve, so many kelvin too warm at 25 degC."""
    return Beta(10_000.0 * np.exp(3950 * (1 / (298.15 - moved_k) - 1 / 298.15)).item(), 3950.0).steinhart_hart()


@pytest.mark.parametrize("seed", range(30))
def test_what_real_sensors_need_is_taken(seed: int) -> None:
    error = ResponseError.random(seed)
    needed = Correction(
        offset=(-error.offset_k * (1 + error.gain)).astype(np.float32),
        gain=(1 / (1 + error.gain)).astype(np.float32),
        ta_slope=(-error.slope_k_per_k).astype(np.float32),
        bad=np.zeros((24, 32), np.bool_),
        thermistors=(curve(1.5),),
        residual_rms_k=0.05,
        created_unix_s=1_800_000_000,
    )
    assert objection(needed, (NTC,)) == ""


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (correction(offset=5.0), r"moves a picture at 20 degC \(die at 15 degC\) by \+5\.00 K on average"),
        (correction(offset=-1000.0), r"by -1000\.00 K on average"),
        (correction(gain=1.25), r"moves a picture at 20 degC .* by \+5\.00 K"),
        (correction(offset=-13.0, gain=1.4), r"moves a picture at 20 degC"),  # right at 32.5 degC alone
        (correction(ta_slope=0.45), r"moves a picture at 20 degC \(die at 15 degC\) by -4\.50 K"),
        (correction(ta_slope=-0.6), r"row 0, column 0 a slope with die temperature of -0\.6"),
        (correction(gain=0.4), r"row 0, column 0 a gain of 0\.4"),
        (correction(gain=9.0), r"a gain of 9"),
        (correction(bad=97), r"calls 97 of 768 pixels bad, and a picture needs 672"),
        (replace(correction(), residual_rms_k=7.0), r"leaves 7\.00 K"),
        (replace(correction(), thermistors=(curve(20.0),)), r"moves thermistor 'skin' at .* degC by \+"),
        (replace(correction(), thermistors=(curve(-20.0),)), r"moves thermistor 'skin' at .* degC by -"),
    ],
)
def test_what_none_needs_is_refused_with_the_figure(wrong: Correction, says: str) -> None:
    assert re.search(says, objection(wrong, (NTC,)))


def test_one_wild_pixel_is_named_unless_it_is_called_bad() -> None:
    offset = np.zeros((24, 32), np.float32)
    offset[3, 7] = 12.0
    wild = replace(correction(), offset=offset)
    assert "row 3, column 7 at 20 degC (die at 15 degC) by +12.00 K" in objection(wild)
    assert objection(replace(wild, bad=offset > 0)) == ""


def test_thermistors_the_profile_does_not_have_are_nobodys() -> None:
    assert objection(replace(correction(), thermistors=(None, curve(30.0))), (NTC,)) == ""
    assert objection(replace(correction(), thermistors=(curve(30.0),)), ()) == ""
