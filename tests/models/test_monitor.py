"""The monitor: live facts are those it learnt from, people stay apart, faults are told of in time, and nothing is told of without one."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from numpy.typing import NDArray

from thermo_core.graph.series import order_of_blocks
from thermo_core.signals import Series
from thermo_models.evaluation import open_model
from thermo_models.features import behind, network_inputs, refused, signal_over
from thermo_models.tasks import find
from thermo_models.tasks.monitor import LEFT_OUT, LOW_CELSIUS, SPAN_K, _everybody
from thermo_models.tasks.monitor_bodies import ENTRY, NOW, STATES, WEARABLE, later_stages, worn
from thermo_models.tasks.task import Probed
from thermo_sim.people import Person, course

pytestmark = pytest.mark.lengthy

WITHIN_S = 30.0


@pytest.fixture(scope="module")
def bench() -> ModuleType:
    spec = importlib.util.spec_from_file_location("bench_monitor", Path(__file__).parents[2] / "bench" / "monitor.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def test_what_it_learns_from_is_what_it_sees_live(bench: ModuleType) -> None:
    """Everything behind what the sensors say every 20 s, on the device and over the samples of training."""
    monitor = bench.Worn(41)
    plan = monitor.pipeline.plan
    live: dict[str, list[tuple[int, int, np.ndarray[tuple[int], np.dtype[np.float32]]]]] = {NOW: [], ENTRY: []}
    numbers = {plan.number_of(name): name for name in live}
    monitor.pipeline.send_signals(tuple(numbers))
    while monitor.now_s < 300:
        for record in monitor.pipeline.step():
            if getattr(record, "signal", None) in numbers:
                live[numbers[record.signal]].append((record.time_us, record.flags, record.values))
    monitor.close()
    person = monitor.hardware.around.course.person
    times = np.array([one[0] for one in live[NOW]], np.int64)
    now = Series(
        times,
        np.stack([one[2] for one in live[NOW]]),
        flags=np.array([one[1] for one in live[NOW]], np.uint16),
        order=order_of_blocks(len(times)),
    )
    told = {"age_years": person.age_years, "weight_kg": person.weight_kg, "height_m": person.height_m}
    told["sex"] = float(person.sex == "male")
    known = {
        f"person.{name}": Series(np.zeros(1, np.int64), np.array([value], np.float32), order=np.zeros(1, np.int64))
        for name, value in told.items()
    }
    made = signal_over(later_stages(), {NOW: now, **known}, ENTRY)
    both = np.intersect1d(made.times_us, [one[0] for one in live[ENTRY]])
    assert len(both) >= 8
    theirs = {one[0]: one[2] for one in live[ENTRY]}
    for at, values in zip(made.times_us.tolist(), made.values, strict=True):
        if at in theirs:
            np.testing.assert_array_equal(values, theirs[at])


def test_people_are_apart_and_figures_are_of_what_was_said() -> None:
    task = find("monitor")
    samples = task.load(None, task.settings, quick=True)
    tested = np.concatenate(
        [fold.checked(samples).test for fold in task.folds(samples, task.settings.changed({"folds": 2}))]
    )
    assert np.array_equal(np.sort(tested), np.arange(len(samples)))
    assert set(np.unique(samples.extra["state"])) == set(range(len(STATES)))
    right = task.metrics(samples, samples.targets, task.settings)
    assert right["core_rmse"] < 0.03, "but for cores that are beyond what the network can say"
    assert right["macro_f1"] == right["auc_fever"] == right["off_found"] == 1.0
    wrong = samples.targets.copy()
    wrong[:, 0] += 1 / SPAN_K
    assert task.metrics(samples, wrong, task.settings)["core_bias"] == pytest.approx(1.0 + right["core_bias"], abs=1e-4)
    half = task.folds(samples, task.settings.changed({"folds": 2}))[0]
    beside = task.baseline(samples.pick(half.train), samples.pick(half.test), task.settings)
    assert beside is not None
    ectemp = samples.extra["ectemp"][half.test]
    np.testing.assert_allclose(LOW_CELSIUS + SPAN_K * beside[:, 0], ectemp, atol=1e-4)
    assert _everybody(range(1000, 1006)), "made once"


def test_the_heart_it_learns_from_is_none_that_ectemp_made() -> None:
    """Two people with the same core temperature have hearts as different as people have, and ECTemp errs on them."""
    found = [
        worn(course("rest", seed, Person.drawn(seed), hours=1.0), np.random.default_rng(seed)) for seed in range(12)
    ]
    hearts = np.array([np.nanmean(one.facts[:, 0]) for one in found])
    cores = np.array([one.core_celsius.mean() for one in found])
    assert hearts.std() > 4.0 and abs(np.corrcoef(hearts, cores)[0, 1]) < 0.9


def test_what_no_body_has_together_is_flagged_and_people_are_not() -> None:
    task = find("monitor")
    assert isinstance(task, Probed)
    opened = open_model(task, WEARABLE.networks["vitals"])

    def said(values: NDArray[np.float32]) -> NDArray[np.float32]:
        return opened.network.predict([network_inputs((), values)])

    found = task.probe(WEARABLE.profile, opened.stages, said, quick=True).refused
    assert max(share for name, share in found.items() if name.startswith("worn by")) < 0.04
    assert found["a thermistor that reads 15 K more"] > 0.98 and found["a camera that sees 5 K less"] > 0.95
    assert found["a monitor on a table"] > 0.7 and found["numbers of different people and moments"] > 0.5


def test_each_variant_tells_what_is_unlike_the_facts_that_it_has() -> None:
    task = find("monitor")
    samples = task.load(None, task.settings, quick=True)
    mixed = np.random.default_rng(0).permuted(samples.features, axis=0)
    for variant in LEFT_OUT:
        plan = task.plan(samples, task.settings.changed({"variant": variant}), 0)
        told_by = (*plan.stages, *plan.beside)
        own, of_others = (refused(told_by, facts).mean() for facts in (samples.features, mixed))
        assert own < 0.05 and of_others > 1.5 * own, variant


def test_the_heart_calls_whatever_the_network_has_met() -> None:
    for alert in WEARABLE.plan().alerts:
        rests_on = behind(WEARABLE.profile, (alert.watch.signal,), ())
        asks_the_network = any("vitals.raw" in stage.inputs for stage in rests_on)
        assert asks_the_network == (not alert.alert.name.startswith("heart-")), alert.alert.name


@pytest.mark.parametrize("name", ["pulse without power", "air frozen", "taken off the skin", "thermistor open"])
def test_faults_are_told_of_within_half_a_minute(bench: ModuleType, name: str) -> None:
    delays = dict(bench.campaign(1, seed=77, only=(name,)))
    assert delays[name] is not None and delays[name] <= WITHIN_S


def test_of_a_healthy_wearer_at_rest_nothing_is_flagged(bench: ModuleType) -> None:
    monitor = bench.Worn(43)
    monitor.run(60)
    begun = len(monitor.heard.findings)
    monitor.run(300)
    said = monitor.heard.findings[begun:]
    truth = monitor.hardware.around.course.at([monitor.now_s])
    monitor.close()
    assert len(said) >= 14 and not any(bench.is_flagged(one) for one in said)
    quantities = [one.name for one in WEARABLE.profile.models[0].quantities or ()]
    last = dict(zip(quantities, said[-1].values, strict=True))
    assert abs(last["heart-rate"] - truth.heart_bpm[0]) < 4 and abs(last["core"] - truth.core_celsius[0]) < 1.0
    assert last["sensor-off"] < 0.5
