"""Recordings of a ceiling sensor become windows that a live stream would have, on recordings that are made here."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from thermo_core.errors import UsageError
from thermo_models.tasks.nagoya_recordings import EMPTY, OTHER, PERIOD_S, STRIDE, stretches
from thermo_models.tasks.nagoya_stream import NAMES, NagoyaStream

SIDE, PICTURES = 16, 16
SCRIPT = ((-1, 70), (3, 24), (7, 20), (-1, 50), (4, 20), (7, 18), (-1, 30))
"""Of each recording: labels and pictures; the first fall is one person's, the second another's."""
TASK = NagoyaStream()


@pytest.fixture
def made(tmp_path: Path) -> Path:
    """Six recordings of two days, a warm spot where something is labelled, and the file of their clips."""
    rng = np.random.default_rng(0)
    labels = np.concatenate([np.full(n, label) for label, n in SCRIPT])
    count = len(labels)
    warm = np.zeros((count, SIDE, SIDE))
    warm[labels >= 0, 5:9, 5:9] = 1.5
    room = 20 + 0.2 * rng.random((SIDE, SIDE))
    frames = np.concatenate([100 * (room + warm + 0.05 * rng.standard_normal(warm.shape)) for _ in range(6)])
    sequence = np.repeat(np.arange(6), count)
    starts, ends = stretches(labels)
    write(
        tmp_path / "recordings_two.npz",
        frames=frames.astype(np.uint16), label=np.tile(labels, 6).astype(np.int8), seq=sequence.astype(np.int16),
        background=np.full((6, SIDE, SIDE), 2000, np.uint16),
    )  # fmt: skip
    write(
        tmp_path / "clips_two.npz",
        label=np.tile(labels[starts], 6), group=np.repeat([0, 0, 0, 1, 1, 1], len(starts)),
        person_slot=np.tile([1, 1, 2, 2], 6), seq=np.repeat(np.arange(6), len(starts)), ends=np.tile(ends, 6),
    )  # fmt: skip
    return tmp_path / "recordings_two.npz"


def write(path: Path, **arrays: NDArray[np.generic]) -> None:
    np.savez(path, **arrays)


def test_windows_are_whole_stretches_of_a_recording(made: Path) -> None:
    samples = TASK.load(made, TASK.settings, quick=False)
    count = sum(n for _, n in SCRIPT)
    each = (count - EMPTY - PICTURES) // STRIDE + 1
    assert len(samples) == 6 * each and samples.features.shape[1:] == (SIDE, SIDE, PICTURES)
    with np.load(made) as file:
        frames, labels = file["frames"].astype(np.float32) / 100, file["label"]
    for number, first in ((0, EMPTY), (each - 1, EMPTY + STRIDE * (each - 1))):
        window = frames[first : first + PICTURES].transpose(1, 2, 0) - np.median(frames[:EMPTY], 0)[:, :, np.newaxis]
        assert np.allclose(samples.features[number], window - np.median(window), atol=1e-4)
        shown = np.where(labels[first : first + PICTURES] < 0, OTHER, labels[first : first + PICTURES])
        assert samples.targets[number] == np.bincount(shown).argmax()
        assert samples.extra["time_s"][number] == pytest.approx((first + PICTURES) * PERIOD_S)
    assert set(np.unique(samples.targets)) == {3, 4, 7, OTHER}
    assert np.unique(samples.people).tolist() == [1, 2, 101, 102]


def test_nothing_of_what_comes_later_is_in_a_window(made: Path, tmp_path: Path) -> None:
    """What a stream has not seen yet cannot change what it is told from."""
    with np.load(made) as file:
        arrays = {name: file[name] for name in file.files}
    middle = 120
    later = arrays | {"frames": arrays["frames"].copy()}
    count = sum(n for _, n in SCRIPT)
    for recording in range(6):
        later["frames"][recording * count + middle : (recording + 1) * count] += np.uint16(300)
    (tmp_path / "later").mkdir()
    changed = tmp_path / "later" / made.name
    write(changed, **later)
    (changed.parent / "clips_two.npz").write_bytes((made.parent / "clips_two.npz").read_bytes())
    before, after = (TASK.load(path, TASK.settings, quick=False) for path in (made, changed))
    past = before.extra["time_s"] <= middle * PERIOD_S
    assert past.any() and not past.all()
    assert np.array_equal(before.features[past], after.features[past])


def test_each_fall_may_be_found_by_its_own_person_alone(made: Path) -> None:
    samples = TASK.load(made, TASK.settings, quick=False)
    assert [np.unique(samples.extra["fall"][samples.people == one]).tolist() for one in (1, 2)] == [[-1, 0], [-1, 2]]
    during = samples.extra["fall"] >= 0
    assert samples.extra["since_s"][during].min() >= -0.5
    assert np.isin(samples.targets[~during], (OTHER, 7)).mean() > 0.95


def test_what_is_always_right_finds_every_fall_and_calls_nothing_else(made: Path) -> None:
    samples = TASK.load(made, TASK.settings, quick=False)
    right = np.eye(len(NAMES), dtype=np.float32)[samples.targets]
    figures = TASK.metrics(samples, right, TASK.settings)
    assert (
        figures["accuracy8"]
        == figures["fall_f1"]
        == figures["found"]
        == figures["filtered_found"]
        == figures["chosen_found"]
        == 1
    )
    assert figures["false_an_hour"] == figures["filtered_false_an_hour"] == figures["ece"] == 0
    assert figures["events"] == 12
    # A fall that is said to go on from the beginning to the end is one false alarm a recording and finds nothing.
    always = np.eye(len(NAMES), dtype=np.float32)[np.full(len(samples), 3)]
    wrong = TASK.metrics(samples, always, TASK.settings)
    assert wrong["found"] == 0 and wrong["false_an_hour"] > 100


def test_days_are_left_out_and_a_single_day_is_parted_by_its_people(made: Path) -> None:
    samples = TASK.load(made, TASK.settings, quick=False)
    folds = [fold.checked(samples) for fold in TASK.folds(samples, TASK.settings)]
    assert [np.unique(samples.groups[fold.test]).tolist() for fold in folds] == [[0], [1]]
    one = samples.of_groups((0,))
    assert [np.unique(one.people[fold.test]).tolist() for fold in TASK.folds(one, TASK.settings)] == [[1], [2]]


def test_files_that_do_not_belong_together_get_a_sentence(made: Path, tmp_path: Path) -> None:
    with np.load(made) as file:
        arrays = {name: file[name] for name in file.files}
    for change, said in (
        ({"label": np.where(arrays["label"] == 3, 4, arrays["label"])}, "unlike its clips"),
        ({"label": arrays["label"] + 9}, "unknown classes"),
        ({"label": arrays["label"][:9]}, "different lengths"),
        (
            {"frames": np.where(np.arange(len(arrays["label"]))[:, None, None] == 7, np.nan, arrays["frames"])},
            "picture 7",
        ),
    ):
        write(made, **(arrays | change))
        with pytest.raises(UsageError, match=said):
            TASK.load(made, TASK.settings, quick=False)
    alone = tmp_path / "alone" / made.name
    alone.parent.mkdir()
    write(alone, **arrays)
    with pytest.raises(UsageError, match="beside it"):
        TASK.load(alone, TASK.settings, quick=False)
    with pytest.raises(UsageError, match="--data"):
        TASK.load(None, TASK.settings, quick=False)
