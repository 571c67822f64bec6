"""fitness-band: what trains its activity, what its graph says of people who are simulated, and whom it refuses."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thermo_core.graph import series
from thermo_core.graph.alerts import AlertMachine, AlertState
from thermo_core.graph.plan import PERSON, plan
from thermo_core.quality import Quality
from thermo_core.signals import Series
from thermo_core.wearable import file, library
from thermo_models import extra_trees
from thermo_models.boosting import Boosting
from thermo_models.features import moments, signal_from, signal_over, through
from thermo_models.random_features import Hidden, Prior, SolvedClasses
from thermo_models.tasks import find
from thermo_models.tasks import fitness_band_features as features_of
from thermo_sim.people import Person, course, motion, pulse_wave

WEARABLE = file.read(library.resolve("fitness-band"))
RATE_HZ = 25.0


def ring(count: int, seed: int) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Three classes that no straight line parts: within, around, and outside of a ring; two numbers of noise beside them."""
    rng = np.random.default_rng(seed)
    x = rng.uniform(-3, 3, (count, 4)).astype(np.float32)
    return x, np.digitize(np.hypot(x[:, 0], x[:, 1]), [1.2, 2.2])


def test_trees_and_a_network_tell_what_no_line_does() -> None:
    (known, classes), (asked, truth) = ring(3000, 0), ring(1000, 1)
    stage = Boosting(leaves=8).learn(known, classes, 3, "x", "y")
    prior = Prior(((np.ones(4), 1.0),), 100.0, 1.0, 0.0)
    network = SolvedClasses.of(Hidden.draw(prior, 128, 0), prior, known.astype(np.float64), classes, 3)
    said: dict[str, NDArray[Any]] = {
        "boosted": through((stage,), asked),
        "extra trees": extra_trees.tell(known, classes, asked, 3, trees=40),
        "network": network(asked.astype(np.float64)),
    }
    for name, scores in said.items():
        assert np.allclose(scores.sum(1), 1, atol=1e-5), name
        assert np.mean(scores.argmax(1) == truth) > 0.85, name
    line = SolvedClasses.of(Hidden.draw(prior, 1, 0), prior, known.astype(np.float64), classes, 3)
    assert np.mean(line(asked.astype(np.float64)).argmax(1) == truth) < 0.7, "a line would have done"


