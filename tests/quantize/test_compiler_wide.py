"""Networks on int16 activations, compiled: every number as BUILTIN_REF computes it, on the host and emulated."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from random_wide import LAYERS, random_wide

from thermo_core.tflite.reader import read_model
from thermo_quantize.compiler.compile import compile_model

STRICT = "-O1 -fsanitize=undefined -fno-sanitize-recover=all"


@pytest.fixture(scope="module")
def wide_models(random_models: Any) -> Any:
    return random_wide(random_models)


def three_layers(seed: int) -> list[str]:
    return [str(name) for name in np.random.default_rng(seed).choice(LAYERS, 3)]


def made_of(model: bytes) -> list[str]:
    return [operator.name for operator in read_model(model).operators]


def check_on_host(
    wide_models: Any, reference: Any, host_run: Any, folder: Path, seed: int, layers: list[str], flags: str
) -> None:
    random = wide_models(seed)
    model, shape = random.build(layers)
    inputs = random.inputs(shape, 4)
    expected = reference(model, inputs)[0]
    got = host_run(compile_model(model, "net").files, "net", inputs, folder, flags)
    assert got.dtype == expected.dtype == np.int16
    assert np.array_equal(got, expected), (seed, made_of(model), shape)


@pytest.mark.parametrize("layer", LAYERS)
def test_one_layer_on_the_host(wide_models: Any, reference: Any, host_run: Any, tmp_path: Path, layer: str) -> None:
    for seed in range(5):
        check_on_host(wide_models, reference, host_run, tmp_path / str(seed), seed, [layer], "-O1")


def test_three_layers_on_the_host_without_undefined_behaviour(
    wide_models: Any, reference: Any, host_run: Any, tmp_path: Path
) -> None:
    for seed in range(1000, 1015):
        check_on_host(wide_models, reference, host_run, tmp_path / str(seed), seed, three_layers(seed), STRICT)


@pytest.mark.parametrize("cpu", ["m4", "m55"])
def test_layers_emulated(
    wide_models: Any, reference: Any, emulate: Any, emulated: Any, tmp_path: Path, cpu: str
) -> None:
    plans = [(seed, [layer]) for layer in ("convolution", "dense") for seed in range(2000, 2008)]
    plans += [(seed, three_layers(seed)) for seed in range(3000, 3000 + {"m4": 20, "m55": 10}[cpu])]
    models, expected, names = [], [], []
    for number, (seed, layers) in enumerate(plans):
        random = wide_models(seed)
        model, shape = random.build(layers)
        inputs = random.inputs(shape, 2)
        expected.append(reference(model, inputs)[0])
        models.append(emulated(compile_model(model, f"net{number}", cpu).files, f"net{number}", inputs))
        names.append((seed, made_of(model), shape))
    for got, wanted, name in zip(emulate(models, cpu, tmp_path), expected, names, strict=True):
        assert np.array_equal(got, wanted), name


@pytest.mark.parametrize("target", ["generic", "m4"])
@pytest.mark.parametrize("bias", ["int64", "int32", None])
def test_sums_beyond_32_bits(
    model_builder: Any,
    reference: Any,
    host_run: Any,
    emulate: Any,
    emulated: Any,
    tmp_path: Path,
    target: str,
    bias: str | None,
) -> None:
    """Depths at which extremes leave 32 bits: with 64-bit biases sums go on, with others they wrap as the reference's do."""
    random, builder = np.random.default_rng(3), model_builder()
    depth, channels = 1500, 5
    source = builder.tensor((1, depth), 0.0003, 0, dtype="int16")
    data = np.where(random.random((channels, depth)) < 0.9, 127, -127).astype(np.int8)
    data[0] = 127
    weights = builder.tensor(data.shape, 0.01, 0, data)
    inputs = [source, weights, -1]
    if bias is not None:
        start = random.integers(-(1 << 30), 1 << 30, channels).astype(bias)
        inputs[2] = builder.tensor((channels,), 0.000003, 0, start, bias)
    result = builder.tensor((1, channels), 1.0, 0, dtype="int16")
    builder.operator("FULLY_CONNECTED", inputs, [result])
    model = builder.build([source], [result])
    samples = random.integers(-32768, 32768, (4, depth)).astype(np.int16)
    samples[0], samples[1] = 32767, -32768
    files = compile_model(model, "net", target).files
    if target == "generic":
        got = host_run(files, "net", samples, tmp_path, STRICT)
    else:
        [got] = emulate([emulated(files, "net", samples)], target, tmp_path)
    assert np.array_equal(got, reference(model, samples)[0])
