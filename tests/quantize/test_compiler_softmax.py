"""SOFTMAX of int8, compiled: every byte as BUILTIN_REF computes it, ties of rounding among them, which are rare."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from compiled_models import STRICT

from thermo_core.errors import ModelError
from thermo_quantize.compiler.compile import compile_model

ROWS = 20_000


def softmax_of(builder: Any, shape: tuple[int, ...], scale: float, beta: float) -> bytes:
    source, result = builder.tensor(shape, scale, 7), builder.tensor(shape, 1 / 256, -128)
    builder.operator("SOFTMAX", [source], [result], beta=beta)
    return bytes(builder.build([source], [result]))


@pytest.mark.parametrize(
    ("depth", "scale", "beta"),
    [
        (2, 0.11, 1.0),
        (3, 0.021, 1.0),
        (5, 0.0553538, 1.0),
        (5, 0.9, 0.5),
        (8, 0.004, 1.0),
        (2, 3.0, 2.0),
        (9, 2e-8, 1.0),
    ],
)
def test_rows_by_the_hundred_thousand_numbers(
    model_builder: Any, reference: Any, host_run: Any, tmp_path: Path, depth: int, scale: float, beta: float
) -> None:
    model = softmax_of(model_builder(), (1, ROWS, depth), scale, beta)
    random = np.random.default_rng(depth)
    inputs = np.stack(
        [
            random.integers(-128, 128, (1, ROWS, depth), np.int8),
            np.clip(random.normal(0, 20, (1, ROWS, depth)), -128, 127).astype(np.int8),
        ]
    )
    got = host_run(compile_model(model, "net").files, "net", inputs, tmp_path, STRICT)
    assert np.array_equal(got, reference(model, inputs)[0])


@pytest.mark.parametrize("depth", [100, 256, 400])
def test_many_classes_that_are_nearly_alike(
    model_builder: Any, reference: Any, host_run: Any, tmp_path: Path, depth: int
) -> None:
    model = softmax_of(model_builder(), (1, 500, depth), 0.02, 1.0)
    random = np.random.default_rng(depth)
    inputs = random.integers(-4, 4, (1, 1, 500, depth), np.int8)
    got = host_run(compile_model(model, "net").files, "net", inputs, tmp_path, STRICT)
    assert np.array_equal(got, reference(model, inputs)[0])


def test_classes_whose_scores_are_less_than_half_a_step(model_builder: Any, host_run: Any, tmp_path: Path) -> None:
    """Where the reference shifts by more bits than a number has: nought is right."""
    model = softmax_of(model_builder(), (1, 1000), 0.02, 1.0)
    inputs = np.zeros((1, 1, 1000), np.int8)
    assert np.all(host_run(compile_model(model, "net").files, "net", inputs, tmp_path, STRICT) == -128)


def test_more_classes_than_are_added_up_are_refused(model_builder: Any) -> None:
    with pytest.raises(ModelError, match="9000 numbers in a row; supported are 8191 at most"):
        compile_model(softmax_of(model_builder(), (1, 9000), 0.02, 1.0), "net")
