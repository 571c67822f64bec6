"""Alerts and findings: the states of an alert against a plain account of what has come, and what a model's numbers mean."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from thermo_core import schema
from thermo_core.graph.alerts import AlertMachine, AlertState
from thermo_core.graph.findings import finding
from thermo_core.graph.plan import plan
from thermo_core.quality import Quality
from thermo_core.signals import Sample
from thermo_core.wearable.profile import Model, Profile


def machine(**alert: object) -> AlertMachine:
    profile = {
        "name": "test",
        "version": "1",
        "sensors": [{"kind": "external", "name": "pulse", "rate_hz": 1.0}],
        "alerts": [{"name": "fast", "when": "pulse > 130", **alert}],
    }
    made = plan(schema.from_plain(profile, Profile, "profile"))
    return AlertMachine(made.alerts[0], 0)


readings = st.tuples(
    st.sampled_from([100.0, 120.0, 125.0, 131.0, 150.0, math.nan]),
    st.sampled_from([0, 0, 0, int(Quality.UNCALIBRATED), int(Quality.OFF_SKIN)]),
    st.integers(1, 4),
)


@given(st.lists(readings, max_size=60), st.integers(1, 4), st.integers(0, 6), st.booleans())
def test_an_alert_is_raised_and_ends_as_its_rule_says(
    shown: list[tuple[float, int, int]], findings: int, seconds: int, with_clear: bool
) -> None:
    alert = machine(
        **{"for": {"findings": findings, "seconds": seconds}}, **({"clear": "pulse < 121"} if with_clear else {})
    )
    time_s, raised = 0, False
    run: list[int] = []  # moments at which the condition held, in a row
    for value, flags, step in shown:
        time_s += step
        alert.push(value, flags, time_s * 1_000_000)
        if math.isnan(value) or flags == Quality.OFF_SKIN:
            pass
        elif raised:
            raised = not (value < 121 if with_clear else value <= 130)
            run = []
        else:
            run = [*run, time_s] if value > 130 else []
            raised = len(run) >= findings and run[-1] - run[0] >= seconds
        wanted = AlertState.RAISED if raised else AlertState.PENDING if run else AlertState.CLEAR
        assert alert.newest.state is wanted


def test_an_acknowledged_alert_stays_until_it_is_over() -> None:
    alert = machine()
    assert alert.acknowledge(0) is None
    assert alert.push(140, 0, 1) is not None
    change = alert.acknowledge(2)
    assert change is not None
    assert change.state is AlertState.ACKNOWLEDGED
    assert alert.push(150, 0, 3) is None
    change = alert.push(100, 0, 4)
    assert change is not None
    assert change.state is AlertState.CLEAR


def test_a_gap_ends_what_is_pending_and_nothing_else() -> None:
    alert = machine(**{"for": {"findings": 2}})
    alert.push(140, 0, 1)
    change = alert.interrupt(2)
    assert change is not None
    assert change.state is AlertState.CLEAR
    alert.push(140, 0, 3)
    alert.push(140, 0, 4)
    assert alert.interrupt(5) is None
    assert alert.newest.state is AlertState.RAISED


def test_the_number_compared_with_is_one_of_float32() -> None:
    alert = machine(when="pulse >= 0.1")
    assert alert.push(float(np.float32(0.1)), 0, 1) is not None


def _model(**outputs: object) -> Model:
    return schema.from_plain({"name": "m", "inputs": ["x"], **outputs}, Model, "model")


def test_one_score_of_two_labels_is_the_seconds() -> None:
    said = finding(
        _model(scores=["rest", "stress"]), 3, Sample(7, np.array([0.75], np.float32), int(Quality.SIMULATED))
    )
    assert said.values == pytest.approx((0.25, 0.75), abs=1e-5)
    assert sum(said.values) == pytest.approx(1)
    assert (said.model, said.time_us, said.flags, said.winner) == (3, 7, Quality.SIMULATED, 1)


def test_scores_stay_within_0_and_1_and_the_first_of_equals_wins() -> None:
    said = finding(_model(scores=["a", "b", "c"]), 0, Sample(0, np.array([1.004, 1.1, -0.1], np.float32)))
    assert said.values == (1.0, 1.0, 0.0)
    assert said.winner == 0


def test_a_quantity_has_its_unit_and_its_range() -> None:
    model = _model(quantities=[{"name": "core", "unit": "degC", "low": 34, "high": 43, "offset": 37.0, "factor": 2.0}])
    assert finding(model, 0, Sample(0, np.array([0.25], np.float32))).values == (37.5,)
    far = finding(model, 0, Sample(0, np.array([4.0], np.float32)))
    assert far.flags & Quality.OUT_OF_RANGE
    assert far.values == (45.0,)


def test_no_value_is_no_finding() -> None:
    for outputs in (
        {"scores": ["a", "b"]},
        {"quantities": [{"name": n, "unit": "", "low": 0, "high": 1} for n in "ab"]},
    ):
        said = finding(_model(**outputs), 0, Sample(0, np.full(2, np.nan, np.float32)))
        assert said.values == ()
        assert said.winner is None
        assert said.flags & Quality.MISSING
