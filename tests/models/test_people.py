"""People are known by their ids in every file: on one side of a split alone, and as those a model learnt from."""

import csv
import gzip
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from thermo_core.errors import UsageError
from thermo_models import evaluation, face
from thermo_models.identity import numbered, recognise, remember
from thermo_models.random_features import Hidden
from thermo_models.samples import Fold, Samples, groups_left_out
from thermo_models.settings import Settings
from thermo_models.tasks import find

ARTIFACTS = Path(evaluation.__file__).parent / "wearables"
FACES = "fda_face_oral/flir_group1.csv.gz"
WRISTS = "stress_predict_e4/stress_predict_1hz_s01-25.npz"
Row = dict[str, str]


@pytest.fixture
def faces(shared_dir: Path) -> list[Row]:
    path = shared_dir / "datasets" / FACES
    if not path.is_file():
        pytest.skip(f"{path} is not there; the tests of people need it")
    with gzip.open(path, "rt", newline="") as file:
        return list(csv.DictReader(file))


def written(path: Path, rows: list[Row], level: int = 9) -> Path:
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    path.write_bytes(gzip.compress(text.getvalue().encode(), level))
    return path


def other_camera(row: Row) -> Row:
    """The same person before the data set's other camera, which reads a little otherwise."""
    moved = {}
    for name, value in row.items():
        facial = name.startswith(("T_", "Max", "ave", "RCC", "LCC", "canthi")) and not name.startswith(
            ("aveOral", "T_atm")
        )
        moved[name] = f"{float(value) + 0.1:.2f}" if facial and value.strip() else value
    return moved | {"camera": "ICI"}


def test_a_person_before_two_cameras_is_one_person(faces: list[Row], tmp_path: Path) -> None:
    task = find("core-temperature")
    both = written(tmp_path / "both.csv.gz", [*faces, *(other_camera(row) for row in faces)])
    samples = task.load(both, task.settings, quick=False)
    assert (len(samples), len(np.unique(samples.people))) == (2 * 544, 544)
    names = [row["SubjectID"] for row in faces]
    assert samples.names is not None and samples.names.tolist() == names + names
    for fold in task.folds(samples, task.settings):
        sides = [{samples.names[n] for n in side} for side in (fold.train, fold.test)]
        assert not sides[0] & sides[1]
        assert fold.checked(samples) is fold


def _rmse(samples: Samples, folds: list[Fold], settings: Settings) -> float:
    """Of the network of one drawing, learnt from and measured on the sides of folds."""
    prior, error = face.prior_of(settings), np.zeros(len(samples))
    hidden = Hidden.draw(prior, 256, 0)
    for fold in folds:
        train, test = samples.pick(fold.train), samples.pick(fold.test)
        stages = face.stages_of(train, settings)
        known = face.solved_for(hidden, prior, face.Taught.of(stages, train)).solved
        error[fold.test] = known(face.inputs_of(stages, test)) - test.targets[:, 0]
    return float(np.sqrt(np.mean(np.square(error))))


def test_learning_from_the_other_camera_would_flatter(faces: list[Row], tmp_path: Path) -> None:
    """Rows dealt to folds without regard to people: the same faces on both sides make the error smaller than it is."""
    task = find("core-temperature")
    settings = task.settings.changed({"width": 1.0, "folds": 5})
    both = written(tmp_path / "both.csv.gz", [*faces, *(other_camera(row) for row in faces)])
    samples = task.load(both, settings, quick=False)
    rng = np.random.default_rng(0)
    nobody, everybody = np.zeros(0, np.int64), np.arange(len(samples))
    leaky = [
        Fold("rows", np.setdiff1d(everybody, part), nobody, part)
        for part in np.array_split(rng.permutation(len(samples)), 5)
    ]
    honest, flattered = (_rmse(samples, folds, settings) for folds in (task.folds(samples, settings), leaky))
    assert flattered < honest - 0.01
    with pytest.raises(UsageError, match="one person on two sides"):
        leaky[0].checked(samples)


def test_a_row_without_a_name_is_refused(faces: list[Row], tmp_path: Path) -> None:
    task = find("core-temperature")
    nameless = [*faces[:5], faces[5] | {"SubjectID": " "}, *faces[6:20]]
    with pytest.raises(UsageError, match="no SubjectID in row 7"):
        task.load(written(tmp_path / "a.csv.gz", nameless), task.settings, quick=False)
    without = [{name: value for name, value in row.items() if name != "SubjectID"} for row in faces[:20]]
    with pytest.raises(UsageError, match="SubjectID"):
        task.load(written(tmp_path / "b.csv.gz", without), task.settings, quick=False)


