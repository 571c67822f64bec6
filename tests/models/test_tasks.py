"""Tasks on their data: split rules hold, features are causal, baselines give the figures they are known for."""

import gzip
from pathlib import Path

import numpy as np
import pytest

from thermo_core.errors import ThermoError
from thermo_models import foster
from thermo_models.metrics import rmse
from thermo_models.tasks import TASKS, core_temperature, find, nagoya_actions, time_constants, wrist_stress

FILES = {
    "core-temperature": "fda_face_oral/flir_group1.csv.gz",
    "nagoya-actions": "nagoya_fir_16x16/clips_groups012.npz",
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


def test_ridge_predicts_oral_temperature_about_as_known(shared_dir: Path) -> None:
    task = core_temperature.CoreTemperature()
    samples = task.load(_file(shared_dir, task.name), task.settings, quick=False)
    assert len(samples) == 544 and samples.features.shape[1:] == (1, 1, 2 * 26 + 5)
    error = np.concatenate(
        [
            task.baseline(samples.pick(fold.train), samples.pick(fold.test), task.settings) - samples.targets[fold.test]
            for fold in task.folds(samples, task.settings)
        ]
    )
    assert rmse(error) == pytest.approx(0.262, abs=0.006)
    smaller = task.settings.changed({"variant": "without-mouth"})
    assert task.load(_file(shared_dir, task.name), smaller, quick=True).features.shape[-1] == 2 * 24 + 5


def test_the_interval_is_from_training_people_alone(shared_dir: Path) -> None:
    task = core_temperature.CoreTemperature()
    samples = task.load(_file(shared_dir, task.name), task.settings, quick=False)
    covered = []
    for fold in task.folds(samples, task.settings.changed({"folds": 3})):
        train, test = samples.pick(fold.train), samples.pick(fold.test)
        plan = task.plan(train, task.settings, 0)
        features, targets = plan.teach(plan.scaling.apply(train.features), train.targets)
        # The nearest of the teacher's own answers stands in for the network.
        teacher_inputs = features.reshape(len(features), -1)
        for sample, truth in zip(plan.scaling.apply(test.features).reshape(len(test), -1), test.targets, strict=True):
            nearest = np.square(teacher_inputs - sample).sum(1).argmin()
            covered.append(abs(targets[nearest, 0] - truth[0]) <= plan.half_width)
    assert 0.5 < np.mean(covered) < 0.95


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
    clear = before.extra["elapsed_s"] >= middle + wrist_stress.MEMORY_S
    assert np.array_equal(before.features[past], after.features[past])
    assert np.ptp(after.features[clear], axis=0).max() < 1e-4


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


def test_nagoya_streams_windows_without_regard_to_cuts(shared_dir: Path) -> None:
    task = nagoya_actions.NagoyaActions()
    path = _file(shared_dir, task.name)
    streaming = task.load(path, task.settings.changed({"variant": "streaming"}), quick=True)
    assert streaming.features.shape[1:] == (16, 16, nagoya_actions.PICTURES)
    with np.load(path) as file:
        kept = file["seq"] % 8 == 0
        pictures = [file["clip_len"][file["seq"] == number].sum() for number in np.unique(file["seq"][kept])]
    windows = sum((n - nagoya_actions.PICTURES) // nagoya_actions.STRIDE + 1 for n in pictures)
    assert len(streaming) == windows
    perfect = np.eye(8, dtype=np.float32)[streaming.targets]
    assert task.metrics(streaming, perfect, task.settings) == {
        "accuracy8": 1.0, "macro_f1": 1.0, "accuracy5": 1.0, "fall_f1": 1.0
    }  # fmt: skip


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
    edges = time_constants._edges()
    assert len(edges) == time_constants.BINS + 1 and (np.diff(edges) > 0).all() and edges[-1] == foster.SAMPLES


def test_tasks_have_names_goals_and_variants() -> None:
    for name, task in TASKS.items():
        assert name == task.name and task.settings.variant in task.variants
        assert task.goals(task.settings)
