"""contact_gate and motion_gate against brute force, contact_correction against its equation."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from stage_runs import one, run, samples, sensor, wearable

from thermo_core.errors import ProfileError
from thermo_core.quality import Quality


@given(st.integers(0, 2**32 - 1), st.sampled_from([1.0, 4.0]), st.sampled_from([0.0, 3.0, 20.0]))
def test_a_node_that_makes_a_step_is_held_back(seed: int, rate_hz: float, hold_s: float) -> None:
    rng = np.random.default_rng(seed)
    values = (33 + rng.normal(0, 0.02, (120, 3))).astype(np.float32)
    for node in range(3):
        values[rng.integers(10, 110) :, node] -= 1
    values[rng.random((120, 3)) < 0.1] = np.nan
    made = wearable(
        sensor(shape=(3,), rate_hz=rate_hz), {"op": "contact_gate", "of": "x", "gives": "y", "hold_s": hold_s}
    )
    found = run(made, x=samples(values, np.arange(120) * round(1e6 / rate_hz)))["y"]
    behind, held = round(rate_hz), max(1, round(hold_s * rate_hz))
    for node in range(3):
        column = values[:, node].astype(np.float64)
        moved = [n for n in range(120) if (np.abs(column[n] - column[max(n - behind, 0) : n]) > 0.3).any()]
        shut = {n for first in moved for n in range(first, first + held)}
        wanted = [np.nan if n in shut else values[n, node] for n in range(120)]
        np.testing.assert_array_equal(found.values[:, node], np.array(wanted, np.float32))
    flagged = found.flags == Quality.MOVING
    assert (flagged >= (np.isnan(found.values) & ~np.isnan(values)).any(1)).all() and not flagged[:10].any()


def test_slow_skin_is_no_step_and_a_gap_forgets() -> None:
    warming = np.float32(30 + 0.2 * np.arange(40))
    assert np.isfinite(one({"op": "contact_gate"}, warming)).all()
    made = wearable(sensor(), {"op": "contact_gate", "of": "x", "gives": "y"})
    found = run(made, x=samples([30, 30, 35, 35], np.array([0, 1, 10, 11]) * 1_000_000))["y"]
    assert np.isfinite(found.values).all() and not found.flags.any()


@pytest.mark.parametrize("fields", [{"within_s": 60.0}, {"hold_s": 3600.0}])
def test_a_gate_that_would_keep_too_much_is_refused(fields: dict[str, float]) -> None:
    with pytest.raises(ProfileError, match="shorten"):
        wearable(sensor(rate_hz=25.0), {"op": "contact_gate", "of": "x", "gives": "y"} | fields)


@given(st.integers(0, 2**32 - 1), st.sampled_from([0.0, 4.0]))
def test_motion_is_flagged_and_for_a_while_after(seed: int, hold_s: float) -> None:
    rng = np.random.default_rng(seed)
    sources = sensor(shape=(3,), rate_hz=2.0)
    made = wearable(
        sources,
        {"op": "select", "of": "x", "gives": "skin", "places": [0]},
        {"op": "select", "of": "x", "gives": "moves", "places": [1, 2]},
        {"op": "motion_gate", "of": "skin", "motion": "moves", "gives": "y", "threshold": 0.1, "hold_s": hold_s},
    )
    values = np.abs(rng.normal(0, 0.04, (80, 3))).astype(np.float32)
    values[rng.random(80) < 0.1, 2] = np.nan
    flags = np.where(rng.random(80) < 0.1, np.uint16(Quality.STALE), np.uint16(0))
    found = run(made, x=samples(values, np.arange(80) * 500_000, flags))["y"]
    np.testing.assert_array_equal(found.values, values[:, :1])
    moving = (values[:, 1:] > 0.1).any(1)
    for place in range(80):
        wanted = Quality.MOVING if moving[max(place - round(2 * hold_s), 0) : place + 1].any() else 0
        assert found.flags[place] == flags[place] | wanted


@given(st.floats(0, 0.89), st.floats(-20, 45), st.floats(20, 40))
def test_a_node_that_half_feels_the_air_is_corrected(share: float, air: float, skin: float) -> None:
    made = wearable(
        sensor(shape=(2,), unit="degC"),
        {"op": "select", "of": "x", "gives": "nodes", "places": [0, 0]},
        {"op": "select", "of": "x", "gives": "air", "places": [1]},
        {"op": "contact_correction", "of": "nodes", "air": "air", "gives": "y", "share": [share, 0.0]},
    )
    node = (1 - share) * skin + share * air
    found = run(made, x=samples([[node, air], [node, np.nan], [np.nan, air]]))["y"].values
    assert found[0, 0] == pytest.approx(skin, abs=2e-3) and found[0, 1] == np.float32(node)
    assert np.isnan(found[1:]).all()


@pytest.mark.parametrize("share", [[0.95], [-0.1], [0.1, 0.2]])
def test_a_share_that_cannot_be_is_refused(share: list[float]) -> None:
    with pytest.raises(ProfileError, match="share"):
        wearable(
            [sensor(shape=(3,)), sensor("air")],
            {"op": "hold", "of": "air", "on": "x", "gives": "beside"},
            {"op": "contact_correction", "of": "x", "air": "beside", "gives": "y", "share": share},
        )


@given(st.integers(0, 2**32 - 1), st.booleans())
def test_what_is_beyond_its_domain_is_flagged_and_let_through(seed: int, calibrated: bool) -> None:
    rng = np.random.default_rng(seed)
    made = wearable(
        sensor(shape=(3,), rate_hz=2.0),
        {"op": "select", "of": "x", "gives": "skin", "places": [0]},
        {"op": "select", "of": "x", "gives": "tells", "places": [1, 2]},
        {
            "op": "domain_gate",
            "of": "skin",
            "by": "tells",
            "gives": "y",
            "low": -1.0,
            "high": 1.0,
            "calibrated": calibrated,
        },
    )
    values = rng.normal(0, 0.6, (60, 3)).astype(np.float32)
    values[rng.random(60) < 0.1, 2] = np.nan
    values[:4, 1:] = [[-1, 1], [1, np.inf], [0, -1.0000001], [0, 0]]
    said = np.where(rng.random(60) < 0.2, Quality.UNCALIBRATED, 0).astype(np.uint16)
    found = run(made, x=samples(values, np.arange(60) * 500_000, said))["y"]
    within = [
        all(-1 <= x <= 1 for x in row[1:].tolist()) and not (calibrated and flag)
        for row, flag in zip(values, said, strict=True)
    ]
    np.testing.assert_array_equal(found.values[:, 0], values[:, 0])
    assert ((found.flags & Quality.OUT_OF_DOMAIN) == 0).tolist() == within
    assert (within[0] and not within[1] and not within[2]) or calibrated


def test_a_gate_whose_range_is_empty_is_refused() -> None:
    with pytest.raises(ProfileError, match="make low the lower one"):
        wearable(sensor(), {"op": "domain_gate", "of": "x", "by": "x", "gives": "y", "low": 2.0, "high": 1.0})


def test_pictures_are_stacked_pixel_by_pixel_and_others_refused() -> None:
    rng = np.random.default_rng(3)
    values = rng.normal(33, 1, (5, 4, 6)).astype(np.float32)
    values[1, 2, 3] = np.nan
    twice = {"op": "scale", "of": "x", "gives": "z", "factor": 2.0}
    made = wearable(sensor(shape=(4, 6)), twice, {"op": "stack", "of": ["x", "z"], "gives": "y"})
    found = run(made, x=samples(values, np.arange(5) * 1_000_000))["y"]
    assert found.values.shape == (5, 4, 6, 2)
    np.testing.assert_array_equal(found.values[..., 0], values)
    np.testing.assert_array_equal(found.values[..., 1], values * 2)
    corner = {"op": "crop", "of": "x", "gives": "z", "rows": 3, "columns": 6}
    with pytest.raises(ProfileError, match="pictures of one size"):
        wearable(sensor(shape=(4, 6)), corner, {"op": "stack", "of": ["x", "z"], "gives": "y"})
    with pytest.raises(ProfileError, match="takes a picture"):
        wearable(sensor(), {"op": "stack", "of": ["x", "x"], "gives": "y"})
