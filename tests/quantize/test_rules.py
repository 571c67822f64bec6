"""What the rules of `verify_model` refuse of operators that move, join and compute: kernels do not look."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from thermo_core.errors import ModelError
from thermo_core.tflite.verify import verify_model

Shape = tuple[int, ...]


@dataclass(frozen=True)
class Good:
    """A small model of one operator that is accepted: int8 input shapes, whole-number constants, output shapes and options."""

    inputs: tuple[Shape, ...]
    constants: tuple[Any, ...]
    outputs: tuple[Shape, ...]
    options: dict[str, Any]
    out_scale: float = 0.1
    out_zero: int = 0


GOOD = {
    "PACK": Good(((2, 3), (2, 3)), (), ((2, 2, 3),), {"values_count": 2, "axis": 1}),
    "UNPACK": Good(((2, 3),), (), ((2,), (2,), (2,)), {"num": 3, "axis": -1}),
    "SQUEEZE": Good(((1, 3, 1),), (), ((1, 3),), {"squeeze_dims": [2]}),
    "DEPTH_TO_SPACE": Good(((1, 2, 3, 8),), (), ((1, 4, 6, 2),), {"block_size": 2}),
    "SPACE_TO_DEPTH": Good(((1, 4, 6, 2),), (), ((1, 2, 3, 8),), {"block_size": 2}),
    "SPACE_TO_BATCH_ND": Good(((1, 3, 4, 2),), ([2, 2], [[1, 0], [0, 0]]), ((4, 2, 2, 2),), {}),
    "BATCH_TO_SPACE_ND": Good(((4, 2, 2, 2),), ([2, 2], [[1, 0], [0, 0]]), ((1, 3, 4, 2),), {}),
    "TILE": Good(((2, 3),), ([1, 2],), ((2, 6),), {}),
    "SLICE": Good(((2, 3),), ([0, 1], [2, -1]), ((2, 2),), {}),
    "REVERSE_V2": Good(((2, 3),), ([1],), ((2, 3),), {}),
    "GATHER": Good(((2, 3),), ([2, 0],), ((2, 2),), {"axis": 1}),
    "MIRROR_PAD": Good(((2, 3),), ([[0, 0], [2, 1]],), ((2, 6),), {"mode": 0}),
    "REDUCE_MIN": Good(((2, 3),), ([1],), ((2,),), {}),
    "SUM": Good(((2, 3),), ([1],), ((2,),), {}, 0.4),
    "MAXIMUM": Good(((2, 3), (1, 3)), (), ((2, 3),), {}),
    "SQUARED_DIFFERENCE": Good(((2, 3), (1, 3)), (), ((2, 3),), {}),
    "GELU": Good(((2, 3),), (), ((2, 3),), {}),
    "ABS": Good(((2, 3),), (), ((2, 3),), {}),
    "EXP": Good(((2, 3),), (), ((2, 3),), {}, 3000.0),
    "L2_NORMALIZATION": Good(((2, 3),), (), ((2, 3),), {}, 1 / 128),
    "BATCH_MATMUL": Good(((2, 3, 4), (1, 4, 5)), (), ((2, 3, 5),), {}),
}
BAD: list[tuple[str, dict[str, Any], str]] = [
    ("PACK", {"options": {"values_count": 3, "axis": 1}}, "told of 3 inputs"),
    ("PACK", {"options": {"values_count": 2, "axis": 4}}, "axis 4 of 3"),
    ("PACK", {"outputs": ((2, 3, 2),)}, "gives"),
    ("UNPACK", {"options": {"num": 2, "axis": -1}}, "has 3 outputs"),
    ("UNPACK", {"options": {"num": 3, "axis": 0}}, "has 3 outputs"),
    ("SQUEEZE", {"options": {"squeeze_dims": [1]}}, r"removes axes \[1\]"),
    ("SQUEEZE", {"options": {"squeeze_dims": [-4]}}, r"removes axes \[-4\]"),
    ("SQUEEZE", {"options": {"squeeze_dims": []}}, "gives"),
    ("DEPTH_TO_SPACE", {"options": {"block_size": 0}}, "blocks of 0"),
    ("DEPTH_TO_SPACE", {"options": {"block_size": 3}}, "8 channels for blocks of 3"),
    ("SPACE_TO_DEPTH", {"options": {"block_size": -2}}, "blocks of -2"),
    ("SPACE_TO_DEPTH", {"options": {"block_size": 4}}, "blocks of 4"),
    ("SPACE_TO_BATCH_ND", {"constants": ([0, 2], [[1, 0], [0, 0]])}, r"blocks of \[0, 2\]"),
    ("SPACE_TO_BATCH_ND", {"constants": ([2, 2], [[-1, 0], [0, 0]])}, "pads or cuts"),
    ("SPACE_TO_BATCH_ND", {"constants": ([2, 2], [[0, 0], [0, 0]])}, "values for blocks"),
    ("BATCH_TO_SPACE_ND", {"constants": ([2, 2], [[4, 0], [0, 0]])}, "cuts"),
    ("BATCH_TO_SPACE_ND", {"constants": ([3, 2], [[1, 0], [0, 0]])}, "4 samples for blocks"),
    ("TILE", {"constants": ([1, 0],)}, r"repeats \[1, 0\]"),
    ("TILE", {"constants": ([2],)}, "repeats"),
    ("SLICE", {"constants": ([0, 2], [2, 2])}, "takes 2 from 2 of 3"),
    ("SLICE", {"constants": ([0, -1], [2, 2])}, "from -1 of 3"),
    ("REVERSE_V2", {"constants": ([2],)}, "axis 2 of 2"),
    ("REVERSE_V2", {"constants": ([0, 1],)}, "number of axes"),
    ("GATHER", {"constants": ([2, 3],)}, "beyond its 3 values"),
    ("GATHER", {"constants": ([2, -1],)}, "beyond its 3 values"),
    ("MIRROR_PAD", {"constants": ([[0, 0], [3, 1]],)}, r"mirrors \[3, 1\] of 3"),
    ("MIRROR_PAD", {"options": {"mode": 2}}, "mode 2"),
    ("REDUCE_MIN", {"constants": ([2],)}, r"axes \[2\]"),
    ("REDUCE_MIN", {"out_scale": 0.2}, "changes the scale"),
    ("SUM", {"out_scale": 1e-9}, "do not fit each other"),
    ("MAXIMUM", {"out_scale": 0.2}, "changes the scale"),
    ("MAXIMUM", {"inputs": ((2, 3), (2, 2))}, "do not fit each other"),
    ("SQUARED_DIFFERENCE", {"out_scale": 1e-9}, "do not fit each other"),
    ("GELU", {"out_scale": 1e-9}, "do not fit each other"),
    ("EXP", {"out_scale": 1e-9}, "do not fit each other"),
    ("L2_NORMALIZATION", {"out_scale": 1 / 64}, "output scale other than 1/128"),
    ("BATCH_MATMUL", {"inputs": ((2, 3, 4), (1, 5, 5))}, "rows of 4 by columns of 5"),
    ("BATCH_MATMUL", {"options": {"adjoint_x": 1}}, "rows of 3 by columns of 4"),
    ("BATCH_MATMUL", {"inputs": ((2, 3, 4), (3, 4, 5))}, "do not fit each other"),
]


def build(model_builder: Callable[[], Any], name: str, good: Good) -> bytes:
    builder = model_builder()
    inputs = [builder.tensor(shape, 0.1) for shape in good.inputs]
    outputs = [builder.tensor(shape, good.out_scale, good.out_zero) for shape in good.outputs]
    constants = []
    for values in good.constants:
        array = np.array(values, np.int32)
        constants.append(builder.tensor(array.shape, data=array, dtype="int32"))
    builder.operator(name, [*inputs, *constants], outputs, **good.options)
    return builder.build(inputs, outputs)


@pytest.mark.parametrize("name", GOOD)
def test_the_unchanged_models_are_accepted_and_run(model_builder: Any, reference: Any, name: str) -> None:
    model = build(model_builder, name, GOOD[name])
    verify_model(model)
    if len(GOOD[name].inputs) == 1:
        assert reference(model, np.ones((1, *GOOD[name].inputs[0]), np.int8))


@pytest.mark.parametrize(("name", "change", "sentence"), BAD)
def test_refuses_and_names(model_builder: Any, name: str, change: dict[str, Any], sentence: str) -> None:
    good = GOOD[name]
    changed = Good(**{**good.__dict__, **change})
    with pytest.raises(ModelError, match=sentence) as refusal:
        verify_model(build(model_builder, name, changed))
    assert f"operator 0 ({name})" in str(refusal.value) and str(refusal.value).endswith(".")


def convolution(model_builder: Callable[[], Any], channels: int, filters: tuple[int, int]) -> bytes:
    builder = model_builder()
    source, result = builder.tensor((1, 4, 4, channels), 0.1), builder.tensor((1, 4, 4, filters[0]), 0.1)
    data = np.ones((filters[0], 1, 1, filters[1]), np.int8)
    weights = builder.tensor(data.shape, [0.01] * filters[0], 0, data)
    bias = builder.tensor(filters[:1], [0.001] * filters[0], 0, np.zeros(filters[0], np.int32), "int32")
    builder.operator("CONV_2D", [source, weights, bias], [result], stride_h=1, stride_w=1)
    return builder.build([source], [result])


def test_groups_divide_channels_and_filters(model_builder: Any) -> None:
    assert sum(verify_model(convolution(model_builder, 6, (4, 3))).macs) == 4 * 4 * 4 * 3
    for channels, filters in ((6, (4, 4)), (6, (5, 3)), (6, (4, 12))):
        with pytest.raises(ModelError, match=f"multiplies 6 channels by {filters[0]} filters of {filters[1]}"):
            verify_model(convolution(model_builder, channels, filters))


def test_dense_layers_of_rows_need_one_scale(model_builder: Any) -> None:
    """The reference kernel of 2.14 reads beyond the weights where outputs have three dimensions and scales a channel."""
    for scales, accepted in (([0.01], True), ([0.01] * 4, False)):
        builder = model_builder()
        source, result = builder.tensor((1, 5, 3), 0.1), builder.tensor((1, 5, 4), 0.1)
        weights = builder.tensor((4, 3), scales, 0, np.ones((4, 3), np.int8))
        builder.operator("FULLY_CONNECTED", [source, weights, -1], [result], keep_num_dims=1)
        model = builder.build([source], [result])
        if accepted:
            verify_model(model)
            continue
        with pytest.raises(ModelError, match=r"operator 0 \(FULLY_CONNECTED\) has a scale a channel.*one scale"):
            verify_model(model)
