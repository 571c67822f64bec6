"""Layers with weights at the ends of their arithmetic: sums that lie between two outputs, and filters that training killed."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from compiled_models import STRICT

from thermo_core.errors import ModelError
from thermo_quantize.compiler.compile import compile_model

CHANNELS = 12
FAST = ("DspDense", "PackedDense", "PackedConv")
KINDS = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "TRANSPOSE_CONV")


def layer(
    builder: Any, kind: str, pixels: int, weights: Any, scales: Any, biases: Any, ends: Any, activation: int = 0
) -> tuple[bytes, tuple[int, ...]]:
    """A model of one layer with weights (output channels first, of one tap a channel, or (channels, inputs)) and its input's shape.

    `ends` is (scale, zero point) of the input and of the output; `scales` one number or one a channel.
    """
    inputs = CHANNELS if kind == "DEPTHWISE_CONV_2D" else weights.shape[1]
    shape = (pixels, inputs) if kind == "FULLY_CONNECTED" else (1, 1, pixels, inputs)
    source = builder.tensor(shape, *ends[0])
    result = builder.tensor((*shape[:-1], CHANNELS), *ends[1])
    taps = {
        "CONV_2D": weights.reshape(CHANNELS, 1, 1, -1),
        "DEPTHWISE_CONV_2D": weights.reshape(1, 1, 1, CHANNELS) if weights.shape[1] == 1 else None,
        "FULLY_CONNECTED": weights,
        "TRANSPOSE_CONV": weights.reshape(CHANNELS, 1, 1, -1),
    }[kind]
    filters = builder.tensor(taps.shape, scales, 0, taps, axis=3 if kind == "DEPTHWISE_CONV_2D" else 0)
    factors = np.atleast_1d(scales) * ends[0][0]
    bias = builder.tensor((CHANNELS,), [float(factor) for factor in factors], 0, biases.astype(np.int32), "int32")
    steps = {"stride_h": 1, "stride_w": 1}
    if kind == "TRANSPOSE_CONV":
        wanted = builder.tensor((4,), data=np.array([1, 1, pixels, CHANNELS], np.int32), dtype="int32")
        builder.operator(kind, [wanted, filters, source, bias], [result], **steps)
    elif kind == "FULLY_CONNECTED":
        builder.operator(kind, [source, filters, bias], [result], activation=activation)
    else:
        steps |= {"dilation_h": 1, "dilation_w": 1, "activation": activation}
        if kind == "DEPTHWISE_CONV_2D":
            steps["depth_multiplier"] = 1
        builder.operator(kind, [source, filters, bias], [result], **steps)
    return builder.build([source], [result]), shape


def single(value: float) -> float:
    return float(np.float32(value))


def tied(builder: Any, kind: str, per_channel: bool, seed: int) -> tuple[bytes, tuple[int, ...]]:
    """Sums exactly between two outputs, where a multiplier that is off by its last bit gives the other one."""
    random = np.random.default_rng(seed)
    factors = single(random.uniform(0.01, 0.1)), single(random.uniform(0.001, 0.03))
    product = np.float32(factors[0]) * np.float32(factors[1])
    biases = (random.integers(-120, 120, CHANNELS) * 2 + 1) * (1 << 20)
    depth = 1 if kind == "DEPTHWISE_CONV_2D" else 4
    scales = [factors[1]] * (CHANNELS if per_channel else 1)
    ends = (factors[0], 0), (float(product * np.float32(1 << 21)), 0)
    return layer(builder, kind, 3, np.zeros((CHANNELS, depth), np.int8), scales, biases, ends)


@pytest.mark.parametrize("kind", KINDS)
def test_multipliers_are_right_to_the_last_bit(
    model_builder: Any, reference: Any, host_run: Any, tmp_path: Path, kind: str
) -> None:
    for seed in range(6):
        model, shape = tied(model_builder(), kind, seed % 2 == 1, seed)
        inputs = np.zeros((1, *shape), np.int8)
        got = host_run(compile_model(model, "net").files, "net", inputs, tmp_path / str(seed), STRICT)
        assert np.array_equal(got, reference(model, inputs)[0]), seed


def killed(builder: Any, kind: str, seed: int) -> tuple[bytes, tuple[int, ...]]:
    """Of twelve filters some ordinary, the others as converters leave them when training killed them, beside each other."""
    random = np.random.default_rng(seed)
    depth = 1 if kind == "DEPTHWISE_CONV_2D" else int(random.integers(1, 9))
    weights = random.integers(-127, 128, (CHANNELS, depth)).astype(np.int8)
    scales = [single(scale) for scale in random.uniform(0.001, 0.03, CHANNELS)]
    biases = random.integers(-500 * depth, 500 * depth + 1, CHANNELS)
    for channel in random.permutation(CHANNELS)[: random.integers(1, CHANNELS + 1)]:
        fate = random.integers(0, 5)
        weights[channel] *= fate in (1, 4)
        scales[channel] = single(10.0 ** -random.uniform(6 if fate == 4 else 8, 14))
        biases[channel] = random.choice([1 << 30, -(1 << 30), 0, 123456789, -1, 5000])
    spread = 0.05 * 0.01 * 127 * 74 * depth**0.5 / 60
    ends = (0.05, int(random.choice([-128, 0, 127, 13]))), (single(spread), int(random.choice([-128, 0, 127, -7])))
    activation = 0 if kind == "TRANSPOSE_CONV" else int(random.choice([0, 1, 3]))
    return layer(builder, kind, int(random.choice([1, 5])), weights, scales, biases, ends, activation)


@pytest.mark.parametrize("kind", KINDS)
def test_killed_filters_on_the_host(
    model_builder: Any, reference: Any, host_run: Any, tmp_path: Path, kind: str
) -> None:
    for seed in range(8):
        model, shape = killed(model_builder(), kind, seed)
        inputs = np.random.default_rng(seed).integers(-128, 128, (6, *shape)).astype(np.int8)
        got = host_run(compile_model(model, "net").files, "net", inputs, tmp_path / str(seed), STRICT)
        assert np.array_equal(got, reference(model, inputs)[0]), seed


@pytest.mark.parametrize("cpu", ["m0plus", "m4", "m55"])
def test_killed_filters_emulated(
    model_builder: Any, reference: Any, emulate: Any, emulated: Any, tmp_path: Path, cpu: str
) -> None:
    models = [killed(model_builder(), kind, seed) for seed in range(100, 106) for kind in KINDS]
    inputs = [
        np.random.default_rng(n).integers(-128, 128, (3, *shape)).astype(np.int8) for n, (_, shape) in enumerate(models)
    ]
    compiled = [
        emulated(compile_model(model, f"net{n}", cpu).files, f"net{n}", inputs[n])
        for n, (model, _) in enumerate(models)
    ]
    for number, got in enumerate(emulate(compiled, cpu, tmp_path)):
        assert np.array_equal(got, reference(models[number][0], inputs[number])[0]), number


@pytest.mark.parametrize("cpu", ["m0plus", "m4", "m55"])
def test_a_killed_filter_costs_its_layer_nothing(model_builder: Any, cpu: str) -> None:
    """The same kernel, the same code but for numbers in tables, and for what makes an output sure on the M0+."""
    random = np.random.default_rng(3)
    weights = random.integers(-127, 128, (CHANNELS, 8)).astype(np.int8)
    biases, ends = random.integers(-900, 900, CHANNELS), ((0.05, 3), (0.06, -128))
    scales = [single(scale) for scale in random.uniform(0.002, 0.006, CHANNELS)]
    whole = compile_model(layer(model_builder(), "CONV_2D", 9, weights, scales, biases, ends, 1)[0], "net", cpu)
    weights[4], biases[4], scales[4] = 0, 1 << 30, 2e-8
    weights[7], biases[7], scales[7] = random.integers(-2, 3, 8), -115, 4.7e-12
    hurt = compile_model(layer(model_builder(), "CONV_2D", 9, weights, scales, biases, ends, 1)[0], "net", cpu)
    assert type(whole.kernels[0]) is type(hurt.kernels[0])
    code = [compiled.files["net.c"].partition("LAYER static")[2] for compiled in (whole, hurt)]
    if cpu == "m0plus":
        code = [re.sub(r"\d+U, \d+U", "BASE, WINDOW", text) for text in code]
    assert code[0] == code[1] != ""


@pytest.mark.parametrize("cpu", ["m0plus", "m4", "m7"])
def test_dense_layers_of_every_remainder(
    model_builder: Any, reference: Any, emulate: Any, emulated: Any, tmp_path: Path, cpu: str
) -> None:
    """Inputs that fill no word, no turn of the loop or several; outputs that fill no group of four; one row and two."""
    random, models, inputs = np.random.default_rng(9), [], []
    for number in range(24):
        depth, channels = int(random.choice([1, 3, 4, 7, 15, 16, 17, 20, 31, 32, 48])), 1 + number % 9
        rows, shared = 1 + number % 2, number % 3 == 0
        builder = model_builder()
        source = builder.tensor((rows, depth), 0.05, int(random.integers(-128, 128)))
        data = random.integers(-127, 128, (channels, depth)).astype(np.int8)
        scales = [single(scale) for scale in random.uniform(0.003, 0.006, 1 if shared else channels)]
        weights = builder.tensor(data.shape, scales, 0, data)
        values = random.integers(-900, 900, channels).astype(np.int32)
        bias = builder.tensor((channels,), [0.05 * scale for scale in scales], 0, values, "int32")
        spread = single(0.05 * 0.0045 * 74 * 127 * depth**0.5 / float(random.choice([2, 60, 90])))
        result = builder.tensor((rows, channels), spread, int(random.integers(-128, 128)))
        builder.operator("FULLY_CONNECTED", [source, weights, bias], [result], activation=int(random.choice([0, 1, 3])))
        models.append(builder.build([source], [result]))
        inputs.append(random.integers(-128, 128, (3, rows, depth)).astype(np.int8))
    compiled = [compile_model(model, f"net{n}", cpu) for n, model in enumerate(models)]
    assert sum(type(one.kernels[0]).__name__ in FAST for one in compiled) > {"m0plus": 11}.get(cpu, 15)
    boards = [emulated(one.files, f"net{n}", inputs[n]) for n, one in enumerate(compiled)]
    for number, got in enumerate(emulate(boards, cpu, tmp_path)):
        assert np.array_equal(got, reference(models[number], inputs[number])[0]), number


def test_sums_beyond_32_bits_are_refused(model_builder: Any) -> None:
    weights = np.full((CHANNELS, 8), 100, np.int8)
    biases = np.full(CHANNELS, (1 << 31) - 100)
    model, _ = layer(model_builder(), "CONV_2D", 4, weights, 0.01, biases, ((0.05, 0), (0.06, 0)))
    with pytest.raises(ModelError, match=r"operator 0 \(CONV_2D\).*sums beyond 32 bits"):
        compile_model(model, "net")
