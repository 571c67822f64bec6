"""Tasks on their data: split rules hold, features are causal, baselines give the figures they are known for."""

import gzip
from pathlib import Path

import numpy as np
import pytest

from thermo_core.errors import ThermoError
from thermo_core.stages.select import Select
from thermo_core.stages.statistics import Statistics
from thermo_models import face, foster, networks, projection
from thermo_models.features import network_inputs, through
from thermo_models.metrics import rmse
from thermo_models.tasks import TASKS, core_temperature, find, nagoya_actions, time_constants, wrist_stress
from thermo_models.templates import stage_of

MEMORY_S = stage_of(wrist_stress.WEARABLE.profile, "minutes").length
FILES = {
    "core-temperature": "fda_face_oral/flir_group1.csv.gz",
    "nagoya-actions": "nagoya_fir_16x16/clips_groups012.npz",
    "nagoya-stream": "nagoya_fir_16x16/recordings_groups012.npz",
    "wrist-stress": "stress_predict_e4/stress_predict_1hz_s01-25.npz",
}


def _file(shared: Path, name: str) -> Path:
    path = shared / "datasets" / FILES[name]
    if not path.is_file():
        pytest.skip(f"{path} is not there; the tests of {name} need it")
    return path


@pytest.mark.parametrize("name", FILES)
def test_folds_keep_people_apart_and_test_everybody_once(shared_dir: Path, name: str) -> None:
    task = find(name)
    samples = task.load(_file(shared_dir, name), task.settings, quick=True)
    assert np.isfinite(task.prepare(samples.features)).mean() > 0.95
    tested = np.concatenate([fold.checked(samples).test for fold in task.folds(samples, task.settings)])
    assert np.array_equal(np.sort(tested), np.arange(len(samples)))


