"""reference: levels that are learned, by ambient, over days with nights in between."""

import numpy as np
import pytest
from examples import few
from hypothesis import example, given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter
from scipy.ndimage import shift as spline_shift
from skimage.registration import phase_cross_correlation
from stage_runs import run, samples, sensor, wearable

from thermo_core.errors import ProfileError
from thermo_core.graph.plan import Plan
from thermo_core.quality import Quality
from thermo_core.stages.registration import warp

MINUTE_US = 60_000_000


def worn(**fields: object) -> Plan:
    """Two nodes and the air beside them, once a minute."""
    return wearable(
        sensor(shape=(3,), rate_hz=1 / 60),
        {"op": "select", "of": "x", "gives": "nodes", "places": [0, 1]},
        {"op": "select", "of": "x", "gives": "air", "places": [2]},
        {"op": "reference", "of": "nodes", "ambient": "air", "gives": "y", "bins": 4} | fields,
    )


@few(25)
@given(st.integers(0, 2**32 - 1))
def test_the_level_is_the_mean_of_what_was_learned_in_that_air(seed: int) -> None:
    rng = np.random.default_rng(seed)
    air = rng.uniform(5, 40, 300)
    values = np.stack([30 + 0.2 * air, 31 + 0.1 * air, air], axis=1) + rng.normal(0, 0.3, (300, 3))
    values = values.astype(np.float32)
    values[rng.random(300) < 0.1, 1] = np.nan
    found = run(worn(low=10.0, high=34.0, least_s=1200.0), x=samples(values, np.arange(300) * MINUTE_US))["y"]
    parts = np.clip((values[:, 2] - 10) / 6, 0, 3).astype(int)
    for place in range(300):
        before = np.flatnonzero(parts[:place] == parts[place])
        assert found.values[place, 2] == pytest.approx(len(before) / 60, rel=1e-6)
        assert (found.flags[place] == Quality.UNCALIBRATED) == (len(before) < 20)
        if len(before) < 20:
            assert np.isnan(found.values[place, :2]).all()
            continue
        wanted = values[place, 0] - values[before, 0].astype(np.float64).mean()
        assert found.values[place, 0] == pytest.approx(wanted, abs=1e-4)
        assert np.isnan(found.values[place, 1]) == np.isnan(values[place, 1])


def test_the_level_follows_over_its_memory() -> None:
    made = wearable(sensor(), {"op": "reference", "of": "x", "gives": "y", "memory_s": 100.0, "least_s": 0.0})
    found = run(made, x=samples(np.repeat([30.0, 31.0], 1000)))["y"].values
    after = found[1000:, 0]
    np.testing.assert_allclose(after, (1 - 1 / 100) ** np.arange(1000), atol=1e-4)


def test_a_level_that_has_settled_follows_as_one_that_is_as_old_as_its_memory() -> None:
    fields = {"op": "reference", "of": "x", "gives": "y", "memory_s": 1000.0, "least_s": 0.0, "give": ["reference"]}
    values = 30.0 + np.where(np.arange(300) < 100, np.arange(300) % 2, 2.0)
    found = run(wearable(sensor(), fields | {"settled_s": 100.0}), x=samples(values))["y"].values.ravel()
    np.testing.assert_allclose(found[1:100], np.cumsum(values)[:99] / np.arange(1, 100), atol=1e-4)
    level = np.mean(values[:99]) + (values[99] - np.mean(values[:99])) / 1000  # the hundredth second of learning
    np.testing.assert_allclose(found[100:], 32.0 + (level - 32.0) * (1 - 1 / 1000) ** np.arange(200), atol=1e-4)
    young = run(wearable(sensor(), fields), x=samples(values))["y"].values.ravel()
    assert young[-1] - found[-1] > 0.7, "without it, it takes up most of what came"
    with pytest.raises(ProfileError, match="settle sooner"):
        run(wearable(sensor(), fields | {"settled_s": 1001.0}), x=samples(values))


def test_nights_and_pauses_neither_teach_nor_forget() -> None:
    made = wearable(sensor(), {"op": "reference", "of": "x", "gives": "y", "least_s": 30.0})
    times_us = np.concatenate([np.arange(50), 40_000 + np.arange(50)]) * 1_000_000
    values = np.repeat([33.0, 34.0], 50)
    found = run(made, x=samples(values, times_us))["y"]
    assert found.values[50].tolist() == pytest.approx([1.0, 50 / 3600]) and not found.fresh.any()
    paused = run(made, x=samples(values, times_us, fresh=np.arange(100) == 50))["y"]
    assert (paused.values[50] == found.values[50]).all() and paused.fresh[50], "an engine knows which sensor it is"


