"""Streams are judged as an alert of a wearable would call, and a filter over actions is the forward algorithm."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from thermo_core.graph.alert_plan import AlertPlan, Watch
from thermo_core.graph.alerts import AlertMachine, AlertState
from thermo_core.wearable.condition import parse
from thermo_core.wearable.profile import Alert, Duration
from thermo_models import streams
from thermo_models.action_filter import filtered, transitions
from thermo_models.metrics import expected_calibration_error

SCORES = st.lists(st.sampled_from([0.0, 0.25, 0.5, 0.75, 1.0]), min_size=1, max_size=40)


@given(st.lists(SCORES, min_size=1, max_size=4), st.integers(1, 4), st.sampled_from([0.25, 0.5]))
def test_an_alarm_is_raised_where_a_wearable_would_raise_it(
    recordings: list[list[float]], findings: int, below: float
) -> None:
    when, clear = parse("fall >= 0.5"), parse(f"fall < {below}")
    alert = Alert(name="fall", when="fall >= 0.5", after=Duration(findings=findings), clear=f"fall < {below}")
    plan = AlertPlan(alert, Watch(None, "fall", 0), when, clear)
    expected = []
    for scores in recordings:
        machine = AlertMachine(plan, 0)
        changes = [machine.push(score, 0, 1_000_000 * at) for at, score in enumerate(scores)]
        expected += [change is not None and change.state is AlertState.RAISED for change in changes]
    lengths = [len(scores) for scores in recordings]
    course = _course(np.repeat(np.arange(len(lengths)), lengths), np.concatenate([np.arange(n) for n in lengths]))
    found = streams.raised(course.laid_out(), np.concatenate(recordings), streams.Rule(0.5, findings, below))
    assert found.tolist() == expected


def _course(
    recording: NDArray[np.int64],
    time_s: NDArray[np.int64],
    event: NDArray[np.int64] | None = None,
) -> streams.Course:
    none = np.full(len(recording), streams.NO_EVENT)
    return streams.Course(
        recording, time_s.astype(np.float64), none if event is None else event, np.zeros(len(recording))
    )


def test_a_pause_or_another_recording_begins_a_stretch() -> None:
    course = _course(np.array([0, 0, 0, 0, 1, 1, 1]), np.array([0, 1, 2, 30, 31, 32, 0]))
    assert course.laid_out().tolist() == [[0, 1, 2], [3, -1, -1], [4, 5, -1], [6, -1, -1]]


def test_events_false_alarms_and_delays_by_hand() -> None:
    """Two hours of a moment a second; three events, of which one is called late, one twice and one not."""
    time_s = np.tile(np.arange(3600), 2)
    recording = np.repeat([7, 9], 3600)
    event, since_s, alarms = np.full(7200, streams.NO_EVENT), np.zeros(7200), np.zeros(7200, bool)
    for begins, number in ((100, 0), (500, 1), (3600 + 100, 0)):
        event[begins : begins + 10], since_s[begins : begins + 10] = number, np.arange(10)
    alarms[[50, 104, 502, 507, 3600 + 2000]] = True
    course = streams.Course(recording, time_s.astype(np.float64), event, since_s)
    figures = streams.judged(course, course.laid_out(), alarms)
    assert figures["events"] == 3 and figures["found"] == pytest.approx(2 / 3)
    assert figures["hours"] == pytest.approx(2) and figures["false_an_hour"] == pytest.approx(3 / 2)
    assert figures["delay_s"] == pytest.approx(3)
    silent = streams.judged(course, course.laid_out(), np.zeros(7200, bool))
    assert silent["found"] == 0 and silent["false_an_hour"] == 0 and np.isnan(silent["delay_s"])


def test_a_rule_is_chosen_on_other_days_alone() -> None:
    """One day's false alarms end below the higher threshold, the other's rise above both: neither may choose for itself."""
    time_s = np.tile(np.arange(100), 2)
    recording = day = np.repeat([0, 1], 100)
    event = np.where(time_s // 10 == 5, 0, streams.NO_EVENT)
    scores = np.where(time_s == 55, 0.99, 0.0)
    scores[20], scores[120] = 0.6, 0.9
    course = streams.Course(recording, time_s.astype(np.float64), event, np.zeros(200))
    rules = (streams.Rule(0.5, 1, 0.1), streams.Rule(0.8, 1, 0.1))
    alarms = streams.chosen_elsewhere(course, scores, day, rules)
    # The second day's false alarm tells no rule from the other, so the first rule is left to the first day, which is called for nothing.
    assert np.flatnonzero(alarms).tolist() == [20, 55, 120, 155]
    alone = streams.chosen_elsewhere(course.pick(day == 0), scores[:100], day[:100], rules[::-1])
    assert np.flatnonzero(alone).tolist() == [55]


def test_the_filter_believes_what_all_paths_together_say() -> None:
    """Against a sum over all sequences of classes, as Bayes' rule has it."""
    rng, classes, steps = np.random.default_rng(3), ("a", "b", "c"), 5
    chances = transitions(classes, {"a": 2.0, "b": 3.0, "c": 1.5}, 1.0, {"a": ("b",), "b": ("a", "c"), "c": ("a",)})
    assert np.allclose(chances.sum(1), 1) and chances[0, 2] == 0
    scores, prior = rng.dirichlet(np.ones(3), steps), np.array([0.5, 0.3, 0.2])
    believed = filtered(np.arange(steps)[np.newaxis], scores * prior, chances, prior, 1.0, 1)
    for last in range(steps):
        mass = np.zeros(3)
        for path in itertools.product(range(3), repeat=last + 1):
            chance, before = 1.0, 1
            for at, one in enumerate(path):
                chance *= chances[before, one] * scores[at, one]
                before = one
            mass[path[-1]] += chance
        assert np.allclose(believed[last], mass / mass.sum())


def test_stretches_are_filtered_each_by_itself() -> None:
    chances = transitions(("a", "b"), {"a": 4.0, "b": 4.0}, 1.0)
    scores = np.random.default_rng(0).dirichlet(np.ones(2), 7)
    together = filtered(np.array([[0, 1, 2, 3], [4, 5, 6, -1]]), scores, chances, np.ones(2), 0.5, 0)
    alone = [
        filtered(np.arange(len(one))[np.newaxis], one, chances, np.ones(2), 0.5, 0) for one in (scores[:4], scores[4:])
    ]
    assert np.allclose(together, np.concatenate(alone))


def test_calibration_error_by_hand() -> None:
    scores = np.array([[0.9, 0.1], [0.9, 0.1], [0.35, 0.65], [0.35, 0.65]])
    assert expected_calibration_error(scores, np.array([0, 0, 1, 0])) == pytest.approx(0.5 * 0.1 + 0.5 * 0.15)
    assert expected_calibration_error(scores[:, 1:], np.array([0, 0, 1, 0])) == pytest.approx(0.125)
    rng = np.random.default_rng(1)
    sure = rng.random((200_000, 1))
    assert expected_calibration_error(sure, (rng.random(200_000) < sure[:, 0]).astype(np.int64)) < 0.01
