"""Random models of one and of three layers, compiled: every byte as BUILTIN_REF computes it, on the host and emulated."""

from pathlib import Path

import numpy as np
import pytest

from thermo_core.tflite.reader import read_model
from thermo_quantize.compiler.compile import compile_model

LAYERS = (
    "convolution", "depthwise", "dense", "transpose_convolution", "pool", "mean", "binary", "pointwise", "softmax",
    "movement", "resize",
)  # fmt: skip
STRICT = "-O1 -fsanitize=undefined -fno-sanitize-recover=all"


def three_layers(seed: int) -> list[str]:
    return [str(name) for name in np.random.default_rng(seed).choice(LAYERS, 3)]


def made_of(model: bytes) -> list[str]:
    return [operator.name for operator in read_model(model).operators]


def check_on_host(random_models, reference, host_run, folder: Path, seed: int, layers: list[str], flags: str) -> None:
    random = random_models(seed)
    model, shape = random.build(layers)
    inputs = random.inputs(shape, 6)
    expected = reference(model, inputs)[0]
    got = host_run(compile_model(model, "net").files, "net", inputs, folder, flags)
    assert np.array_equal(got, expected), (seed, made_of(model), shape)


@pytest.mark.parametrize("layer", LAYERS)
def test_one_layer_on_the_host(random_models, reference, host_run, tmp_path: Path, layer: str) -> None:
    for seed in range(4):
        check_on_host(random_models, reference, host_run, tmp_path / str(seed), seed, [layer], "-O1")


def test_three_layers_on_the_host_without_undefined_behaviour(
    random_models, reference, host_run, tmp_path: Path
) -> None:
    for seed in range(1000, 1015):
        check_on_host(random_models, reference, host_run, tmp_path / str(seed), seed, three_layers(seed), STRICT)


def check_emulated(random_models, reference, emulate, emulated, folder: Path, cpu: str, plans) -> None:
    models, expected, names = [], [], []
    for number, (seed, layers) in enumerate(plans):
        random = random_models(seed)
        model, shape = random.build(layers)
        inputs = random.inputs(shape, 3)
        expected.append(reference(model, inputs)[0])
        models.append(emulated(compile_model(model, f"net{number}", cpu).files, f"net{number}", inputs))
        names.append((seed, made_of(model), shape))
    for got, wanted, name in zip(emulate(models, cpu, folder), expected, names, strict=True):
        assert np.array_equal(got, wanted), name


@pytest.mark.parametrize("cpu", ["m4", "m33", "m55"])
def test_products_emulated(random_models, reference, emulate, emulated, tmp_path: Path, cpu: str) -> None:
    count = {"m4": 10, "m33": 3, "m55": 5}[cpu]
    plans = [(seed, [layer]) for layer in ("convolution", "depthwise", "dense") for seed in range(2000, 2000 + count)]
    check_emulated(random_models, reference, emulate, emulated, tmp_path, cpu, plans)


@pytest.mark.parametrize("cpu", ["m4", "m55"])
def test_three_layers_emulated(random_models, reference, emulate, emulated, tmp_path: Path, cpu: str) -> None:
    plans = [(seed, three_layers(seed)) for seed in range(3000, 3014)]
    check_emulated(random_models, reference, emulate, emulated, tmp_path, cpu, plans)