@pytest.mark.parametrize("name", FILES)
def test_files_that_are_cut_or_foreign_give_a_sentence(shared_dir: Path, name: str, tmp_path: Path) -> None:
    task, whole = find(name), _file(shared_dir, name).read_bytes()
    bad = tmp_path / "data"
    for content in (whole[: len(whole) // 2], b"", b"no data", gzip.compress(b"a,b\n1,2\n")):
        bad.write_bytes(content)
        with pytest.raises(ThermoError):
            task.load(bad, task.settings, quick=True)
    with pytest.raises(ThermoError):
        task.load(tmp_path / "absent", task.settings, quick=True)


def test_arrays_that_do_not_fit_together_or_hold_no_number_are_named(shared_dir: Path, tmp_path: Path) -> None:
    for name, array, said in (("nagoya-actions", "frames", "frame 7"), ("wrist-stress", "hr", "lengths")):
        with np.load(_file(shared_dir, name)) as file:
            arrays = {key: file[key] for key in file.files}
        if name == "nagoya-actions":
            arrays[array] = arrays[array].astype(np.float32)
            arrays[array][7, 3, 4] = np.nan
        else:
            arrays[array] = arrays[array][:10]
        np.savez(tmp_path / "bad.npz", **arrays)
        with pytest.raises(ThermoError, match=said):
            find(name).load(tmp_path / "bad.npz", find(name).settings, quick=True)


def test_ridge_predicts_oral_temperature_about_as_known(shared_dir: Path) -> None:
    task = core_temperature.CoreTemperature()
    samples = task.load(_file(shared_dir, task.name), task.settings, quick=False)
    assert len(samples) == 544 and samples.features.shape[1:] == (2 * 26 + 6,)
    error = np.concatenate(
        [
            task.baseline(samples.pick(fold.train), samples.pick(fold.test), task.settings) - samples.targets[fold.test]
            for fold in task.folds(samples, task.settings)
        ]
    )
    assert rmse(error) == pytest.approx(0.262, abs=0.006)
    smaller = task.settings.changed({"variant": "without-mouth"})
    some = task.load(_file(shared_dir, task.name), smaller, quick=True)
    assert network_inputs(task.plan(some, smaller, 0).stages, some.features).shape[1:] == (1, 1, 2 * 24 + 6)


def test_a_region_missing_in_one_round_comes_from_another_but_not_for_the_opened_mouth(
    shared_dir: Path, tmp_path: Path
) -> None:
    task = core_temperature.CoreTemperature()
    whole = gzip.decompress(_file(shared_dir, task.name).read_bytes()).decode().splitlines()
    names, one = whole[0].split(","), whole[1].split(",")
    for region in ("T_RC4", "T_Max4"):
        one[names.index(region)] = ""
    path = tmp_path / "one.csv.gz"
    path.write_bytes(gzip.compress("\n".join([whole[0], ",".join(one), *whole[2:20]]).encode()))
    features = task.load(path, task.settings, quick=False).features[0]
    canthus, largest = (face.REGIONS.index(region) for region in ("T_RC", "T_Max"))
    expected = np.mean([float(one[names.index(f"T_RC{k}")]) for k in (1, 2, 3)])
    assert features[26 + canthus] == pytest.approx(expected, abs=1e-4)
    assert np.isnan(features[26 + largest])


def test_the_interval_holds_people_it_was_not_set_on_and_widens_away_from_all(shared_dir: Path) -> None:
    task = core_temperature.CoreTemperature()
    settings = task.settings.changed({"folds": 3, "width": 0.5})
    samples = task.load(_file(shared_dir, task.name), settings, quick=False)
    said, odd = np.zeros((2, len(samples), 2), np.float32)
    for fold in task.folds(samples, settings):
        train, test = samples.pick(fold.train), samples.pick(fold.test)
        plan = task.plan(train, settings, 0)
        shape = (1, 1, samples.features.shape[-1])
        network = networks.build("dense_residual", shape, task.outputs, width=settings.width, head_kind="linear")
        assert plan.solve is not None
        plan.solve(network)
        mixed = np.random.default_rng(0).permuted(test.features[:, :-6], axis=1)
        for place, features in ((said, test.features), (odd, np.concatenate([mixed, test.features[:, -6:]], axis=1))):
            place[fold.test] = network.predict(network_inputs(plan.stages, features), verbose=0)
    figures = task.metrics(samples, said, settings)
    assert 0.85 < figures["coverage"] < 0.95 and figures["rmse"] < 0.25
    # Those of whom it is least sure are held as surely as all: a width that is the same for everybody would not do.
    width = said[:, 1]
    assert figures["coverage_widest"] > 0.82
    constant = np.quantile(np.abs(said[:, 0] - samples.targets[:, 0]), 0.9)
    widest = width >= np.quantile(width, 0.8)
    assert np.mean(np.abs(said[widest, 0] - samples.targets[widest, 0]) <= constant) < figures["coverage_widest"]
    # Regions that are exchanged are like nobody's.
    assert np.median(odd[:, 1]) > 1.3 * np.median(width)


def test_the_loss_of_temperature_is_least_at_the_mean_and_at_the_width_that_holds_nine_in_ten() -> None:
    true = np.random.default_rng(0).normal(0.3, 0.2, (4000, 1)).astype(np.float32)
    held = float(np.quantile(np.abs(true - true.mean()), 0.9))

    def lost(temperature: float, width: float) -> float:
        said = np.tile(np.array([[temperature, width]], np.float32), (len(true), 1))
        return float(np.mean(core_temperature.temperature_and_width(true, said)))

    best = lost(float(true.mean()), held)
    for temperature, width in (
        (0.2, held),
        (0.4, held),
        (float(true.mean()), 0.8 * held),
        (float(true.mean()), 1.3 * held),
    ):
        assert lost(temperature, width) > best


def test_stress_features_reach_neither_ahead_nor_beyond_two_minutes(shared_dir: Path, tmp_path: Path) -> None:
    task = wrist_stress.WristStress()
    path = _file(shared_dir, task.name)
    with np.load(path) as file:
        one = {name: file[name][file["subject"] == 2] for name in wrist_stress.ARRAYS}
    changed = {name: values.copy() for name, values in one.items()}
    middle = len(one["hr"]) // 2
    for name in ("temp_c", "eda_us", "hr", "acc_sd_g"):
        changed[name][middle:] = 0.5
    paths = [tmp_path / "as-is.npz", tmp_path / "changed.npz"]
    for target, arrays in zip(paths, (one, changed), strict=True):
        np.savez(target, **arrays)
    before, after = (task.load(target, task.settings, quick=False) for target in paths)
    past = before.extra["elapsed_s"] < middle
    clear = before.extra["elapsed_s"] >= middle + MEMORY_S
    assert np.array_equal(before.features[past], after.features[past])
    assert np.ptp(after.features[clear], axis=0).max() < 1e-4


def test_statistics_are_what_their_names_say() -> None:
    stage: Statistics = stage_of(wrist_stress.WEARABLE.profile, "numbers")
    line = (5 + 2 * np.arange(MEMORY_S, dtype=np.float32))[np.newaxis]
    found = dict(zip(stage.give, through((stage,), line, 1.0)[0].tolist(), strict=True))
    assert found["slope"] == pytest.approx(2) and found["slope[-60:]"] == pytest.approx(2)
    assert found["mean[-60:] - mean[:60]"] == pytest.approx(120)
    assert found["mean[-20:] - mean"] == pytest.approx(100)
    assert found["change20"] == pytest.approx(40) and found["change1"] == pytest.approx(2)
    assert found["rise1"] == found["fall1"] == pytest.approx(2)
    assert found["range[-60:]"] == pytest.approx(118)
    assert found["max - mean"] == pytest.approx(119) == -found["min - mean"]
    assert found["sd"] == pytest.approx(float(line.std()), rel=1e-5)


@pytest.mark.parametrize("name", ["core-temperature", "wrist-stress"])
def test_a_variant_sees_none_of_what_it_leaves_out(shared_dir: Path, name: str) -> None:
    task = find(name)
    samples = task.load(_file(shared_dir, name), task.settings, quick=True)
    variant = task.settings.changed({"variant": task.variants[1]})
    stages = task.plan(samples, variant, 0).stages
    seen = network_inputs(stages, samples.features)
    assert isinstance(stages[0], Select)
    left = np.setdiff1d(np.arange(samples.features[0].size), stages[0].places)
    changed = samples.features.reshape(len(samples), -1).copy()
    changed[:, left] = 99
    assert left.size and np.array_equal(network_inputs(stages, changed.reshape(samples.features.shape)), seen)


def test_the_clock_alone_tells_stress_but_not_at_matched_times(shared_dir: Path) -> None:
    task = wrist_stress.WristStress()
    samples = task.load(_file(shared_dir, task.name), task.settings, quick=False)
    said = np.zeros((len(samples), 1), np.float32)
    for fold in task.folds(samples, task.settings):
        others = np.concatenate([fold.train, fold.validation])
        said[fold.test] = task.baseline(samples.pick(others), samples.pick(fold.test), task.settings)
    figures = task.metrics(samples, said, task.settings)
    assert figures["auc"] > 0.95
    assert figures["auc_time_matched"] == pytest.approx(0.5, abs=0.05)


def test_alarms_of_stress_are_right_within_a_task_and_wrong_in_any_rest(shared_dir: Path) -> None:
    task = wrist_stress.WristStress()
    samples = task.load(_file(shared_dir, task.name), task.settings, quick=True)
    stressed = samples.targets[:, 0] > 0.5
    assert np.array_equal(samples.extra["task"] >= 0, stressed)
    assert samples.extra["since_s"][stressed].min() >= wrist_stress.WINDOW_S - 1
    right = task.metrics(samples, samples.targets.astype(np.float32), task.settings)
    assert right["alarms_false_an_hour"] == 0 and right["ece"] == 0
    # Tasks of less than three minutes hold no two minutes of moments whose last minute is all task.
    assert 0.5 < right["alarms_found"] < 1
    wrong = task.metrics(samples, (1 - samples.targets).astype(np.float32), task.settings)
    assert wrong["alarms_found"] == 0 and wrong["alarms_false_an_hour"] > 1 and wrong["ece"] == 1


def test_nagoya_ignores_what_warms_all_pixels_alike(shared_dir: Path, tmp_path: Path) -> None:
    task = nagoya_actions.NagoyaActions()
    path = _file(shared_dir, task.name)
    with np.load(path) as file:
        arrays = {name: file[name] for name in nagoya_actions.ARRAYS}
    warmer = tmp_path / "warmer.npz"
    np.savez(warmer, **(arrays | {"frames": arrays["frames"] + np.uint16(37)}))
    assert set(task.by_variant) < set(task.variants)
    for variant in task.variants:
        settings = task.settings.changed({"variant": variant})
        before, after = (task.load(one, settings, quick=True) for one in (path, warmer))
        assert np.allclose(before.features, after.features, atol=1e-4)
        assert np.abs(np.median(before.features, axis=(1, 2, 3))).max() < 1e-6


def test_foster_curves_are_sums_of_exponentials_that_least_squares_finds_again() -> None:
    curves = foster.make(60, 0.0, seed=5)
    assert (np.diff(np.log(np.where(np.isnan(curves.tau_s), np.inf, curves.tau_s)))[:, 0] >= np.log(3) - 1e-9).all()
    assert np.allclose(curves.values[:, 0], 1.0) and np.allclose(curves.share.sum(1), 1.0)
    rng = np.random.default_rng(0)
    for k in (1, 2):
        i = int(np.flatnonzero(curves.parts == k)[0])
        found = foster.least_squares_tau(curves.values[i], k, 6, rng)
        assert found == pytest.approx(curves.tau_s[i, :k], rel=1e-3)


def test_true_constants_read_back_without_error() -> None:
    curves = foster.make(200, 0.01, seed=9)
    truth = time_constants.targets_of(curves)
    found = time_constants.errors(truth, curves.parts, curves.tau_s)
    assert np.nanmax(found) < 1e-5
    assert (truth[:, time_constants.NUMBER :].argmax(1) + 1 == curves.parts).all()


def test_bins_projections_and_their_noise_are_those_of_the_samples() -> None:
    edges = projection.edges()
    assert len(edges) == projection.BINS + 1 and (np.diff(edges) > 0).all() and edges[-1] == foster.SAMPLES
    curves = foster.make(300, 0.0, seed=3)
    means = foster.bin_means(curves.tau_s, curves.share, edges)
    assert np.allclose(means[:, -1], curves.values[:, edges[-2] :].mean(1), atol=1e-12)
    clean = projection.project(projection.means(curves.tau_s, curves.share))
    apart = np.abs(clean - projection.project(projection.of_curves(curves.values))).max(0)
    # What is unexplained is near its floor of 1e-4, where the last bit of float32 is a thousandth of it.
    assert apart[:-1].max() < 3e-6 and apart[-1] < 2e-3
    assert (clean[:, -1] < -3.5).all()
    # Noise added to samples and noise added to projections have the same distribution.
    rng = np.random.default_rng(0)
    noisy = curves.values + 0.01 * rng.standard_normal(curves.values.shape)
    sampled = projection.project(projection.of_curves(noisy)) - clean
    drawn = projection.noisy(clean.astype(np.float64), np.full(300, 0.01), rng) - clean
    assert sampled[:, :-1].std(0) == pytest.approx(np.full(projection.COMPONENTS, 0.01), rel=0.2)
    assert drawn[:, :-1].std(0) == pytest.approx(sampled[:, :-1].std(0), rel=0.25)
    assert drawn[:, -1].mean() == pytest.approx(sampled[:, -1].mean(), abs=0.02)
    assert drawn[:, -1].std() == pytest.approx(sampled[:, -1].std(), rel=0.25)


def test_eight_bits_keep_a_projection_finer_than_its_noise() -> None:
    curves = foster.make(500, 0.0, seed=4)
    projected = projection.project(projection.of_curves(curves.values))
    stages, copies = projection.stages(projected), projection.copies()
    centre, spread = stages[2].centre.array, stages[2].spread.array
    scaled = np.rint(through(stages[1:], projected) * 127) / 127
    for j in range(projection.COMPONENTS):
        channels = np.flatnonzero(copies == j)
        # The finest channel that has not run into its end tells the value.
        inside = np.abs(scaled[:, channels]) < 0.99
        order = np.argsort(spread[channels], kind="stable")
        first = order[inside[:, order].argmax(1)]
        back = centre[channels][first] + spread[channels][first] * scaled[np.arange(500), channels[first]]
        error = np.abs(back - projected[:, j])[inside.any(1)]
        # Where two pieces meet, the whole range's channel is left: coarser, and rare.
        assert inside.any(1).mean() > 0.95 and np.quantile(error, 0.95) < 0.003


def test_tasks_have_names_goals_and_variants() -> None:
    for name, task in TASKS.items():
        assert name == task.name and task.settings.variant in task.variants
        assert task.goals(task.settings)
