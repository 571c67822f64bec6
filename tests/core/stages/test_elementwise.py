"""Stages without a memory against NumPy in float64."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray
from stage_runs import one, run, samples, sensor, wearable

from thermo_core.errors import ProfileError
from thermo_core.quality import Quality

Floats = NDArray[np.float32]

usual = st.floats(-1000, 1000, width=32)
pictures = arrays.arrays(np.float32, st.tuples(st.integers(1, 4), st.integers(2, 9), st.integers(1, 9)), elements=usual)
with_holes = arrays.arrays(
    np.float32, st.tuples(st.integers(1, 4), st.integers(2, 30)), elements=usual | st.just(np.nan)
)


@given(pictures, st.floats(-50, 50), st.floats(-9, 9))
def test_scale(values: Floats, offset: float, factor: float) -> None:
    found = one({"op": "scale", "offset": offset, "factor": factor}, values)
    np.testing.assert_allclose(found, (values.astype(np.float64) - offset) * factor, rtol=1e-6, atol=2e-3)


@given(pictures, st.floats(0, 10))
def test_logarithm(values: Floats, offset: float) -> None:
    x = (values + np.float32(offset)).astype(np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        expected = np.where(x >= np.finfo(np.float32).tiny, np.log(x), np.nan)
    np.testing.assert_allclose(one({"op": "logarithm", "offset": offset}, values), expected, rtol=1e-6, atol=1e-7)


@given(with_holes, st.floats(0.1, 20))
def test_normalise(values: Floats, limit: float) -> None:
    count = values.shape[1]
    centre, spread = np.linspace(-3, 40, count), np.linspace(0.5, 9, count)
    stage = {"op": "normalise", "centre": centre.tolist(), "spread": spread.tolist(), "limit": limit}
    expected = np.clip(np.nan_to_num((values - centre) / spread), -limit, limit)
    np.testing.assert_allclose(one(stage, values), expected, rtol=1e-5, atol=1e-4)
    made = wearable(sensor(shape=(count,)), {"of": "x", "gives": "y"} | stage)
    flags = run(made, x=samples(values))["y"].flags
    np.testing.assert_array_equal(flags == Quality.FILLED, np.isnan(values).any(1))


@pytest.mark.parametrize(("by", "middle"), [("median", np.nanmedian), ("mean", np.nanmean)])
@pytest.mark.filterwarnings("ignore:All-NaN slice|Mean of empty slice:RuntimeWarning")
@given(values=with_holes)
def test_centre(by: str, middle: Any, values: Floats) -> None:
    wide = values.astype(np.float64)
    found = one({"op": "centre", "by": by}, values)
    np.testing.assert_allclose(found, wide - middle(wide, axis=1, keepdims=True), rtol=0, atol=2e-3)


def test_what_all_pixels_share_vanishes() -> None:
    skin = np.full((2, 24, 10), 33.0, np.float32)
    skin[:, 10:13, 3:6] += np.float32(0.5)
    skin[1] += np.float32(4)
    cool, warm = one({"op": "centre"}, skin)
    np.testing.assert_array_equal(cool, warm)
    assert cool[11, 4] == 0.5 and cool[0, 0] == 0.0


def test_which_zero_is_the_middle_does_not_matter() -> None:
    found = one({"op": "centre"}, [[-0.0, -0.0, 0.0], [0.0, -0.0, -0.0], [-0.0, -0.0, -0.0]])
    assert np.signbit(found).tolist() == [[True, True, False], [False, True, True], [True] * 3]


@given(pictures)
def test_concatenate_select_and_prefer(values: Floats) -> None:
    flat = values.reshape(len(values), -1)
    holes = np.where(flat > 0, np.float32(np.nan), flat)
    places = [0, flat.shape[1] - 1, 0]
    made = wearable(
        [sensor("x", flat.shape[1:])],
        {"op": "scale", "of": "x", "gives": "again"},
        {"op": "logarithm", "of": "x", "gives": "log"},
        {"op": "concatenate", "of": ["x", "log", "again"], "gives": "all"},
        {"op": "select", "of": "x", "gives": "some", "places": places, "shape": [3, 1]},
        {"op": "prefer", "of": ["log", "x"], "gives": "best"},
    )
    found = run(made, x=samples(holes))
    log = found["log"].values
    np.testing.assert_array_equal(found["all"].values, np.concatenate([holes, log, holes], 1))
    np.testing.assert_array_equal(found["some"].values, holes.take(places, 1)[..., np.newaxis])
    expected = np.where(np.isnan(log), holes, log)
    np.testing.assert_array_equal(found["best"].values, expected)
    replaced = (np.isnan(log) & ~np.isnan(expected)).any(1)
    missing = np.isnan(expected).any(1)
    np.testing.assert_array_equal(found["best"].flags, replaced * Quality.FILLED | missing * Quality.MISSING)


def test_what_stands_in_can_be_believed_although_the_first_cannot() -> None:
    """A strap thermometer off skin must not silence alerts on the signal that another one stands in for."""
    made = wearable([sensor("x", ()), sensor("y", ())], {"op": "hold", "of": "y", "on": "x", "gives": "other"},
                    {"op": "prefer", "of": ["x", "other"], "gives": "best"})  # fmt: skip
    nothing = [np.nan, np.nan]
    found = run(
        made,
        y=samples([30.0, 31.0], flags=[0, Quality.MOVING]),
        x=samples(nothing, flags=[Quality.OFF_SKIN, Quality.OFF_SKIN | Quality.UNCALIBRATED]),
    )["best"]
    assert found.values.tolist() == [30.0, 31.0]
    assert found.flags.tolist() == [Quality.FILLED, Quality.FILLED | Quality.UNCALIBRATED | Quality.MOVING]


@given(
    st.lists(st.floats(-8, 8, width=32), min_size=6, max_size=6),
    st.lists(st.floats(-8, 8, width=32), min_size=3, max_size=3),
)
def test_relative_is_a_number_over_the_noise_that_goes_with_it(to: list[float], numbers: list[float]) -> None:
    made = wearable([sensor("all", (9,))],
                    {"op": "select", "of": "all", "gives": "x", "places": [0, 1, 2]},
                    {"op": "select", "of": "all", "gives": "to", "places": [3, 4, 5, 6, 7, 8]},
                    {"op": "relative", "of": "x", "to": "to", "gives": "y", "floor": 0.5, "shares": [0.5, 2.0]})  # fmt: skip
    found = run(made, all=samples([[*numbers, *to]]))["y"].values[0]
    noise = np.sqrt(0.25 + np.square(np.array(to).reshape(3, 2) * [0.5, 2.0]).sum(1))
    np.testing.assert_allclose(found, np.array(numbers) / noise, rtol=3e-6, atol=1e-6)


@given(
    arrays.arrays(np.float32, st.tuples(st.integers(1, 3), st.integers(4, 20)), elements=st.floats(-50, 50, width=32))
)
def test_projection_onto_orthonormal_rows_tells_the_noise_left(values: Floats) -> None:
    count = values.shape[1]
    basis = np.linalg.qr(np.random.default_rng(count).normal(size=(count, 3)))[0].T
    stage = {
        "op": "projection",
        "basis": basis.ravel().tolist(),
        "rows": 3,
        "offset": [1.0, 2.0, 3.0],
        "least_noise": 0.01,
    }
    found = one(stage, values)
    wide = values.astype(np.float64)
    along = wide @ basis.T
    np.testing.assert_allclose(found[:, :3], along + np.arange(1, 4), rtol=0, atol=1e-3)
    left = np.sqrt(((wide - along @ basis) ** 2).sum(1) / (count - 3))
    np.testing.assert_allclose(found[:, 3], np.log10(left + 0.01), rtol=0, atol=2e-3)


@pytest.mark.parametrize(
    ("stage", "problem"),
    [
        ({"op": "centre", "of": "one"}, "leaves nothing of a single number"),
        ({"op": "normalise", "of": "x", "centre": [1.0, 2.0], "spread": [1.0]}, "2 numbers as centre for 3"),
        ({"op": "normalise", "of": "x", "centre": [1.0], "spread": [0.0]}, "not above 0"),
        ({"op": "select", "of": "x", "places": [3]}, "place 3 of 3"),
        ({"op": "select", "of": "x", "places": [0, 1], "shape": [3]}, "make them agree"),
        ({"op": "prefer", "of": ["x", "one"]}, "one shape and unit"),
        ({"op": "projection", "of": "x", "basis": [1.0, 2.0], "rows": 1}, "basis of 2 numbers"),
        ({"op": "projection", "of": "x", "basis": [1.0] * 3, "rows": 1, "offset": [1.0, 2.0]}, "2 offsets for 1"),
        ({"op": "projection", "of": "x", "basis": [1.0] * 9, "rows": 3, "least_noise": 1.0}, "nothing unexplained"),
        ({"op": "foster", "of": "x"}, "reads 15 numbers"),
        ({"op": "bins", "of": "x"}, "takes a window"),
        ({"op": "statistics", "of": "x", "give": ["mean"]}, "no axis of time"),
    ],
)
def test_what_does_not_fit_is_refused(stage: dict[str, Any], problem: str) -> None:
    with pytest.raises(ProfileError, match=problem):
        wearable(sensor(shape=(3,)), {"op": "select", "of": "x", "gives": "one", "places": [0]}, stage | {"gives": "y"})


@given(with_holes, st.integers(0, 98), st.integers(1, 100), st.sampled_from([1e-6, 1.0]))
def test_normalise_percentiles(values: Floats, low: int, more: int, least: float) -> None:
    high = min(low + more, 100)
    found = one({"op": "normalise_percentiles", "low": low, "high": high, "least": least}, values)
    for row, made in zip(values, found, strict=True):
        known = row[~np.isnan(row)].astype(np.float64)
        assert np.isnan(made).sum() == np.isnan(row).sum()
        if known.size:
            first, last = np.percentile(known, [low, high], method="lower")
            wanted = np.clip((known - first) / max(last - first, np.float32(least)), 0, 1)
            np.testing.assert_allclose(made[~np.isnan(row)], wanted, rtol=0, atol=2e-5)


def test_what_all_share_and_how_much_they_differ_vanishes_between_percentiles() -> None:
    rng = np.random.default_rng(0)
    skin = np.round(rng.uniform(30, 34, (1, 12, 10)) * 64) / 64
    found = one({"op": "normalise_percentiles", "low": 5, "high": 95}, np.concatenate([skin, 2 * skin + 8]))
    np.testing.assert_array_equal(found[0], found[1])
    assert found.min() == 0 and found.max() == 1 and 0.03 < (found[0] == 0).mean() < 0.08
    flat = one({"op": "normalise_percentiles", "least": 0.5}, np.array([[33, 33.01, 33.02, 33.05]], np.float32))
    assert flat.max() <= 0.1, "noise is not blown up"
    zeros = one({"op": "normalise_percentiles"}, [[-0.0, 0.0, -0.0, 1.0]])
    assert not np.signbit(zeros).any()


def test_percentiles_in_the_wrong_order_are_refused() -> None:
    with pytest.raises(ProfileError, match="lower one"):
        wearable(sensor(shape=(4,)), {"op": "normalise_percentiles", "of": "x", "gives": "y", "low": 60, "high": 40})
