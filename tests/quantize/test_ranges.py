"""Calibrators against exhaustive search and known distributions; observation against the interpreter's own tensors."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from thermo_core.tflite.verify import verify_model
from thermo_quantize.choices import Calibrator
from thermo_quantize.flatfile import pack, unpack
from thermo_quantize.ranges import BINS, Observed, choose, observe

DATA = Path(__file__).parent / "data"


def histogram(values: NDArray[Any]) -> Observed:
    counts, _ = np.histogram(values, BINS, (values.min(), values.max()))
    return Observed(0, "t", float(values.min()), float(values.max()), counts.astype(float))


def chosen(values: NDArray[Any], calibrator: Calibrator, percentile: float = 99.99) -> tuple[float, float]:
    return choose([histogram(values)], calibrator, percentile)[0].chosen


def squared_error(values: NDArray[Any], low: float, high: float) -> float:
    step = (high - low) / 255
    zero = np.rint(-low / step)
    stored = (np.clip(np.rint(values / step) + zero, 0, 255) - zero) * step
    return float(np.mean((values - stored) ** 2))


def normal_with_outliers() -> NDArray[Any]:
    generator = np.random.default_rng(0)
    return np.concatenate([generator.normal(size=200_000), [40.0, -25.0]])


def test_minmax_covers_all_that_was_seen() -> None:
    values = normal_with_outliers()
    assert chosen(values, Calibrator.MINMAX) == (values.min(), values.max())


def test_percentile_leaves_the_tails_out() -> None:
    values = normal_with_outliers()
    low, high = chosen(values, Calibrator.PERCENTILE, 99.0)
    bin_width = np.ptp(values) / BINS
    expected = np.quantile(values, [0.005, 0.995])
    assert np.allclose([low, high], expected, atol=1.5 * bin_width)


def test_least_squares_comes_close_to_the_best_clipping_of_a_normal_distribution() -> None:
    """Without outliers 8 bits clip a normal distribution near 3.9 sigma (Banner et al. 2019, arXiv:1810.05723)."""
    values = np.random.default_rng(1).normal(size=400_000)
    low, high = chosen(values, Calibrator.MSE)
    best = min(squared_error(values, -limit, limit) for limit in np.linspace(2.5, 5, 51))
    assert 3.2 < -low < 4.6
    assert 3.2 < high < 4.6
    assert squared_error(values, low, high) < 1.05 * best


@pytest.mark.parametrize("calibrator", [Calibrator.MSE, Calibrator.ENTROPY, Calibrator.PERCENTILE])
def test_clipping_beats_minmax_where_outliers_are_few(calibrator: Calibrator) -> None:
    values = normal_with_outliers()
    inner = values[np.abs(values) < 3]
    low, high = chosen(values, calibrator)
    assert -25 < low < -1
    assert 1 < high < 40
    assert squared_error(inner, low, high) < squared_error(inner, values.min(), values.max()) / 2


@pytest.mark.parametrize("calibrator", Calibrator)
def test_zero_is_always_inside_and_rectified_ranges_start_there(calibrator: Calibrator) -> None:
    generator = np.random.default_rng(2)
    low, high = chosen(np.maximum(generator.normal(size=50_000), 0), calibrator)
    assert low == 0.0
    assert high > 1
    low, high = chosen(generator.uniform(5, 6, 1000), calibrator)
    assert low == 0.0
    assert high > 4
    constant = Observed(0, "t", 0.0, 0.0, np.ones(BINS))
    assert choose([constant], calibrator)[0].chosen == (0.0, 1.0)


def test_observes_every_tensor_before_another_operator_writes_over_it() -> None:
    """Runtimes let ADD and MUL reuse their inputs' memory; each tensor must be what a model that ends there gives."""
    from tflite_runtime.interpreter import Interpreter, OpResolverType

    model = (DATA / "cnn_float.tflite").read_bytes()
    inputs = np.random.default_rng(3).normal(size=(6, 24, 32, 1)).astype(np.float32)
    observed = {one.index: one for one in observe(model, [inputs])}
    operators = verify_model(model).model.operators
    assert len(observed) == 1 + len(operators)
    for operator in operators:
        if operator.name not in ("CONV_2D", "ADD", "MUL", "SOFTMAX"):
            continue
        tree = unpack(model)
        tree.subgraphs[0].outputs = [operator.outputs[0].index]
        tree.subgraphs[0].operators = tree.subgraphs[0].operators[: operator.index + 1]
        tree.signatureDefs = None
        interpreter = Interpreter(model_content=pack(tree), experimental_op_resolver_type=OpResolverType.BUILTIN_REF)
        interpreter.allocate_tensors()
        values = []
        for sample in inputs:
            interpreter.set_tensor(interpreter.get_input_details()[0]["index"], sample[None])
            interpreter.invoke()
            values.append(interpreter.get_tensor(interpreter.get_output_details()[0]["index"]))
        found = observed[operator.outputs[0].index]
        assert [found.low, found.high] == pytest.approx([np.min(values), np.max(values)])
        assert found.counts.sum() == np.size(values)
