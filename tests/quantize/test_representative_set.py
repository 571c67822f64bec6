"""Drawing representative sets, keeping them apart from test sets, and data that must be refused."""

import json
import zipfile
from pathlib import Path

import numpy as np
import pytest

from thermo_core.errors import StorageError, UsageError
from thermo_quantize.representative_set import check_disjoint, draw, draw_again
from thermo_quantize.samples import Samples, read_samples


def make(n: int, classes: int = 3, seed: int = 0) -> Samples:
    generator = np.random.default_rng(seed)
    return Samples({"x": generator.normal(size=(n, 4)).astype(np.float32)}, np.arange(n) % classes, f"set {seed}")


def test_draws_every_class_alike_even_rare_ones() -> None:
    labels = np.array([0] * 90 + [1] * 7 + [2] * 3)
    samples = Samples({"x": np.random.default_rng(0).normal(size=(100, 2)).astype(np.float32)}, labels)
    drawn = draw(samples, 18)
    assert drawn.samples.classes is not None
    assert np.bincount(drawn.samples.classes).tolist() == [8, 7, 3]
    assert len(set(drawn.rows)) == 18


def test_the_index_draws_the_same_set_again_and_only_from_the_same_data() -> None:
    samples = make(60)
    drawn = draw(samples, 20, seed=5)
    assert drawn.rows != draw(samples, 20, seed=6).rows
    index = json.loads(json.dumps(drawn.to_dict()))
    again = draw_again(samples, index)
    assert (again.rows, again.fingerprint) == (drawn.rows, drawn.fingerprint)
    with pytest.raises(UsageError, match="has changed since"):
        draw_again(make(60, seed=1), index)
    with pytest.raises(UsageError, match="rows that"):
        draw_again(make(10), index)


def test_overlap_is_found_by_content_wherever_it_hides() -> None:
    samples, test = make(40), make(40, seed=1)
    drawn = draw(samples, 10)
    check_disjoint(drawn, test)
    test.inputs["x"][7] = samples.inputs["x"][drawn.rows[3]]
    with pytest.raises(UsageError, match=f"row {drawn.rows[3]} of set 0 is row 7 of set 1"):
        check_disjoint(drawn, test)


def test_a_constant_set_is_refused() -> None:
    with pytest.raises(UsageError, match="one constant value"):
        draw(Samples({"x": np.full((8, 3), 2.5, np.float32)}), 4)
    with pytest.raises(UsageError, match="one sample 4 times over"):
        draw(Samples({"x": np.tile(np.arange(3, dtype=np.float32), (8, 1))}), 4)


def test_an_index_that_is_none_is_refused_as_such() -> None:
    indices: tuple[object, ...] = ([], {"format": "other"}, {"format": "thermo-representative-set", "version": 2})
    for wrong in indices:
        with pytest.raises(
            UsageError, match=r"representative index is no file that quantize wrote .*representative\.json"
        ):
            draw_again(make(10), wrong)


def test_classes_are_whole_numbers_truth_values_or_one_hot_rows() -> None:
    x = {"x": np.random.default_rng(0).normal(size=(4, 2)).astype(np.float32)}
    wanted = [0, 1, 1, 0]
    for labels in (np.array(wanted), np.array(wanted)[:, None], np.array(wanted) == 1, np.eye(2)[wanted]):
        classes = Samples(x, labels).classes
        assert classes is not None
        assert classes.tolist() == wanted
    for targets in (np.array([0.0, 1.0, 1.0, 0.0]), np.array([[0.0, 1.0], [1.0, 1.0], [0.0, 0.0], [0.5, 0.5]])):
        assert Samples(x, targets).classes is None
    with pytest.raises(UsageError, match="NaN or infinity in row 1 of 'y'"):
        Samples(x, np.array([0.0, np.nan, 0.0, 0.0]))


def test_reads_what_numpy_wrote(tmp_path: Path) -> None:
    path = tmp_path / "data.npz"
    np.savez(path, picture=np.zeros((3, 2, 2)), rate=np.ones((3, 1), np.int32), y=np.array([0, 1, 2]))
    samples = read_samples(path)
    assert samples.classes is not None
    assert samples.classes.tolist() == [0, 1, 2]
    rate, picture = samples.ordered(["rate", "picture"], [(1, 1), (1, 2, 2)])
    assert (rate.shape, picture.shape) == ((3, 1), (3, 2, 2))
    with pytest.raises(UsageError, match=r"inputs of shape \(2, 2\) where the model's picture takes \(4, 4\)"):
        samples.ordered(["rate", "picture"], [(1, 1), (1, 4, 4)])
    only = Samples({"x": picture, "subject": rate})
    assert only.ordered(["anything"], [(1, 2, 2)])[0] is picture
    with pytest.raises(UsageError, match="no array 'motion'"):
        samples.ordered(["motion", "rate"], [(1, 1), (1, 1)])


def _broken(kind: str, path: Path) -> None:
    good = np.ones((4, 3), np.float32)
    if kind == "nan":
        good[2, 1] = np.nan
    arrays = {"x": good[:0] if kind == "empty" else good}
    if kind == "lengths":
        arrays["y"] = np.zeros(3, np.int64)
    if kind == "text":
        arrays["x"] = np.array(["a", "b"])
    if kind == "object":
        np.savez(path, x=np.array([{}], dtype=object))
        return
    np.savez(path, **arrays)
    if kind == "truncated":
        path.write_bytes(path.read_bytes()[:-40])
    if kind == "noise":
        path.write_bytes(bytes(range(200)))
    if kind == "header":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("x.npy", b"\x93NUMPY\x01\x00\x10\x00{'descr': ('<f8'")


REFUSED = {
    "nan": "infinity in row 2 of 'x'",
    "empty": "is empty",
    "lengths": "unequal lengths",
    "text": "no input",
    "object": "not an .npz file",
    "truncated": "cut short",
    "noise": "not an .npz file",
    "header": "not an .npz file",
}


@pytest.mark.parametrize("kind", REFUSED)
def test_bad_data_is_refused_with_its_file(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "data.npz"
    _broken(kind, path)
    with pytest.raises(UsageError, match=REFUSED[kind]) as refusal:
        read_samples(path)
    assert str(path) in str(refusal.value)


def test_a_missing_file_is_a_storage_error(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="Cannot read"):
        read_samples(tmp_path / "absent.npz")
