"""Labels of recordings in training: learnt from beside a task's own samples, nobody on two sides, refusals."""

from pathlib import Path

import numpy as np
import pytest

from thermo_core.errors import UsageError
from thermo_core.labels import About, Item, Labels, Opinion, Reading, to_bytes
from thermo_core.stages.stage import Stage
from thermo_core.wearable.profile import Profile
from thermo_models.labels import HELD_OUT, SHARE, joined, sentence, taught, with_labelled
from thermo_models.samples import Fold, Samples
from thermo_models.tasks import TASKS
from thermo_models.tasks.task import Labelled, Task

PICTURES = np.random.default_rng(0).normal(34, 1, (40, 24, 32)).astype(np.float32)


def item(number: int, person: str, label: str | None) -> Item:
    opinion = Opinion(label=label)
    readings = (Reading(at_ns=1, by="ada", kind="first", blinded=True, opinion=opinion),)
    return Item(
        id=str(number), person=person, from_ns=number * 100, to_ns=number * 100 + 100, opinion=opinion,
        adjudicated=number % 2 == 0, readings=readings,
    )  # fmt: skip


def write(
    path: Path, people: list[str], classes: tuple[str, ...] = ("no lesion", "lesion"), model: str = "lesion"
) -> Path:
    """A window of each person, of which every third nobody can tell and the others are the classes in turn; five moments each."""
    said = [None if at % 3 == 2 else classes[at % 2] for at in range(len(people))]
    items = tuple(map(item, range(len(people)), people, said))
    of = np.repeat(np.arange(len(people)), 5)
    described = About(profile="breast-patch", model=model, classes=classes, items=items)
    path.write_bytes(to_bytes(Labels(described, of, of * 100, {"calm": PICTURES[: len(of)]})))
    return path


def own(count: int) -> Samples:
    """So many samples of the breast patch, of four sensors."""
    people = np.arange(count) % 4
    features = np.zeros((count, 24, 32, 3), np.float32)
    return Samples(features, people % 2, people, np.zeros(count, np.int64), {"pictures": np.full(count, 16.0)})


def test_nobody_who_was_labelled_is_learnt_from_and_measured_on(tmp_path: Path) -> None:
    people = [f"p{at}" for at in range(8)]
    task = TASKS["breast-patch"]
    found = taught(task, write(tmp_path / "a.npz", people))
    assert found.learnt.names is not None
    # Of six whose windows have a class every fourth is held out.
    assert found.facts["people"] == 6
    assert found.facts["held_out_people"] == 6 // HELD_OUT
    assert len(np.unique(found.learnt.people)) == 6 - 6 // HELD_OUT
    assert len(found.learnt) + len(found.truth) == 30
    held = found.held[..., 0][:, np.newaxis]
    assert not (found.learnt.features[..., 0] == held).all((-1, -2)).any()
    assert "1 of them were not learnt from" in sentence({**found.facts, "held_out_correct": 0.5})
    assert found.facts["cannot_tell"] == 2 and found.facts["decided"] == 4 and found.facts["readers"] == ["ada"]


def test_labelled_samples_stand_behind_a_tasks_own_and_on_the_side_that_learns(tmp_path: Path) -> None:
    task = TASKS["breast-patch"]
    found = taught(task, write(tmp_path / "a.npz", ["p0", "p1"]))
    samples = own(300)
    whole, places = joined(samples, found)
    assert (whole.features[:300] == samples.features).all()
    assert len(places) == pytest.approx(len(whole) * SHARE, rel=0.1)
    assert not set(whole.people[places]) & set(samples.people)
    assert np.isnan(whole.extra["pictures"][places]).all()
    folds = [Fold("a", np.arange(200), np.zeros(0, np.int64), np.arange(200, 300))]
    folds[0] = Fold("a", np.flatnonzero(samples.people < 3), np.zeros(0, np.int64), np.flatnonzero(samples.people == 3))
    (fold,) = with_labelled(folds, places)
    fold.checked(whole)
    assert set(places) <= set(fold.train)
    np.testing.assert_allclose(
        task.prepare(whole.features[places[:5]])[..., 0],
        PICTURES[:5] - np.median(PICTURES[:5], (1, 2), keepdims=True),
        atol=1e-5,
    )


def test_a_labelled_picture_is_flipped_as_a_whole_and_is_nobodys_healthy_body(tmp_path: Path) -> None:
    task = TASKS["breast-patch"]
    found = taught(task, write(tmp_path / "a.npz", ["p0", "p1"]))
    whole, places = joined(own(64), found)
    augment = task.plan(whole, task.settings, 0).augment
    assert augment is not None
    made = augment(whole.features[places[:5]], np.random.default_rng(0))[..., 0]
    for picture, before in zip(made, PICTURES[:5], strict=True):
        flips = [before[::rows, ::columns] for rows in (1, -1) for columns in (1, -1)]
        apart = min(np.median(np.abs(picture - (one - np.median(one)))) for one in flips)
        assert apart < 0.05  # but for the median, which a defective pixel moves
    simulated = augment(whole.features[:64], np.random.default_rng(0))
    assert (simulated == 0).all()


@pytest.mark.parametrize("name", [name for name, task in TASKS.items() if isinstance(task, Labelled)])
def test_every_task_that_learns_labels_takes_its_entry_and_gives_it_back(name: str) -> None:
    task = TASKS[name]
    assert isinstance(task, Labelled) and task.wearable is not None
    values = np.random.default_rng(1).normal(0, 1, (3, *entry_shape(task.wearable.profile, task))).astype(np.float32)
    if name == "breast-watch":
        values[..., 1] -= np.median(values[..., 1], (1, 2), keepdims=True)  # as its stage gives it
    features, classes = task.of_labels(values, np.array([0, 1, 0]))
    assert len(features) == 3 and classes.tolist() == [0, 1, 0]
    prepared = task.prepare(features).reshape(3, -1)
    centred = values - np.median(values, tuple(range(1, values.ndim)), keepdims=True)
    assert np.allclose(prepared, values.reshape(3, -1), atol=1e-5) or np.allclose(
        prepared, centred.reshape(3, -1), atol=1e-5
    )


def entry_shape(profile: Profile, task: Task) -> tuple[int, ...]:
    from thermo_core.graph.plan import plan

    assert all(isinstance(stage, Stage) for stage in profile.stages)
    return plan(profile).signals[task.entry].shape


@pytest.mark.parametrize(
    ("task", "changes", "words"),
    [
        ("core-temperature", {}, "does not learn classes"),
        ("nagoya-actions", {}, "does not learn classes"),
        ("breast-watch", {}, "is of breast-watch"),
        ("breast-patch", {"model": "other"}, "labels of breast-patch other"),
        ("breast-patch", {"classes": ("no", "yes")}, "knows the classes no, yes"),
    ],
)
def test_labels_of_something_else_are_refused(tmp_path: Path, task: str, changes: dict[str, str], words: str) -> None:
    path = write(tmp_path / "a.npz", ["p0", "p1"], **changes)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match=words):
        taught(TASKS[task], path)


def test_labels_with_no_class_at_all_are_refused(tmp_path: Path) -> None:
    about = About(profile="breast-patch", model="lesion", classes=("no lesion", "lesion"), items=(item(0, "p", None),))
    path = tmp_path / "a.npz"
    path.write_bytes(to_bytes(Labels(about, np.zeros(5, np.int64), np.zeros(5, np.int64), {"calm": PICTURES[:5]})))
    with pytest.raises(UsageError, match="gives no moment a class"):
        taught(TASKS["breast-patch"], path)
