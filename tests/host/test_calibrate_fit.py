"""The per-pixel fit against synthetic sensors whose errors are known, and the judgement of pixels and steadiness."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from thermo_core.errors import CalibrationFailedError, StorageError
from thermo_host.calibrate.agreement import agreement, pooled
from thermo_host.calibrate.fit import PixelFit, count_ambients, fit_pixels
from thermo_host.calibrate.observation import Observation, Role, average
from thermo_host.calibrate.pixels import bad_mask, find_bad_pixels, noise_map
from thermo_host.calibrate.procedures import Reading
from thermo_host.calibrate.stability import SteadinessWatch, slope

SHAPE = (24, 32)
EVERY = np.ones(SHAPE, np.bool_)


class Sensor:
    """Pixels off in sensitivity and offset: (x^4 - Ta^4) = (1 + g) (T^4 - Ta^4) in kelvin, then the offset."""

    def __init__(self, seed: int, noise: float = 0.3, gain_spread: float = 0.03, die_spread: float = 0.0) -> None:
        self.random = np.random.default_rng(seed)
        self.gain = self.random.normal(0.01, gain_spread, SHAPE)
        self.offset = self.random.normal(0.3, 0.5, SHAPE)
        self.die = self.random.normal(0.0, die_spread, SHAPE)
        self.noise = noise

    def ideal(self, celsius: float, ta: float) -> NDArray[Any]:
        die = (ta + 273.15) ** 4
        kelvin4 = (1 + self.gain) * ((celsius + 273.15) ** 4 - die) + die
        return kelvin4**0.25 - 273.15 + self.offset + self.die * (ta - 25)

    def pictures(self, celsius: float, ta: float, count: int) -> list[Reading]:
        shown = self.ideal(celsius, ta)
        return [
            Reading(
                celsius=(shown + self.random.normal(0, self.noise, SHAPE)).astype(np.float32),
                valid=EVERY,
                ta=ta + float(self.random.normal(0, 0.02)),
                time_us=number * 125_000,
            )
            for number in range(count)
        ]

    def observe(self, celsius: float, ta: float = 28.0, count: int = 64, role: Role = "fit") -> Observation:
        return average(self.pictures(celsius, ta, count), role, celsius, celsius)

    def rmse(self, fit: PixelFit, celsius: float, ta: float = 28.0) -> float:
        """Against the truth, without measuring noise."""
        error = fit.apply(self.ideal(celsius, ta), ta) - celsius
        return float(np.sqrt((error**2).mean()))


def test_noise_free_set_points_are_met_and_the_curvature_between_them_is_small() -> None:
    sensor = Sensor(1, noise=0.0)
    fit = fit_pixels([sensor.observe(celsius, count=16) for celsius in (30.0, 37.0)], EVERY)
    assert sensor.rmse(fit, 30.0) < 0.001
    assert sensor.rmse(fit, 37.0) < 0.001
    assert sensor.rmse(fit, 34.0) < 0.003
    assert fit.degrees_of_freedom == 0
    assert np.isnan(fit.residual_rms)


@pytest.mark.parametrize(
    ("set_points", "count", "goal"), [((30.0, 37.0), 64, 0.06), ((25.0, 30, 34, 37, 40), 128, 0.03)]
)
def test_the_fit_removes_what_it_can_see(set_points: tuple[float, ...], count: int, goal: float) -> None:
    for seed in range(3):
        sensor = Sensor(seed)
        fit = fit_pixels([sensor.observe(celsius, count=count) for celsius in set_points], EVERY)
        before = float(np.sqrt(((sensor.ideal(34.7, 28.0) - 34.7) ** 2).mean()))
        assert before > 0.5
        assert sensor.rmse(fit, 34.7) < goal
        assert fit.uncertainty.mean() == pytest.approx(sensor.rmse(fit, float(np.mean(set_points))), rel=0.35)


def test_shrinking_helps_where_noise_exceeds_the_errors_and_harms_nowhere() -> None:
    quiet_gain = Sensor(5, noise=0.4, gain_spread=0.001)
    observations = [quiet_gain.observe(celsius, count=32) for celsius in (30.0, 37.0)]
    shrunk, plain = fit_pixels(observations, EVERY), fit_pixels(observations, EVERY, shrink=False)
    assert quiet_gain.rmse(shrunk, 40.0) < 0.6 * quiet_gain.rmse(plain, 40.0)
    assert shrunk.shrinkage[1] > 0.8
    loud_gain = Sensor(6, noise=0.3, gain_spread=0.05)
    observations = [loud_gain.observe(celsius, count=64) for celsius in (30.0, 37.0)]
    shrunk, plain = fit_pixels(observations, EVERY), fit_pixels(observations, EVERY, shrink=False)
    assert loud_gain.rmse(shrunk, 34.0) < 1.05 * loud_gain.rmse(plain, 34.0)


def test_one_ambient_carries_to_another_because_sensitivity_acts_on_the_difference_to_the_die() -> None:
    sensor = Sensor(7, noise=0.1)
    fit = fit_pixels([sensor.observe(celsius, ta=28.0) for celsius in (30.0, 37.0)], EVERY)
    elsewhere = sensor.rmse(fit, 34.0, ta=38.0)
    frozen = float(np.sqrt(((fit.apply(sensor.ideal(34.0, 38.0), 28.0) - 34.0) ** 2).mean()))
    assert frozen > 0.25
    assert elsewhere < 0.1


def test_two_ambients_determine_what_the_die_does_beyond_sensitivity() -> None:
    sensor = Sensor(8, noise=0.2, die_spread=0.05)
    at = [(celsius, ta) for ta in (22.0, 32.0) for celsius in (30.0, 37.0)]
    both = fit_pixels([sensor.observe(celsius, ta) for celsius, ta in at], EVERY)
    single = fit_pixels([sensor.observe(celsius, 22.0) for celsius in (30.0, 37.0)], EVERY)
    assert both.ambients == 2
    assert single.ambients == 1
    assert sensor.rmse(both, 34.0, ta=32.0) < 0.06
    assert sensor.rmse(single, 34.0, ta=32.0) > 0.3


def test_what_cannot_be_fitted_is_refused_with_a_cure() -> None:
    sensor = Sensor(9)
    with pytest.raises(CalibrationFailedError, match="two or more"):
        fit_pixels([sensor.observe(30.0)], EVERY)
    with pytest.raises(CalibrationFailedError, match=r"span 2\.0 K"):
        fit_pixels([sensor.observe(30.0), sensor.observe(32.0)], EVERY)
    with pytest.raises(CalibrationFailedError, match="move together"):
        fit_pixels([sensor.observe(30.0, 22.0), sensor.observe(37.0, 32.0)], EVERY)
    with pytest.raises(CalibrationFailedError, match="fills the field of view"):
        fit_pixels([sensor.observe(30.0), sensor.observe(37.0)], ~EVERY)
    with pytest.raises(ValueError, match="hold-out"):
        fit_pixels([sensor.observe(30.0), sensor.observe(37.0, role="hold-out")], EVERY)
    with pytest.raises(CalibrationFailedError, match="too few"):
        sensor.observe(30.0, count=15)


def test_ambients_are_counted_by_their_distance() -> None:
    assert count_ambients([25.0, 25.4, 24.8]) == 1
    assert count_ambients([25.0, 35.0, 25.4, 35.1]) == 2


def test_bad_pixels_are_found_with_their_kind_and_no_good_one_with_them() -> None:
    sensor = Sensor(10)
    # noise that doubles from the centre to the corners, as the datasheet shows
    rows, columns = np.mgrid[-1:1:24j, -1:1:32j]
    vignette = 1 + 0.5 * (rows**2 + columns**2)
    sets = []
    for celsius in (30.0, 37.0):
        pictures = []
        for picture in sensor.pictures(celsius, 28.0, 64):
            values = sensor.ideal(celsius, 28.0) + (picture.celsius - sensor.ideal(celsius, 28.0)) * vignette
            values[3, 4] = 33.3
            values[5, 6] = 31.0 + sensor.random.normal(0, 0.3)
            values[7, 8] += sensor.random.normal(0, 1.5)
            values[9, 10] = 2 * values[9, 10] - 30
            values[11, 12] += 25.0
            valid = EVERY.copy()
            valid[13, 14] = False
            pictures.append(Reading(picture.time_us, values.astype(np.float32), valid, 28.0))
        sets.append(average(pictures, "fit", celsius, celsius))
    found = find_bad_pixels(sets, noise_map(sets))
    assert {(pixel.row, pixel.column): pixel.kind for pixel in found} == {
        (3, 4): "stuck",
        (5, 6): "dead",
        (7, 8): "noisy",
        (9, 10): "wild",
        (11, 12): "off",
        (13, 14): "broken",
    }
    assert bad_mask(found).sum() == 6
    assert all(pixel.reason for pixel in found)


def test_noise_is_measured_and_coloured_noise_is_not_taken_for_white() -> None:
    sensor = Sensor(11, noise=0.3)
    white = sensor.observe(30.0, count=128)
    assert noise_map([white]).median == pytest.approx(0.3, rel=0.05)
    assert white.noise_of_mean == pytest.approx(0.3 / np.sqrt(128), rel=0.15)
    walk = np.cumsum(sensor.random.normal(0, 0.1, (128, *SHAPE)), axis=0)
    pictures = [
        Reading(picture.time_us, (picture.celsius + step).astype(np.float32), EVERY, 28.0)
        for picture, step in zip(sensor.pictures(30.0, 28.0, 128), walk, strict=True)
    ]
    assert average(pictures, "fit", 30.0, 30.0).colour > 5


def test_an_observation_survives_json() -> None:
    first = Sensor(12).observe(30.0)
    again = Observation.from_map(first.to_map(), run=3)
    np.testing.assert_allclose(again.celsius, first.celsius, atol=1e-4)
    np.testing.assert_allclose(again.noise, first.noise, atol=1e-4)
    assert again.run == 3
    assert (again.role, again.reference, again.pictures) == (first.role, first.reference, first.pictures)
    for field, value in (
        ("celsius", [[1.0]]),
        ("role", "guess"),
        ("pictures", 0),
        ("ta_c", "warm"),
        ("invalid", [[99, 0]]),
    ):
        with pytest.raises(StorageError, match=r"report\.json"):
            Observation.from_map(first.to_map() | {field: value})


def test_agreement_is_plain_arithmetic() -> None:
    error = np.zeros(SHAPE)
    error[0, 0] = 2.0
    figures = agreement(error + 0.1, 0.05)
    assert figures.bias == pytest.approx(0.1 + 2 / 768)
    assert figures.largest == pytest.approx(2.1)
    assert figures.rmse**2 == pytest.approx(figures.bias**2 + figures.uniformity**2)
    assert figures.without_noise**2 == pytest.approx(figures.rmse**2 - 0.05**2)
    assert pooled([figures, figures]).rmse == pytest.approx(figures.rmse)


def test_the_interval_of_a_slope_holds_the_truth_about_as_often_as_it_says() -> None:
    random = np.random.default_rng(13)
    times = [number * 125_000 for number in range(160)]
    minutes = np.array(times) / 60e6
    held = 0
    for _ in range(300):
        estimate = slope(times, (30 + 0.04 * minutes + random.normal(0, 0.02, 160)).tolist())
        held += abs(estimate.k_per_min - 0.04) <= estimate.uncertainty
    assert 0.90 * 300 <= held <= 0.99 * 300
    assert slope(times[:5], [30.0] * 5).uncertainty == np.inf


@pytest.mark.parametrize(("drift", "verdict"), [(0.0, "steady"), (0.2, "drifting")])
def test_a_watch_tells_a_steady_sensor_from_one_that_warms_up(drift: float, verdict: str) -> None:
    random = np.random.default_rng(14)
    watch = SteadinessWatch(shortest=80, longest=480)
    seen = []
    for number in range(600):
        ta = 28 + drift * number / 480 + float(random.normal(0, 0.01))
        watch.push(Reading(number * 125_000, np.full(SHAPE, 30 + random.normal(0, 0.002), np.float32), EVERY, ta))
        seen.append(watch.verdict())
        if seen[-1] is not None:
            break
    assert seen[-1] == verdict
    assert 80 <= len(watch) <= 480


def test_a_window_too_short_to_resolve_the_limits_says_so() -> None:
    random = np.random.default_rng(15)
    watch = SteadinessWatch(shortest=32, longest=32)
    verdict = None
    for number in range(200):
        ta = 28 + float(random.normal(0, 0.05))
        watch.push(Reading(number * 125_000, np.full(SHAPE, 30.0, np.float32), EVERY, ta))
        verdict = watch.verdict()
        if verdict is not None:
            break
    assert verdict == "undecided"