def test_who_is_in_two_campaigns_is_learnt_from_in_neither_and_it_is_said(faces: list[Row], tmp_path: Path) -> None:
    task = find("core-temperature")
    later = [row | {"group": "2"} for row in faces[30:90]]
    rows = [*faces[:60], *later]
    samples = task.load(written(tmp_path / "two.csv.gz", rows), task.settings, quick=False)
    folds = task.folds(samples, task.settings)
    assert [fold.name for fold in folds] == ["group 1 out", "group 2 out"]
    for fold in folds:
        fold.checked(samples)
        assert (len(fold.test), len(fold.train)) == (60, 30)
        assert fold.note.startswith("30 people of group")
    alone = groups_left_out(Samples(samples.features, samples.targets, np.arange(120), samples.groups))
    assert [(len(fold.train), fold.note) for fold in alone] == [(60, ""), (60, "")]


def test_numbers_follow_names_not_rows() -> None:
    assert numbered(["b", "a", "b", "c", "a"]).tolist() == [0, 1, 0, 2, 1]


def test_samples_and_people_are_recognised_by_what_they_are() -> None:
    rng = np.random.default_rng(0)
    features = rng.normal(size=(40, 1, 1, 5)).astype(np.float32)
    features[3, 0, 0, 2] = np.nan
    people = np.repeat(np.arange(10), 4)
    names = np.array([f"p{n}" for n in people])
    samples = Samples(features, people % 2, people, people, {}, "", names)
    learnt = json.loads(json.dumps(remember(samples.pick(people < 6))))
    known = recognise(learnt, samples)
    assert np.array_equal(known.samples, people < 6) and np.array_equal(known.people, people < 6)
    # In another order, a hair otherwise, as another version of a library computes it.
    again = samples.pick(np.arange(40)[::-1])
    noisy = Samples(again.features + 1e-7, again.targets, again.people, again.groups, {}, "", again.names)
    assert recognise(learnt, noisy).samples.sum() >= 22
    # New recordings of people it has met; old recordings under other names.
    fresh = Samples(features + 1, people % 2, people, people, {}, "", names)
    assert not recognise(learnt, fresh).samples.any() and recognise(learnt, fresh).people.sum() == 24
    renamed = Samples(features, people % 2, people, people, {}, "", np.array([f"q{n}" for n in people]))
    assert recognise(learnt, renamed).samples.sum() == 24 and not recognise(learnt, renamed).people.any()
    assert np.array_equal(recognise(learnt, renamed).strangers, people >= 6)
    for wrong in ({}, {"people": "", "samples": "!"}, {"people": "AAAA", "samples": ""}, None):
        with pytest.raises(UsageError, match="does not say whom it learnt from"):
            recognise(wrong, samples)


def evaluated(path: Path, name: str = "core-temperature") -> dict[str, Any]:
    return evaluation.evaluate(find(name), ARTIFACTS / name / "model.tflite", path, (), quick=True)


def test_a_file_in_another_form_is_still_known(faces: list[Row], tmp_path: Path) -> None:
    """Compressed again, in another order, a part of it: other hashes of files, the same people."""
    forms: dict[str, Callable[[], list[Row]]] = {
        "again": lambda: faces,
        "backwards": lambda: faces[::-1],
        "part": lambda: faces[100:220],
    }
    for form, rows in forms.items():
        found = evaluated(written(tmp_path / f"{form}.csv.gz", rows(), level=1))
        assert found["seen_in_training"] and "strangers" not in found
        assert found["seen"] == {"samples": found["samples"], "people": found["people"]}


def test_a_superset_is_measured_on_its_strangers_too(faces: list[Row], tmp_path: Path) -> None:
    strangers = [other_camera(row) | {"SubjectID": f"new-{n}"} for n, row in enumerate(faces[:120])]
    found = evaluated(written(tmp_path / "superset.csv.gz", [*faces[120:360], *strangers]))
    assert found["seen_in_training"] and found["samples"] == 60
    assert found["seen"] == {"samples": 40, "people": 40}
    assert (found["strangers"]["samples"], found["strangers"]["people"]) == (20, 20)
    assert found["strangers"]["int8"]["rmse"] != found["int8"]["rmse"]
    only = evaluated(written(tmp_path / "strangers.csv.gz", strangers))
    assert not only["seen_in_training"] and only["seen"] == {"samples": 0, "people": 0}


def test_wrists_are_known_by_their_signals_and_subjects(shared_dir: Path, tmp_path: Path) -> None:
    path = shared_dir / "datasets" / WRISTS
    if not path.is_file():
        pytest.skip(f"{path} is not there; the tests of people need it")
    with np.load(path) as file:
        arrays = {name: file[name] for name in file.files}
    np.savez(tmp_path / "uncompressed.npz", **arrays)
    found = evaluated(tmp_path / "uncompressed.npz", "wrist-stress")
    assert found["seen"] == {"samples": found["samples"], "people": found["people"]}
    others = arrays | {"subject": arrays["subject"] + 100, "temp_c": arrays["temp_c"] + 0.5, "hr": arrays["hr"] * 1.02}
    np.savez(tmp_path / "others.npz", **others)
    assert not evaluated(tmp_path / "others.npz", "wrist-stress")["seen_in_training"]