def test_what_is_doubtful_or_far_away_is_not_learned() -> None:
    made = wearable(sensor(), {"op": "reference", "of": "x", "gives": "y", "least_s": 10.0, "limit": 1.5})
    values = np.full(200, 33.0)
    values[50:100], values[120:150] = 36.0, 20.0
    flags = np.where((np.arange(200) >= 120) & (np.arange(200) < 150), int(Quality.OFF_SKIN), 0)
    found = run(made, x=samples(values, flags=flags))["y"]
    np.testing.assert_allclose(found.values[10:50, 0], 0, atol=1e-5)
    np.testing.assert_allclose(found.values[50:100, 0], 3, atol=1e-5)
    np.testing.assert_allclose(found.values[150:, 0], 0, atol=1e-5)
    assert found.values[150, 1] == found.values[120, 1], "hours on no skin do not count"


def test_without_ambient_there_is_no_result() -> None:
    values = np.tile(np.array([33, 32, 20], np.float32), (40, 1))
    values[30, 2] = np.nan
    found = run(worn(least_s=600.0), x=samples(values, np.arange(40) * MINUTE_US))["y"].values
    assert np.isnan(found[30]).all() and np.isfinite(found[31]).all()


@pytest.mark.parametrize(("rate_hz", "fields"), [(0.0, {}), (1.0, {"bins": 4}), (1.0, {"low": 30.0, "high": 20.0})])
def test_what_cannot_be_learned_is_refused(rate_hz: float, fields: dict[str, float]) -> None:
    with pytest.raises(ProfileError, match=r"resample|ambient|lower one"):
        wearable(sensor(rate_hz=rate_hz), {"op": "reference", "of": "x", "gives": "y"} | fields)


def skin(seed: int) -> NDArray[np.float64]:
    """Skin that goes on over its edges, degC: (120, 200), ten numbers a pixel."""
    noise = np.random.default_rng(seed).normal(size=(2, 120, 200))
    warm, vessels = gaussian_filter(noise[0], 20, mode="wrap"), gaussian_filter(noise[1], 14, mode="wrap")
    return np.asarray(33 + 0.4 * warm / warm.std() + 0.4 * vessels / vessels.std())


def seen(body: NDArray[np.float64], shift: tuple[float, float]) -> NDArray[np.float64]:
    """(12, 20) means of ten by ten, `shift` pixels of which lie between the body and the picture."""
    moved = spline_shift(body, (10 * shift[0], 10 * shift[1]), order=3, mode="grid-wrap")
    return np.asarray(moved.reshape(12, 10, 20, 10).mean((1, 3)))


Pixels = st.floats(-1.8, 1.8)


@given(st.integers(0, 999), Pixels, Pixels)
def test_a_shift_is_that_of_scikit_image(seed: int, down: float, along: float) -> None:
    rng, body = np.random.default_rng(seed), skin(seed)
    usual, moved = seen(body, (0, 0)), seen(body, (down, along))
    made = wearable(
        sensor(shape=(12, 20)),
        {"op": "reference", "of": "x", "gives": "y", "most_shift": 2.0, "least_s": 0.0, "give": ["shift"]},
    )
    pictures = np.stack([usual] * 30 + [moved]) + rng.normal(0, 0.02, (31, 12, 20))
    found = run(made, x=samples(pictures))["y"].values[30]
    wanted = -phase_cross_correlation(usual, moved, upsample_factor=100, normalization=None)[0]
    np.testing.assert_allclose(found, (down, along), atol=0.08)
    np.testing.assert_allclose(found, wanted, atol=0.08)