def test_boosting_forgets_no_sample_that_is_alike() -> None:
    """Nothing to split by: every score is that of the classes, each of which weighs the same."""
    stage = Boosting().learn(np.ones((200, 3), np.float32), np.arange(200) % 5 // 4, 2, "x", "y")
    np.testing.assert_allclose(through((stage,), np.ones((1, 3), np.float32)), [[0.5, 0.5]], atol=1e-3)


def test_scores_are_read_as_the_wearable_reads_them() -> None:
    """Session by session as the graph's own stage does, however long a session is."""
    rng = np.random.default_rng(2)
    lengths = (3, 25, 1)
    outputs = rng.random((sum(lengths), 3)).astype(np.float32)
    elapsed = np.concatenate([60 + 30.0 * np.arange(count) for count in lengths])
    found = features_of.lately(outputs, elapsed)
    first = 0
    stage = next(one for one in WEARABLE.profile.stages if one.gives == "activity-lately")
    for count in lengths:
        part = replace_of(stage)
        given = moments({"raw": outputs[first : first + count]}, 30_000_000)
        wanted = signal_from(part, given, {"raw": 1 / 30}, "activity-lately").values
        np.testing.assert_allclose(found[first : first + count], wanted, atol=1e-5)
        first += count


def replace_of(stage: Any) -> Any:
    """A wearable of one external signal and that stage."""
    from msgspec.structs import replace as changed

    from thermo_core.sensors.external.settings import ExternalSettings

    raw = ExternalSettings(name="raw", shape=(3,), rate_hz=1 / 30)
    profile = changed(WEARABLE.profile, sensors=(raw,), stages=(changed(stage, of="raw"),), models=(), alerts=())
    return changed(profile, person=())


def test_a_session_becomes_samples_with_the_faults_taken_out() -> None:
    count = 300
    of: dict[str, NDArray[Any]] = {
        "temp_centi": np.full(count, 3300, np.int16),
        "hr_x50": np.where(np.arange(count) < 10, -1, 4000).astype(np.int16),
        "acc_sd_g": np.full(count, 0.02, np.float32),
        "enmo_g": np.full(count, 0.01, np.float32),
    }
    facts, extra = features_of.samples_of("AEROBIC/S20", of)
    assert facts.shape == (9, 42) and extra["elapsed_s"].tolist() == list(range(60, 301, 30))
    assert np.isnan(facts[0]).any() and not np.isnan(facts[1:]).any()
    assert facts[-1, 0] == 80 and extra["temperature"][-1, 0] == 33
    _, hot = features_of.samples_of("AEROBIC/S20", of | {"temp_centi": np.full(count, 20000, np.int16)})
    assert np.isnan(hot["temperature"]).all()
    capped, _ = features_of.samples_of("STRESS/f07", of)
    assert np.isnan(capped[:, 0]).all() and not np.isnan(capped[:, 11]).any()


def test_the_file_gives_each_person_three_sessions_and_a_fold(shared_dir: Path) -> None:
    task = find("fitness-band")
    samples = task.load(shared_dir / "datasets/e4_exercise/e4_exercise_1hz.npz", task.settings, quick=True)
    folds = [fold.checked(samples) for fold in task.folds(samples, task.settings)]
    assert len(folds) == len(np.unique(samples.people)) == 6
    assert samples.names is not None and set(np.unique(samples.groups)) == {1, 2}
    for person in np.unique(samples.people):
        assert len(np.unique(samples.targets[samples.people == person])) == 3


def worn(seconds: int, told: bool, off: bool = False) -> dict[str, Series]:
    """Signals of a simulated person who rests and then walks; nobody has said who it is, or the pulse sensor is off the skin."""
    person = Person.drawn(12)
    truth = course("workout", 1, person).at(np.arange(0.0, float(seconds)))

    def of(values: NDArray[Any], flags: int = 0) -> Series:
        times_us = np.arange(1, len(values) + 1, dtype=np.int64) * 40_000
        order = 8 * np.arange(len(values), dtype=np.int64)
        return Series(times_us, values.astype(np.float32), np.full(len(values), flags, np.uint16), order=order)

    light = pulse_wave(truth, RATE_HZ, 1, led="infrared")[:, np.newaxis] * 6.4
    sources = {"motion": of(motion(truth, RATE_HZ, 1)), "pulse": of(light, int(Quality.OFF_SKIN) if off else 0)}
    known = {"age_years": person.age_years, "weight_kg": person.weight_kg, "height_m": person.height_m, "sex": 1.0}
    for name in WEARABLE.profile.person:
        value = known[name] if told else np.nan
        sources[f"{PERSON}.{name}"] = Series(np.zeros(1, np.int64), np.array([value], np.float32))
    found = dict(series.run(plan(WEARABLE.profile), sources, {}))
    found["truth"] = Series(np.arange(seconds, dtype=np.int64) * 1_000_000, truth.heart_bpm.astype(np.float32))
    return found


def test_a_heart_at_rest_is_told_to_two_beats_and_energy_only_of_whom_is_known() -> None:
    known = worn(400, told=True)
    rate = known["heart-rate"]
    at = np.clip(rate.times_us // 1_000_000 - 4, 0, 399)
    errors = np.abs(rate.values[:, 0] - known["truth"].values[at])
    assert np.isfinite(errors).mean() > 0.9 and np.nanmean(errors) < 2
    watts = known["metabolic-rate"].values
    assert ((watts > 1) & (watts < 8)).all()
    energy = known["energy"].values
    assert (np.diff(energy) > 0).all() and 5 < energy[-1] < 40, "some kilocalories in six minutes of rest"

    unknown = worn(120, told=False)
    for name in ("metabolic-rate", "power", "energy"):
        assert len(unknown[name]) and np.isnan(unknown[name].values).all(), name
    assert (unknown["metabolic-rate"].flags & Quality.MISSING).all()
    assert np.isfinite(unknown["heart-rate"].values).any(), "a heart rate needs no person"
    assert np.isfinite(unknown["calm-rate"].values).any(), "nor does an alert of the heart"


def test_a_band_that_is_off_says_no_heart_rate_and_no_energy() -> None:
    off = worn(120, told=True, off=True)
    assert np.isnan(off["heart-rate"].values).all()
    assert (off["heart-rate"].flags & Quality.OFF_SKIN).all() and np.isnan(off["energy"].values).all()


def called(*times: tuple[int, float, float]) -> list[float]:
    """Minutes at which `fast-heart` is raised, of a heart that is given as (minutes, beats a minute, SD of motion in g)."""
    minutes = [one[0] for one in times]
    beating = np.repeat([one[1] for one in times], [30 * one for one in minutes])[:, np.newaxis].astype(np.float32)
    moved = np.repeat([[one[2] / 3, one[2]] for one in times], [60 * one for one in minutes], axis=0).astype(np.float32)
    given = moments({"beating": beating}, 2_000_000) | moments({"moved": moved})
    given["beating"] = replace(given["beating"], order=2 * given["beating"].order)
    over = signal_from(WEARABLE.profile, given, {"beating": 0.5, "moved": 1.0}, "over-own")
    (alert,) = [one for one in plan(WEARABLE.profile).alerts if one.alert.name == "fast-heart"]
    machine, found = AlertMachine(alert, 0), []
    for values, flags, at_us in zip(over.values, over.flags.tolist(), over.times_us.tolist(), strict=True):
        change = machine.push(float(values[alert.watch.place]), flags, at_us)
        if change is not None and change.state is AlertState.RAISED:
            found.append(at_us / 60e6)
    return found


STILL, WORKS = 0.005, 0.05
"""SD of motion of who sits, and of who pedals, g."""


def test_a_heart_that_is_fast_at_rest_is_called_after_a_quarter_of_an_hour() -> None:
    (at,) = called((120, 60, STILL), (60, 85, STILL))
    assert 134 <= at <= 137
    assert called((120, 85, STILL), (60, 110, STILL)), "by what is usual of this wearer"
    assert not called((120, 85, STILL), (60, 95, STILL)), "as fast as another one's at rest"
    assert not called((120, 60, STILL), (12, 85, STILL), (60, 60, STILL)), "a short fright"


def test_who_exercises_is_not_called_for_it() -> None:
    hard = (60, 150, WORKS)
    assert not called((120, 60, STILL), hard, (20, 70, STILL))
    assert not called((120, 60, STILL), hard, (9, 120, STILL), (60, 70, STILL)), "a heart calms down after work"
    (at,) = called((120, 60, STILL), hard, (60, 95, STILL))
    assert 180 + 10 + 14 <= at <= 180 + 10 + 17, "but not for ever"
    assert len(called((120, 60, STILL), hard, (120, 60, STILL), (60, 85, STILL))) == 1, "nor is work taken for usual"


def test_nobody_is_called_before_what_is_usual_is_known() -> None:
    assert not called((55, 120, STILL))
    seconds = {alert.name: (alert.after.findings, alert.after.seconds) for alert in WEARABLE.profile.alerts}
    assert all(findings >= 3 and length >= 110 for findings, length in seconds.values())


def test_the_variant_with_the_other_thermometer_is_this_wearable() -> None:
    other = file.read(WEARABLE.path.with_name("mlx90614.toml"))
    assert other.profile.sensors[0].kind == "mlx90614"
    assert other.profile.sensors[1:] == WEARABLE.profile.sensors[1:]
    for field in ("stages", "models", "alerts", "person", "name"):
        assert getattr(other.profile, field) == getattr(WEARABLE.profile, field), field


def test_signals_that_are_given_make_the_bytes_of_the_whole_graph() -> None:
    """The training's way in, from heart rates and seconds of motion on, is the graph's own."""
    found = worn(200, told=True)
    given = {name: found[name] for name in ("beating", "moved")}
    part = signal_from(WEARABLE.profile, given, {"beating": 0.5, "moved": 1.0}, "facts")
    assert len(part) and part.values.tobytes() == found["facts"].values.tobytes()
    assert replace(part).times_us.tolist() == found["facts"].times_us.tolist()
    assert signal_over(WEARABLE.profile, {}, "facts").values.shape == (0, 42)
