"""Networks: each quantises to int8 with operators a microcontroller has, and its docstring tells its true size."""

import re
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from thermo_core.errors import UsageError
from thermo_core.tflite.interpreter import Int8Network
from thermo_core.tflite.reader import read_model
from thermo_models import networks
from thermo_quantize.compiler.compile import compile_model
from thermo_quantize.convert import to_int8

pytestmark = pytest.mark.lengthy

tensorflow = pytest.importorskip("tensorflow")

ALLOWED = set(
    "CONV_2D DEPTHWISE_CONV_2D FULLY_CONNECTED AVERAGE_POOL_2D MAX_POOL_2D MEAN ADD MUL PAD RESHAPE CONCATENATION SOFTMAX "
    "LOGISTIC RELU RELU6".split()
)
PICTURE = (
    "mobilenet_v1", "mobilenet_v2", "resnet_small", "custom_cnn", "cnn2d_shallow", "spot_cnn", "inception_small", "densenet_small"
)  # fmt: skip
SHAPES = dict.fromkeys(PICTURE, (16, 16, 1)) | {
    "clip_cnn": (16, 16, 4),
    "time_constant_cnn": (1, 32, 3),
    "series_cnn": (1, 24, 3),
    "inception_1d": (1, 24, 3),
    "densenet_1d": (1, 24, 3),
    "dense_residual": (1, 1, 20),
}
STATED = re.compile(r"(?:(\w+) at|At) (\(.*?\))(?: and \(.*?\))? -> (\d+), width 1: ([\d,]+) parameters, ([\d,]+) MACs")


def _operators(model: bytes) -> set[str]:
    return {operator.name for operator in read_model(model).operators}


@pytest.mark.parametrize("name", networks.NETWORKS)
def test_the_docstring_states_parameters_and_multiplications(name: str) -> None:
    text = sys.modules[networks.NETWORKS[name].__module__].__doc__ or ""
    stated = [match for match in STATED.findall(text) if match[0] in ("", name)]
    assert len(stated) == 1, f"{name} states no size"
    _, shape, outputs, parameters, macs = stated[0]
    network = networks.build(name, tuple(int(n) for n in shape.strip("()").split(",")), int(outputs))
    assert network.count_params() == int(parameters.replace(",", ""))
    assert networks.macs(network) == int(macs.replace(",", ""))


@pytest.mark.parametrize("name", SHAPES)
def test_it_quantises_to_int8_and_compiles_for_a_microcontroller(name: str) -> None:
    """With attention, which is added to all that a network is made of without."""
    rng = np.random.default_rng(3)
    network = networks.build(name, SHAPES[name], 3, width=0.25, attention="both", head_kind="linear")
    inputs = rng.standard_normal((24, *SHAPES[name])).astype(np.float32)
    model = to_int8(network, inputs)
    assert _operators(model) <= ALLOWED
    outputs = network.predict(inputs, verbose=0)
    difference = np.abs(Int8Network(model).predict([inputs]) - outputs)
    assert difference.mean() < 0.06 * np.ptp(outputs)
    compiled = compile_model(model, "network")
    assert {"network.h", "network.c"} == set(compiled.files)


@pytest.mark.parametrize("name", ["inception_small", "inception_1d", "densenet_small", "densenet_1d"])
def test_what_is_concatenated_has_one_scale(name: str) -> None:
    """So that putting channels side by side is a copy, and loses nothing."""
    rng = np.random.default_rng(5)
    network = networks.build(name, SHAPES[name], 3, width=0.5)
    model = read_model(to_int8(network, rng.standard_normal((24, *SHAPES[name])).astype(np.float32)))
    joined = [operator for operator in model.operators if operator.name == "CONCATENATION"]
    assert joined
    for operator in joined:
        tensors = [tensor for tensor in (*operator.inputs, *operator.outputs) if tensor is not None]
        scales = {(of.quantization.scales, of.quantization.zero_points) for of in tensors if of.quantization}
        assert len(scales) == 1


def test_fusion_takes_a_picture_and_a_series_through_int8() -> None:
    network = networks.build("fusion_cnn", (16, 16, 1), 2, width=0.5, series_shape=(1, 20, 3))
    rng = np.random.default_rng(4)

    def samples() -> Iterator[list[NDArray[Any]]]:
        for _ in range(8):
            yield [rng.standard_normal((1, *shape)).astype(np.float32) for shape in ((16, 16, 1), (1, 20, 3))]

    converter = tensorflow.lite.TFLiteConverter.from_keras_model(network)
    converter.optimizations = [tensorflow.lite.Optimize.DEFAULT]
    converter.representative_dataset = samples
    converter.target_spec.supported_ops = [tensorflow.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = converter.inference_output_type = tensorflow.int8
    assert _operators(bytes(converter.convert())) <= ALLOWED


@pytest.mark.parametrize(
    ("name", "options", "word"),
    [
        ("lenet", {}, "lenet"),
        ("mobilenet_v1", {"width": 0.0}, "width"),
        ("mobilenet_v1", {"attention": "global"}, "global"),
        ("custom_cnn", {"depth": 11}, "11"),
        ("mobilenet_v2", {"depth": 5}, "depth"),
        ("series_cnn", {"head_kind": "tanh"}, "tanh"),
    ],
)
def test_what_no_network_has_is_refused_in_a_sentence(name: str, options: dict[str, object], word: str) -> None:
    with pytest.raises(UsageError, match=word):
        networks.build(name, (16, 16, 1), 2, **options)
