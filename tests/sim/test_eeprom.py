"""EEPROM contents: made ones decode to what was intended."""

import dataclasses
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from thermo_core.errors import UsageError
from thermo_core.sensors.mlx90640.constants import Constants
from thermo_sim.chips.mlx90640.eeprom import encode, generate, random_parameters

EXACT = ["vdd25", "k_vdd", "kv_ptat", "kt_ptat", "v_ptat25", "alpha_ptat", "gain", "tgc", "ks_ta", "ks_to"]
EXACT += ["cp_offset", "cp_kta", "cp_kv", "il_chess_c", "chess_calibrated", "broken", "outlier"]


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**31))
def test_a_made_eeprom_decodes_to_its_parameters_within_a_step(seed: int) -> None:
    intended = random_parameters(seed)
    decoded = Constants.from_eeprom(encode(intended))
    for name in EXACT:
        assert getattr(decoded, name) == getattr(intended, name), name
    # Steps of the fields: 32/2^38 for sensitivity, 1 count for the offset, 4/2^13 for Kta;
    # a pixel whose word would be 0 takes one step of sensitivity more.
    assert np.abs(decoded.alpha - intended.alpha).max() <= 1.5 * 32 / 2**38
    assert np.abs(decoded.offset - intended.offset).max() <= 0.5
    assert np.abs(decoded.kta - intended.kta).max() <= 2.0 / 2**13
    assert np.array_equal(decoded.kv[:2, :2], intended.kv)
    assert decoded.cp_alpha == pytest.approx(intended.cp_alpha, rel=0.01)
    assert decoded.ct[2:] == (intended.ct2, intended.ct3)
    assert decoded.device_id == b"".join(word.to_bytes(2, "big") for word in intended.device_id)


def test_made_sensors_differ_by_seed_and_have_the_spread_of_real_ones(golden_dir: Any) -> None:
    real = []
    for name in ("s1_melexis_example", "s2_signaloid"):
        with np.load(golden_dir / f"{name}.npz") as archive:
            real.append(Constants.from_eeprom(archive["eeprom"]))
    made = [Constants.from_eeprom(generate(seed)) for seed in range(20)]
    assert len({c.device_id for c in made}) == 20

    def range_of(figure: Any) -> tuple[float, float]:
        return min(map(figure, real)), max(map(figure, real))

    for figure, margin in (
        (lambda c: c.alpha.max(), 0.2),
        (lambda c: c.alpha.min() / c.alpha.max(), 0.25),
        (lambda c: c.offset.mean(), 0.25),
        (lambda c: c.offset.std(), 0.6),
        (lambda c: c.kta.mean(), 0.2),
        (lambda c: c.v_ptat25, 0.05),
        (lambda c: c.gain, 0.1),
    ):
        low, high = range_of(figure)
        spread = margin * max(abs(low), abs(high))
        assert all(low - spread <= figure(c) <= high + spread for c in made)


def test_broken_and_outlier_pixels_are_marked() -> None:
    calibration = Constants.from_eeprom(generate(3, broken=(10,), outlier=(400, 700)))
    assert calibration.broken == (10,)
    assert calibration.outlier == (400, 700)


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"broken": (768,)}, "768"),
        ({"tgc": 8.0}, "TGC"),
        ({"gain": 40_000}, "gain"),
        ({"ct2": 400, "ct3": 500}, "CT3"),
        ({"cp_offset": (-69, 200)}, "CP offset"),
    ],
)
def test_what_does_not_fit_its_field_is_refused_by_name(change: Any, what: str) -> None:
    with pytest.raises(UsageError, match=what):
        encode(dataclasses.replace(random_parameters(0), **change))
