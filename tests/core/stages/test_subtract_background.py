"""subtract_background: against OpenCV's running average with a mask, and scenes with people and furniture."""

from typing import Any

import cv2
import numpy as np
import pytest
from examples import few
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from stage_runs import one, run, samples, sensor, wearable

from thermo_core.errors import ProfileError
from thermo_core.graph.plan import Plan
from thermo_core.quality import Quality

Floats = NDArray[np.float32]


def scene(seed: int, count: int = 200) -> Floats:
    """(count, 6, 8) a room that warms slowly, and somebody who walks through it."""
    rng = np.random.default_rng(seed)
    room = rng.uniform(19, 24, (6, 8)) + 0.004 * np.arange(count)[:, np.newaxis, np.newaxis]
    values = room + rng.normal(0, 0.1, (count, 6, 8))
    for place in range(40, count):
        column = place // 3 % 8
        values[place, 1:5, column] = rng.uniform(29, 33)
    return values.astype(np.float32)


@few(30)
@given(st.integers(0, 2**32 - 1), st.sampled_from([10.0, 50.0, 1000.0]), st.sampled_from([1.0, 3.0]))
def test_the_background_is_opencv_s_running_average_of_what_is_no_foreground(
    seed: int, time_constant_s: float, threshold: float
) -> None:
    values = scene(seed)
    stage = {"op": "subtract_background", "time_constant_s": time_constant_s, "threshold": threshold, "patience_s": 0}
    found = one(stage, values)
    masks = one(stage | {"give": "mask"}, values)
    level = np.zeros(values.shape[1:], np.float32)
    for place, picture in enumerate(values):
        apart = picture - level
        background = np.full(picture.shape, 255, np.uint8)
        if place >= 10:
            np.testing.assert_allclose(found[place], apart, rtol=0, atol=2e-4)
            apart_less = cv2.compare(cv2.absdiff(picture, level), np.full_like(level, threshold), cv2.CMP_LE)
            clear = np.abs(np.abs(apart) - threshold) > 1e-3
            np.testing.assert_array_equal(masks[place][clear], (apart_less == 0)[clear])
            # What rounding decides here goes on as the stage decided it.
            background = np.where(masks[place] == 0, 255, 0).astype(np.uint8)
        else:
            assert np.isnan(found[place]).all() and np.isnan(masks[place]).all()
        cv2.accumulateWeighted(picture, level, 1 / min(place + 1, time_constant_s), background)


def still(**fields: Any) -> Plan:
    """A picture of two pixels, once a second."""
    stage = {"op": "subtract_background", "of": "x", "gives": "y", "time_constant_s": 20.0}
    return wearable(sensor(shape=(1, 2), unit="degC"), stage | fields)


def visited(came: int, count: int = 200) -> Floats:
    """(count, 1, 2) a wall of 20 degC; somebody comes before the first pixel and stays."""
    values = np.full((count, 1, 2), 20.0, np.float32)
    values[came:, 0, 0] = 33.0
    return values


def test_who_stays_is_foreground_as_long_as_patience_lasts() -> None:
    made = still(patience_s=60)
    assert made.signals["y"].unit == "K"
    found = run(made, x=samples(visited(50)))["y"].values[:, 0]
    np.testing.assert_array_equal(found[10:, 1], 0)
    np.testing.assert_array_equal(found[10:50, 0], 0)
    np.testing.assert_array_equal(found[50:110, 0], 13)
    np.testing.assert_array_equal(found[111:, 0], 0)
    for_ever = run(still(patience_s=0), x=samples(visited(50)))["y"].values[:, 0, 0]
    np.testing.assert_array_equal(for_ever[50:], 13)


def test_a_look_at_the_background_renews_patience() -> None:
    values = visited(50)
    values[100, 0, 0] = 20.0
    found = run(still(patience_s=60), x=samples(values))["y"].values[:, 0, 0]
    np.testing.assert_array_equal(found[101:160], 13)
    np.testing.assert_array_equal(found[161:], 0)


@pytest.mark.parametrize("by", ["mean", "median"])
def test_the_background_follows_a_room_that_warms(by: str) -> None:
    values = np.full((2000, 1, 2), 20.0) + 0.001 * np.arange(2000)[:, np.newaxis, np.newaxis]
    values += np.random.default_rng(0).normal(0, 0.1, values.shape)
    found = run(still(by=by), x=samples(values))["y"]
    assert np.abs(found.values[100:]).max() < 0.6 and abs(found.values[100:].mean()) < 0.05
    assert not (run(still(by=by, give="mask"), x=samples(values))["y"].values[100:]).any()


def test_a_median_is_drawn_less_by_what_passes_while_all_is_learned() -> None:
    values = np.full((60, 1, 2), 20.0, np.float32)
    values[5:15, 0, 0] = 33.0
    mean, median = (
        run(still(by=by, least_s=40.0, threshold=0.5, patience_s=0), x=samples(values))["y"].values[45, 0, 0]
        for by in ("mean", "median")
    )
    assert abs(median) < 0.3 < abs(mean)


def test_what_is_doubtful_or_lacks_is_not_learned() -> None:
    values = visited(300, 100)
    values[40:60] = 20.8
    flags = np.where((np.arange(100) >= 40) & (np.arange(100) < 60), int(Quality.SATURATED), 0)
    found = run(still(), x=samples(values, flags=flags))["y"]
    np.testing.assert_array_equal(found.values[60:], 0)
    assert (found.flags[:10] == Quality.UNCALIBRATED).all() and not found.flags[10:40].any()
    values = visited(300, 100)
    values[:50, 0, 0] = np.nan
    values[70, 0, 1] = np.inf
    found = run(still(), x=samples(values))["y"]
    assert np.isnan(found.values[:51, 0, 0]).all()
    np.testing.assert_array_equal(found.values[51:, 0, 0], 0)
    np.testing.assert_array_equal(found.values[71:, 0, 1], 0)
    mask = run(still(give="mask"), x=samples(values))["y"].values[10:]
    np.testing.assert_array_equal(mask, 0)


def test_a_night_neither_teaches_nor_forgets_and_another_sensor_starts_anew() -> None:
    times_us = np.concatenate([np.arange(100), 40_000 + np.arange(100)]) * 1_000_000
    found = run(still(), x=samples(visited(100), times_us))["y"].values[:, 0]
    np.testing.assert_array_equal(found[100], [13, 0])
    anew = run(still(), x=samples(visited(100), times_us, fresh=np.arange(200) == 100))["y"].values[:, 0]
    assert np.isnan(anew[100:110]).all()
    np.testing.assert_array_equal(anew[110:], 0)


@pytest.mark.parametrize(("rate_hz", "before"), [(0.0, []), (1.0, [{"op": "window", "gives": "w", "length": 4}])])
def test_what_has_no_background_is_refused(rate_hz: float, before: list[dict[str, Any]]) -> None:
    of = "w" if before else "x"
    with pytest.raises(ProfileError, match=r"resample|before the window"):
        wearable(
            sensor(shape=(3,), rate_hz=rate_hz),
            *({"of": "x"} | one for one in before),
            {"op": "subtract_background", "of": of, "gives": "y"},
        )
