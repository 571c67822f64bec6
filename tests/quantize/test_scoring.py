"""What a score means: a sample's class, a cell's class, a map's values; held against counts made by hand."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from thermo_core.errors import UsageError
from thermo_quantize.golden import has_classes, matrix
from thermo_quantize.representative_set import draw
from thermo_quantize.samples import Samples
from thermo_quantize.scoring import score

DATA = Path(__file__).parent / "data"
N, ROWS, COLUMNS, CLASSES = 5, 4, 3, 3


@pytest.fixture(scope="module")
def maps() -> tuple[NDArray[Any], NDArray[Any]]:
    """Probabilities (n, rows, columns, classes) of a float model, and of another that differs in some cells."""
    generator = np.random.default_rng(7)
    logits = generator.normal(0, 3, (N, ROWS, COLUMNS, CLASSES))
    near = logits + generator.normal(0, 1.5, logits.shape)
    exact, other = (np.exp(one) / np.exp(one).sum(-1, keepdims=True) for one in (logits, near))
    return exact.astype(np.float32), other.astype(np.float32)


def _samples(labels: NDArray[Any] | None, n: int = N) -> Samples:
    return Samples({"x": np.arange(n, dtype=np.float32)[:, None]}, labels)


def _count(truth: NDArray[Any], said: NDArray[Any]) -> float:
    cells = [(i, r, c) for i in range(N) for r in range(ROWS) for c in range(COLUMNS)]
    return sum(truth[cell] == said[cell] for cell in cells) / len(cells)


def test_a_map_of_classes_agrees_cell_by_cell(maps: tuple[NDArray[Any], NDArray[Any]]) -> None:
    exact, other = maps
    found = score(other, _samples(None), exact)
    assert found.metric == "agreement"
    assert found.cells == ROWS * COLUMNS
    assert found.value == pytest.approx(_count(exact.argmax(-1), other.argmax(-1)))
    assert 0.5 < found.value < 1
    assert score(exact, _samples(None), exact).value == 1


@pytest.mark.parametrize("form", ["whole numbers", "one-hot", "with a channel"])
def test_classes_a_cell_are_counted_a_cell(maps: tuple[NDArray[Any], NDArray[Any]], form: str) -> None:
    exact, other = maps
    truth = exact.argmax(-1)
    labels = {"whole numbers": truth, "one-hot": np.eye(CLASSES)[truth], "with a channel": truth[..., None]}[form]
    found = score(other, _samples(labels), exact)
    assert (found.metric, found.cells, found.samples) == ("accuracy", ROWS * COLUMNS, N)
    assert found.value == pytest.approx(_count(truth, other.argmax(-1)))


@pytest.mark.parametrize("channel", [(), (1,)], ids=["no channel", "one channel"])
def test_a_density_map_has_no_class(channel: tuple[int, ...]) -> None:
    """One minus the error's root mean square in standard deviations, whatever cell has the maximum."""
    generator = np.random.default_rng(1)
    exact = generator.gamma(1, 1, (N, ROWS, COLUMNS, *channel)).astype(np.float32)
    other = exact + generator.normal(0, 0.05, exact.shape).astype(np.float32)
    found = score(other, _samples(None), exact)
    expected = 1 - np.sqrt(np.mean((other - exact) ** 2)) / exact.std()
    assert found.metric == "agreement" and found.value == pytest.approx(float(expected), abs=1e-6)
    counted = score(other, _samples(np.rint(3 * exact.reshape(N, ROWS, COLUMNS)).astype(int)), exact)
    assert counted.metric == "rmse"


def test_a_mask_is_told_from_its_cells_at_one_half() -> None:
    generator = np.random.default_rng(2)
    truth = generator.integers(0, 2, (N, ROWS, COLUMNS))
    said = np.clip(truth + generator.normal(0, 0.45, truth.shape), 0, 1).astype(np.float32)[..., None]
    found = score(said, _samples(truth), said)
    assert (found.metric, found.cells) == ("accuracy", ROWS * COLUMNS)
    assert found.value == pytest.approx(_count(truth, (said[..., 0] > 0.5).astype(int)))
    logits = np.log(np.clip(said, 0.01, 0.99) / np.clip(1 - said, 0.01, 0.99)).astype(np.float32) - np.float32(2)
    assert score(logits, _samples(truth), logits).value == pytest.approx(
        _count(truth, (logits[..., 0] > 0).astype(int))
    )


def test_labels_that_are_not_the_maps_are_refused_not_counted(maps: tuple[NDArray[Any], NDArray[Any]]) -> None:
    exact, _ = maps
    for labels, said in (
        (np.arange(N) % 2, "one label y a sample and the model a map of 4 x 3 x 3"),
        (
            np.zeros((N, 2, 2), int),
            "36 outputs of 4 x 3 cells; store one value an output, or a class as a whole number a cell",
        ),
        (np.full((N, ROWS, COLUMNS), CLASSES), "classes up to 3 and the model 3 outputs a cell"),
    ):
        with pytest.raises(UsageError, match=said):
            score(exact, _samples(labels), exact)


def test_one_place_with_classes_is_no_map(maps: tuple[NDArray[Any], NDArray[Any]]) -> None:
    exact, other = (one[:, :1, :1] for one in maps)
    labels = exact.argmax(-1).ravel()
    found = score(other, _samples(labels), exact)
    assert (found.cells, found.value) == (1, float(np.mean(other.reshape(N, -1).argmax(1) == labels)))
    flat = score(other.reshape(N, -1), _samples(None), exact.reshape(N, -1))
    assert flat.value == score(other, _samples(None), exact).value


def test_maps_with_one_warm_cell_are_not_taken_for_one_hot_classes_when_the_set_is_drawn() -> None:
    labels = np.zeros((40, ROWS, COLUMNS), int)
    labels[np.arange(40), np.arange(40) % ROWS, 0] = 1
    drawn = draw(_samples(labels, 40), 20)
    assert drawn.samples.classes is None
    assert drawn.to_dict()["by_class"] == {}


def test_flips_are_counted_a_cell_and_of_classes_alone(model_builder: Any) -> None:
    builder = model_builder()
    x, y = builder.tensor((1, 4, 3, 3), 0.1), builder.tensor((1, 4, 3, 3), 1 / 256, -128)
    builder.operator("SOFTMAX", [x], [y], beta=1.0)
    softmax = builder.build([x], [y])
    builder = model_builder()
    x, y = builder.tensor((1, 4, 3, 3), 0.1), builder.tensor((1, 4, 3, 3), 0.1)
    builder.operator("RELU", [x], [y])
    density = builder.build([x], [y])
    assert (has_classes(softmax), has_classes(density)) == (True, False)
    assert has_classes((DATA / "cnn_int8.tflite").read_bytes())
    inputs = [np.random.default_rng(0).normal(0, 3, (8, 4, 3, 3)).astype(np.float32)]
    rows = {row.runtime.split()[0] + row.kernels: row.argmax_flips for row in matrix(softmax, inputs, 16)}
    assert rows["tflite_runtimereference"] == 0
    assert all(row.argmax_flips is None for row in matrix(density, inputs, 16))
