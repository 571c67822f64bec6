"""Operators of tests/support/operator_models.py, compiled: every byte as BUILTIN_REF computes it, alone and among others."""

from pathlib import Path
from typing import Any

import numpy as np
import operator_models
import pytest
from compiled_models import STRICT, check_emulated, check_on_host, made_of
from random_models import RandomModels

from thermo_core.errors import ModelError
from thermo_core.tflite.verify import verify_model
from thermo_quantize.compiler.compile import compile_model

OTHERS = ("convolution", "depthwise", "dense", "pool", "mean", "binary", "pointwise", "softmax", "movement")


def three_layers(seed: int) -> list[str]:
    random = np.random.default_rng(seed)
    names = [str(random.choice(list(operator_models.OPERATORS))), *map(str, random.choice(OTHERS, 2))]
    return [names[n] for n in random.permutation(3)]


@pytest.mark.parametrize("layer", operator_models.OPERATORS)
def test_one_layer_on_the_host(random_models: Any, reference: Any, host_run: Any, tmp_path: Path, layer: str) -> None:
    for seed in range(6):
        random = random_models(seed)
        model, shape = random.build([layer])
        inputs = random.inputs(shape, 6)
        verify_model(model)
        got = host_run(compile_model(model, "net").files, "net", inputs, tmp_path / str(seed), STRICT)
        assert np.array_equal(got, reference(model, inputs)[0]), (seed, made_of(model), shape)


def test_among_others_on_the_host(tmp_path: Path) -> None:
    for seed in range(5000, 5030):
        check_on_host(RandomModels, tmp_path, seed, three_layers(seed), 4)


@pytest.mark.usefixtures("emulate")
@pytest.mark.parametrize("cpu", ["m4", "m55"])
def test_emulated(tmp_path: Path, cpu: str) -> None:
    plans = [(seed, [layer]) for layer in operator_models.OPERATORS for seed in (6000, 6001)]
    plans += [(seed, three_layers(seed)) for seed in range(6100, 6112)]
    check_emulated(RandomModels, tmp_path, cpu, plans, 3)


@pytest.mark.parametrize("of_bytes", [True, False])
def test_elu(model_builder: Any, host_run: Any, tmp_path: Path, of_bytes: bool) -> None:
    """BUILTIN_REF lacks ELU: held against the runtime's other kernels, of int8, and between DEQUANTIZE and QUANTIZE."""
    from tflite_runtime.interpreter import Interpreter, OpResolverType

    builder = model_builder()
    source, result = builder.tensor((1, 256), 0.03, 41), builder.tensor((1, 256), 0.0213, -70)
    if of_bytes:
        builder.operator("ELU", [source], [result])
    else:
        real, bent = (builder.tensor((1, 256), dtype="float32") for _ in range(2))
        builder.operator("DEQUANTIZE", [source], [real])
        builder.operator("ELU", [real], [bent])
        builder.operator("QUANTIZE", [bent], [result])
    model = builder.build([source], [result])
    kernels = OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
    runtime = Interpreter(model_content=model, experimental_op_resolver_type=kernels)
    runtime.allocate_tensors()
    every = np.arange(-128, 128, dtype=np.int8).reshape(1, 256)
    runtime.set_tensor(runtime.get_input_details()[0]["index"], every)
    runtime.invoke()
    expected = runtime.get_tensor(runtime.get_output_details()[0]["index"])
    assert np.array_equal(host_run(compile_model(model, "net").files, "net", every, tmp_path), expected)
    assert len(set(expected.ravel().tolist())) > 100


def test_functions_between_conversions_are_one_table(model_builder: Any) -> None:
    builder = model_builder()
    source, squared = builder.tensor((1, 4, 6), 0.05, 3), builder.tensor((1, 4, 6), 0.1, -128)
    real, turned, after = (builder.tensor(shape, dtype="float32") for shape in ((1, 4, 6), (1, 6, 4), (1, 6, 4)))
    result = builder.tensor((1, 6, 4), 0.1, -128)
    order = builder.tensor((3,), data=np.array([0, 2, 1], np.int32), dtype="int32")
    builder.operator("RELU", [source], [squared])
    builder.operator("DEQUANTIZE", [squared], [real])
    builder.operator("TRANSPOSE", [real, order], [turned])
    builder.operator("SQRT", [turned], [after])
    builder.operator("QUANTIZE", [after], [result])
    network = compile_model(builder.build([source], [result]), "net").network
    assert [layer.title for layer in network.layers] == ["RELU", "TRANSPOSE", "QUANTIZE"]
    with pytest.raises(ModelError, match="end of the network: it is computed in single precision"):
        compile_model(builder.build([source], [after]), "net")


def test_arithmetic_in_single_precision_is_refused(model_builder: Any) -> None:
    builder = model_builder()
    source, result = builder.tensor((1, 4), dtype="float32"), builder.tensor((1, 4), dtype="float32")
    builder.operator("SQRT", [source], [result])
    with pytest.raises(ModelError, match=r"operator 0 \(SQRT\).*float32 that was not dequantised.*between DEQUANTIZE"):
        compile_model(builder.build([source], [result]), "net")


def test_grouped_convolutions_of_one_channel_are_depthwise(model_builder: Any) -> None:
    random, builder = np.random.default_rng(1), model_builder()
    source = builder.tensor((1, 6, 6, 4), 0.05, 3)
    data = random.integers(-127, 128, (8, 3, 3, 1)).astype(np.int8)
    weights = builder.tensor(data.shape, [0.01] * 8, 0, data)
    bias = builder.tensor((8,), [0.0005] * 8, 0, np.zeros(8, np.int32), "int32")
    result = builder.tensor((1, 6, 6, 8), 0.1, -3)
    steps = {"stride_h": 1, "stride_w": 1, "dilation_h": 1, "dilation_w": 1}
    builder.operator("CONV_2D", [source, weights, bias], [result], **steps)
    compiled = compile_model(builder.build([source], [result]), "net", "m4")
    assert [type(kernel).__name__ for kernel in compiled.kernels] == ["DspDepthwise"]
