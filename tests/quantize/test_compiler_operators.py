"""Random models of one and of three layers, compiled and run on the host: every byte as BUILTIN_REF computes it."""

from pathlib import Path

import numpy as np
import pytest

from thermo_core.tflite.reader import read_model
from thermo_quantize.compiler.compile import compile_model

LAYERS = (
    "convolution", "depthwise", "dense", "transpose_convolution", "pool", "mean", "binary", "pointwise", "softmax",
    "movement", "resize",
)  # fmt: skip


def check(random_models, reference, host_run, folder: Path, seed: int, layers: list[str], flags: str) -> None:
    random = random_models(seed)
    model, shape = random.build(layers)
    inputs = random.inputs(shape, 6)
    expected = reference(model, inputs)[0]
    compiled = compile_model(model, "net", "generic")
    got = host_run(compiled.files, "net", inputs, folder, flags)
    names = [operator.name for operator in read_model(model).operators]
    assert np.array_equal(got, expected.view(np.int8)), (seed, names, shape)


@pytest.mark.parametrize("layer", LAYERS)
def test_one_layer(random_models, reference, host_run, tmp_path: Path, layer: str) -> None:
    for seed in range(8):
        check(random_models, reference, host_run, tmp_path / str(seed), seed, [layer], "-O1")


def test_three_layers(random_models, reference, host_run, tmp_path: Path) -> None:
    for seed in range(40):
        chosen = np.random.default_rng(seed).choice(LAYERS[:-1] * 2 + ("resize",), 3)
        check(
            random_models, reference, host_run, tmp_path / str(seed), 1000 + seed, [str(name) for name in chosen], "-O1"
        )
