"""spectrum_peak: rates of made-up pulses, motion in the same rhythm, and real pulse waves of people at rest."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pulse_waves import RATE_HZ, Floats, band, compared, heart

from thermo_core.errors import ProfileError
from thermo_core.quality import Quality


def beats(bpm: float, seconds: float, rng: np.random.Generator, noise: float = 20.0) -> Floats:
    t = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    phase = 2 * np.pi * bpm / 60 * t
    return 1e5 + 300 * np.sin(phase) + 120 * np.sin(2 * phase + 1) + rng.normal(0, noise, len(t))


@given(st.floats(48, 195), st.integers(0, 2**32 - 1))
def test_a_steady_pulse_is_found_to_half_a_beat(bpm: float, seed: int) -> None:
    found = heart(band(), beats(bpm, 24, np.random.default_rng(seed))).values[1:]
    np.testing.assert_allclose(found[:, 0], bpm, atol=0.6)
    assert (found[:, 1] > 0.5).all()


def test_motion_in_rhythm_is_taken_away() -> None:
    rng = np.random.default_rng(5)
    t = np.arange(1500) / RATE_HZ
    stride = np.sin(2 * np.pi * 115 / 60 * t)
    acceleration = np.stack([0.3 * stride, 0.1 * stride, 1 + 0.2 * stride], axis=1) + rng.normal(0, 0.01, (1500, 3))
    wave = beats(78, 60, rng) + 700 * stride
    misled = heart(band(motion=False), wave).values[2:]
    found = heart(band(), wave, acceleration).values[2:]
    np.testing.assert_allclose(misled[:, 0], 115, atol=3)
    np.testing.assert_allclose(found[:, 0], 78, atol=1.5)


def test_noise_has_no_rate_and_a_low_quality() -> None:
    found = heart(band(), np.random.default_rng(2).normal(0, 100, 3000)).values
    assert np.isnan(found[:, 0]).mean() > 0.8 and np.nanmedian(found[:, 1]) < 0.5


def test_a_rate_is_followed_and_a_stronger_rhythm_far_away_is_not() -> None:
    rng = np.random.default_rng(3)
    t = np.arange(3000) / RATE_HZ
    bpm = 60 + 0.5 * t
    other = np.where((t > 60) & (t < 70), 400 * np.sin(2 * np.pi * 180 / 60 * t), 0)
    wave = 300 * np.sin(2 * np.pi * np.cumsum(bpm) / 60 / RATE_HZ) + other + rng.normal(0, 10, 3000)
    found = heart(band(least_quality=0.0, track_bpm=15.0), wave)
    middle = found.times_us / 1e6 - 4
    np.testing.assert_allclose(found.values[1:, 0], (60 + 0.5 * middle)[1:], atol=4)


@pytest.mark.parametrize(
    ("flag", "given"), [(Quality.OFF_SKIN, False), (Quality.SATURATED, False), (Quality.MOVING, True), (0, True)]
)
def test_flags_of_a_window(flag: Quality, given: bool) -> None:
    flags = np.zeros(400, np.uint16)
    flags[250] = flag
    found = heart(band(), beats(70, 16, np.random.default_rng(1)), flags=flags)
    assert found.values[-1, 0] == pytest.approx(70, abs=1) if given else np.isnan(found.values[-1, 0])
    assert (found.values[-1, 1] == 0) != given and found.flags[-1] == flag


def test_a_window_with_few_values_has_none() -> None:
    wave = beats(70, 16, np.random.default_rng(1))
    wave[250:290] = np.nan
    assert heart(band(), wave).values[-1, 0] == pytest.approx(70, abs=2)
    wave[250:310] = np.nan
    assert np.isnan(heart(band(), wave).values[-1]).tolist() == [True, False]


@pytest.mark.parametrize("fields", [{"low_bpm": 300.0}, {"high_bpm": 800.0}, {"step_bpm": 0.1, "low_bpm": 5.0}])
def test_a_grid_that_cannot_be_is_refused(fields: Mapping[str, Any]) -> None:
    with pytest.raises(ProfileError, match=r"low_bpm below|grid of"):
        band(**fields)


def test_heart_rate_at_rest_of_real_people(shared_dir: Path) -> None:
    """Wrist bands in a laboratory's stress protocol, sitting: against the beat intervals that the band itself was sure of."""
    path = shared_dir / "datasets/e4_exercise/e4_bvp.npz"
    if not path.is_file():
        pytest.skip(f"pulse waves not found at {path}")
    found = compared(path, "STRESS")
    assert found.errors.mean() <= 1.2 and np.percentile(found.errors, 95) <= 3 and found.given >= 0.95