# Four neighbours and a spline of all differ most between two pixels: 0.014 K and at most 0.05 K on 200 skins.
@given(st.integers(0, 999), Pixels, Pixels)
@example(972, 1.5, 0.0)
def test_a_picture_is_moved_as_scipy_moves_it(seed: int, down: float, along: float) -> None:
    usual = seen(skin(seed), (0, 0)).astype(np.float32)
    moved = warp(usual, (np.float32(down), np.float32(along)))
    wanted = spline_shift(usual.astype(np.float64), (-down, -along), order=3, mode="nearest")
    inner = np.s_[3:-3, 3:-3]
    assert np.sqrt(np.mean((moved[inner] - wanted[inner]) ** 2)) < 0.02
    np.testing.assert_allclose(moved[inner], wanted[inner], atol=0.08)
    row, column = np.mgrid[0:12, 0:20]
    reached = (np.abs(row + down - 5.5) <= 6) & (np.abs(column + along - 9.5) <= 10)
    assert (np.isfinite(moved) == reached).all()


def test_a_registered_reference_leaves_the_noise_and_what_is_new() -> None:
    rng, body = np.random.default_rng(2), skin(2)
    pictures = np.stack([seen(body, tuple(rng.normal(0, 0.5, 2))) for _ in range(150)])
    pictures = pictures + rng.normal(0, 0.05, pictures.shape) + rng.normal(0, 0.2, (150, 1, 1))
    pictures[140:, 4:8, 8:12] += 0.5
    fields = {"op": "reference", "of": "x", "gives": "y", "give": ["difference"], "least_s": 60.0}
    found, loose = (
        run(wearable(sensor(shape=(12, 20), unit="degC"), fields | more), x=samples(pictures))["y"].values
        for more in ({"most_shift": 2.0}, {})
    )
    assert found.shape == (150, 12, 20)
    inner = np.s_[100:140, 3:-3, 3:-3]
    apart, loosely = ((x[inner] - x[inner].mean((1, 2), keepdims=True)).std() for x in (found, loose))
    assert apart < 0.06, "little more than the noise"
    assert loosely > 2 * apart
    above = found[140:, 5:7, 9:11].mean((1, 2)) - np.nanmedian(found[140:], (1, 2))
    assert above.mean() == pytest.approx(0.5, abs=0.1)


def test_a_shift_beyond_its_bounds_gives_and_teaches_nothing() -> None:
    body = skin(5)
    pictures = np.stack([seen(body, (0, 0))] * 30 + [seen(body, (0, 2.5))] * 30 + [seen(body, (0, 0))])
    made = wearable(
        sensor(shape=(12, 20)), {"op": "reference", "of": "x", "gives": "y", "most_shift": 1.5, "least_s": 10.0}
    )
    found = run(made, x=samples(pictures))["y"]
    assert (found.flags[30:60] == Quality.OUT_OF_DOMAIN).all() and np.isnan(found.values[30:60, :-1]).all()
    np.testing.assert_allclose(found.values[60, :-1], 0, atol=1e-4)


def test_skin_without_contours_is_not_moved_by_its_noise() -> None:
    pictures = 33 + np.random.default_rng(0).normal(0, 0.05, (200, 12, 20))
    fields = {"most_shift": 2.0, "least_s": 0.0, "give": ["shift"], "noise": 0.05}
    made = wearable(sensor(shape=(12, 20)), {"op": "reference", "of": "x", "gives": "y"} | fields)
    assert np.abs(run(made, x=samples(pictures))["y"].values[100:]).max() < 1.0


def test_one_number_far_away_at_the_start_is_outweighed() -> None:
    values = np.full(400, 33.0)
    values[0] = 45.0
    fields = {"least_s": 300.0, "limit": 1.0, "give": ["reference"]}
    found = run(wearable(sensor(), {"op": "reference", "of": "x", "gives": "y"} | fields), x=samples(values))["y"]
    assert np.isnan(found.values[299]) and found.flags[299] == Quality.UNCALIBRATED
    harmonic = sum(1 / n for n in range(2, 301))
    assert found.values[300] == pytest.approx(max(33.0, 45.0 - harmonic), abs=0.1)


@pytest.mark.parametrize(
    ("shape", "fields", "problem"),
    [
        ((3,), {"most_shift": 1.0}, "picture"),
        ((5, 8), {"most_shift": 1.0}, "smaller"),
        ((8, 8), {"give": ["shift"]}, "most_shift"),
        ((8, 8), {"give": ["hours", "hours"]}, "once"),
    ],
)
def test_what_cannot_be_given_is_refused(shape: tuple[int, ...], fields: dict[str, object], problem: str) -> None:
    with pytest.raises(ProfileError, match=problem):
        wearable(sensor(shape=shape), {"op": "reference", "of": "x", "gives": "y"} | fields)
