"""Networks on int16 activations, compiled: every number as BUILTIN_REF computes it, on the host and emulated."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from compiled_models import STRICT, check_emulated, check_on_host
from random_wide import LAYERS, random_wide

from thermo_quantize.compiler.compile import compile_model


@pytest.fixture(scope="module")
def wide_models(random_models: Any) -> Any:
    return random_wide(random_models)


def three_layers(seed: int) -> list[str]:
    return [str(name) for name in np.random.default_rng(seed).choice(LAYERS, 3)]


@pytest.mark.parametrize("layer", LAYERS)
def test_one_layer_on_the_host(wide_models: Any, tmp_path: Path, layer: str) -> None:
    for seed in range(5):
        check_on_host(wide_models, tmp_path, seed, [layer], 4, "-O1")


def test_three_layers_on_the_host_without_undefined_behaviour(wide_models: Any, tmp_path: Path) -> None:
    for seed in range(1000, 1015):
        check_on_host(wide_models, tmp_path, seed, three_layers(seed), 4)


@pytest.mark.usefixtures("emulate")
@pytest.mark.parametrize("cpu", ["m4", "m55"])
def test_layers_emulated(wide_models: Any, tmp_path: Path, cpu: str) -> None:
    plans = [(seed, [layer]) for layer in ("convolution", "dense") for seed in range(2000, 2008)]
    plans += [(seed, three_layers(seed)) for seed in range(3000, 3000 + {"m4": 20, "m55": 10}[cpu])]
    check_emulated(wide_models, tmp_path, cpu, plans, 2)


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
