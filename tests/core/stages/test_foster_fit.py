"""foster_fit against the constants that curves were made of, and against scipy's least squares."""

from collections.abc import Callable

import numpy as np
import pytest
import scipy.optimize
import scipy.signal
from numpy.typing import NDArray
from stage_runs import run, samples, sensor, wearable

from thermo_core.errors import ProfileError
from thermo_core.quality import Quality
from thermo_core.signals import Series, Values

Floats = NDArray[np.float64]
SECONDS = np.arange(600.0)


def curve(tau: Floats, share: Floats) -> Floats:
    return np.asarray((share * np.exp(-SECONDS[:, None] / tau)).sum(1))


def fitted(*curves: Floats, begin: Floats | None = None) -> Series:
    """What is said of curves of 600 samples, (n, 10)."""
    begun = np.full((len(curves), 7), np.nan) if begin is None else np.tile(begin, (len(curves), 1))
    made = wearable(
        [sensor(), sensor("start", shape=(7,), rate_hz=1 / 600)],
        {"op": "window", "of": "x", "gives": "w", "length": 600, "every": 600},
        {"op": "bins", "of": "w", "gives": "means", "bins": 64},
        {"op": "hold", "of": "start", "on": "means", "gives": "begun"},
        {"op": "foster_fit", "of": "means", "begin": "begun", "gives": "y", "samples": 600},
    )
    given = samples(begun, 600_000_000 * np.arange(len(curves)) - 1, first=0)
    return run(made, x=samples(np.concatenate(curves), first=len(curves)), start=given)["y"]


def said(values: Values) -> tuple[int, Floats, Floats, Floats]:
    parts = int(values[0])
    wide = values.astype(np.float64)
    return parts, wide[1 : 1 + parts], wide[4 : 4 + parts], wide[7 : 7 + parts]


CASES = [([60.0], [1.0]), ([9.0, 140.0], [0.4, 0.6]), ([4.0, 40.0, 300.0], [0.3, 0.3, 0.4])]


@pytest.mark.parametrize(("tau", "share"), CASES)
@pytest.mark.parametrize(
    ("offset", "drift", "amplitude"), [(0, 0, 1), (0.01, 0, 1), (-0.01, 0.01, 1), (0, 0, 1.1), (0, -0.01, 0.9)]
)
def test_clean_curves_are_found_again_whatever_is_off(
    tau: list[float], share: list[float], offset: float, drift: float, amplitude: float
) -> None:
    made = amplitude * curve(np.array(tau), np.array(share)) + offset + drift * SECONDS / 599
    parts, found, shares, spread = said(fitted(made).values[0])
    assert parts == len(tau)
    assert found == pytest.approx(tau, rel=0.03)
    assert shares == pytest.approx(share, abs=0.02)
    assert (spread < 0.2 * found).all()


def test_a_noisy_curve_is_fitted_as_scipy_does() -> None:
    noisy = curve(np.array([12.0, 150.0]), np.array([0.4, 0.6])) + np.random.default_rng(1).normal(0, 0.01, 600)

    def model(t: Floats, a: float, b: float, first: float, second: float) -> Floats:
        return np.asarray(a * np.exp(-t / first) + b * np.exp(-t / second))

    wanted, covariance = scipy.optimize.curve_fit(model, SECONDS, noisy, p0=(0.5, 0.5, 10.0, 100.0))
    parts, found, _, spread = said(fitted(noisy).values[0])
    assert parts == 2
    # Bins lose a little of what 600 samples tell.
    assert (np.abs(found - wanted[2:]) < np.sqrt(np.diag(covariance))[2:]).all()
    assert spread == pytest.approx(1.9 * np.sqrt(np.diag(covariance))[2:], rel=0.3)


def white(rng: np.random.Generator) -> Floats:
    return rng.normal(0, 0.01, 600)


def coloured(rng: np.random.Generator) -> Floats:
    """Four fifths of it stay from second to second."""
    return np.asarray(scipy.signal.lfilter([1.0], [1.0, -0.8], rng.normal(0, 0.003, 700))[100:])


def twice(rng: np.random.Generator) -> Floats:
    """Of a sensor that speaks every other second."""
    return np.repeat(rng.normal(0, 0.005, 300), 2)


@pytest.mark.parametrize("noise", [white, coloured, twice])
def test_intervals_hold_nine_in_ten(noise: Callable[[np.random.Generator], Floats]) -> None:
    rng = np.random.default_rng(2)
    tau = np.array([15.0, 160.0])
    curves = [curve(tau, np.array([0.45, 0.55])) + noise(rng) for _ in range(150)]
    inside = [
        np.abs(found - tau) <= spread for parts, found, _, spread in map(said, fitted(*curves).values) if parts == 2
    ]
    assert len(inside) > 120
    assert 0.85 < np.mean(inside) < 0.97


def test_a_bad_beginning_does_no_harm() -> None:
    made = curve(np.array([9.0, 140.0]), np.array([0.4, 0.6]))
    for begin in ([2, 300, 500, 0, 0.5, 0.5, 0], [2, -1, 0, 0, 0.5, 0.5, 0], [3, 1, 2, 3, 0.3, 0.3, 0.3]):
        parts, found, _, _ = said(fitted(made, begin=np.array(begin, np.float64)).values[0])
        assert (parts, list(found)) == (2, pytest.approx([9, 140], rel=0.01))


@pytest.mark.parametrize(
    "shape",
    [
        1 - SECONDS / 599,
        np.full(600, 0.7),
        (SECONDS < 200).astype(np.float64),
        0.5 + 0.5 * np.cos(SECONDS / 30),
        np.exp(-np.square(SECONDS / 150)),
        -curve(np.array([60.0]), np.array([1.0])),
        np.random.default_rng(4).normal(0, 0.5, 600),
    ],
)
def test_what_is_no_such_curve_has_no_parts_and_a_flag(shape: Floats) -> None:
    found = fitted(shape + np.random.default_rng(3).normal(0, 0.003, 600))
    assert found.values[0, 0] == 0
    assert np.isnan(found.values[0, 1:]).all()
    assert found.flags[0] & Quality.OUT_OF_DOMAIN


def test_a_curve_with_a_hole_has_no_result() -> None:
    made = curve(np.array([60.0]), np.array([1.0]))
    made[100] = np.nan
    assert np.isnan(fitted(made).values).all()


@pytest.mark.parametrize(
    ("fields", "problem"),
    [({"samples": 40}, "two samples a bin"), ({"most_s": 0.5}, "lower one first"), ({"begin": "x"}, "begins where")],
)
def test_what_cannot_be_fitted_is_refused(fields: dict[str, float], problem: str) -> None:
    with pytest.raises(ProfileError, match=problem):
        wearable(
            sensor(shape=(32,)),
            {"op": "select", "of": "x", "gives": "begun", "places": list(range(7))},
            {"op": "foster_fit", "of": "x", "begin": "begun", "gives": "y", "samples": 64} | fields,
        )
