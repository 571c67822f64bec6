"""Whole models made by others, compiled: exact, within their arena, and readable."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from thermo_core.tflite.reader import read_model
from thermo_quantize.compiler.compile import compile_model
from thermo_quantize.compiler.memory import NONE

MODELS = {
    "mobilenet": ("reference_models/mobilenet_v1_24x32_int8.tflite", 10_500),
    "keywords": ("third_party_models/mlperf_tiny_kws_dscnn_int8.tflite", 12_000),
    "presence": ("third_party_models/thermo_presence_unet_int8.tflite", 40_000),
}
COUNTED = {
    ("mobilenet", "generic"): 7_352_475,
    ("mobilenet", "m0plus"): 3_791_791,
    ("mobilenet", "m4"): 1_535_524,
    ("mobilenet", "m7"): 1_532_844,
    ("mobilenet", "m55"): 707_917,
    ("keywords", "m0plus"): 8_177_369,
    ("keywords", "m4"): 3_279_316,
    ("keywords", "m55"): 1_502_332,
    ("presence", "m0plus"): 43_001_415,
    ("presence", "m4"): 17_571_046,
    ("presence", "m55"): 4_976_514,
}
"""Instructions bench/mcu.py counts; write new ones down when kernels change."""
TARGETS = ("generic", "m0", "m0plus", "m4", "m7", "m33", "m55")


def images(model: bytes, count: int) -> NDArray[Any]:
    """Noise and smooth pictures in turn, so that not all layers saturate."""
    random = np.random.default_rng(3)
    shape = (count, *read_model(model).inputs[0].shape[1:])
    smooth = np.clip(np.cumsum(random.normal(0, 6, shape), axis=1), -128, 127)
    noise = random.integers(-128, 128, shape)
    pick = (np.arange(count) % 2).reshape(-1, *[1] * (len(shape) - 1))
    return np.where(pick, smooth, noise).astype(np.int8)


@pytest.mark.parametrize("name", MODELS)
def test_exact_on_the_host(shared_dir: Path, reference: Any, host_run: Any, tmp_path: Path, name: str) -> None:
    model = (shared_dir / MODELS[name][0]).read_bytes()
    inputs = images(model, 6)
    got = host_run(compile_model(model, "net").files, "net", inputs, tmp_path, "-O2")
    assert np.array_equal(got, reference(model, inputs)[0])


@pytest.mark.parametrize("cpu", ["m0plus", "m4", "m7", "m55"])
def test_exact_emulated(
    shared_dir: Path, reference: Any, emulate: Any, emulated: Any, tmp_path: Path, cpu: str
) -> None:
    models, expected = [], []
    for name, (path, _) in MODELS.items():
        if (cpu, name) == ("m55", "mobilenet"):
            continue  # The board's code memory holds no three models.
        model = (shared_dir / path).read_bytes()
        inputs = images(model, 2)
        expected.append(reference(model, inputs)[0])
        models.append(emulated(compile_model(model, name, cpu).files, name, inputs))
    for got, wanted in zip(emulate(models, cpu, tmp_path, "-O3"), expected, strict=True):
        assert np.array_equal(got, wanted)


def test_vector_stores_keep_their_order_in_one_large_function(
    shared_dir: Path, reference: Any, emulate: Any, emulated: Any, tmp_path: Path
) -> None:
    """GCC 12 moves byte loads above VSTRB.32 where no barrier stops it; see emit/mve.py."""
    model = (shared_dir / MODELS["keywords"][0]).read_bytes()
    inputs = images(model, 2)
    files = compile_model(model, "net", "m55").files
    text = re.sub(r"#define LAYER .*", "#define LAYER inline", files["net.c"])
    text = text.replace("LAYER static void", "LAYER __attribute__((always_inline)) static void")
    files["net.c"] = text.replace("#pragma GCC unroll 1\n", "")
    assert text.count("always_inline") >= 12
    [got] = emulate([emulated(files, "net", inputs)], "m55", tmp_path, "-O3")
    assert np.array_equal(got, reference(model, inputs)[0])


@pytest.mark.parametrize(("name", "target"), COUNTED)
def test_estimates_are_near_what_was_counted(shared_dir: Path, name: str, target: str) -> None:
    compiled = compile_model((shared_dir / MODELS[name][0]).read_bytes(), "net", target)
    estimate = sum(kernel.instructions for kernel in compiled.kernels)
    assert abs(estimate / COUNTED[name, target] - 1) < 0.1


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("name", MODELS)
def test_arena_is_near_its_lower_bound(shared_dir: Path, name: str, target: str) -> None:
    path, goal = MODELS[name]
    compiled = compile_model((shared_dir / path).read_bytes(), "net", target)
    assert compiled.plan.bound <= compiled.plan.size <= min(goal, 1.3 * compiled.plan.bound)


@pytest.mark.parametrize("target", ["generic", "m0plus", "m4", "m55"])
def test_values_that_live_together_lie_apart(random_models: Any, target: str) -> None:
    """A target of each set of kernels: others place the same layers alike."""
    for seed in range(15):
        kinds = ["convolution", "depthwise", "pool", "binary", "comparison", "matrices", "grouped_convolution"]
        layers = [str(n) for n in np.random.default_rng(seed).choice(kinds, 4)]
        compiled = compile_model(random_models(seed).build(layers)[0], "net", target)
        network, plan = compiled.network, compiled.plan
        last = {value.id: len(compiled.kernels) for value in network.outputs}
        for step in reversed(range(len(compiled.kernels))):
            for value in network.layers[step].inputs:
                last.setdefault(value.id, step)
        live = {value.id: value for value in network.inputs}
        for step, kernel in enumerate(compiled.kernels):
            layer = kernel.layer
            live.update({value.id: value for value in layer.outputs})
            spans = [(plan.values[v.id], v.size, v.id) for v in live.values()]
            if kernel.scratch:
                spans.append((plan.scratch[step], kernel.scratch, -1))
            for number, (at, size, one) in enumerate(spans):
                assert at >= 0 and at + size <= plan.size
                for other_at, other_size, other in spans[:number]:
                    if at + size <= other_at or other_at + other_size <= at:
                        continue
                    ids = [value.id for value in layer.inputs]
                    source, output = (one, other) if one in ids else (other, one)
                    assert source in ids and output == layer.output.id and last[source] == step, (seed, step)
                    rule = kernel.overlap(ids.index(source))
                    assert rule != NONE and rule.allows(plan.values[output] - plan.values[source])
            live = {key: value for key, value in live.items() if last.get(key, -1) > step}


def test_code_names_layers_shapes_and_tensors(shared_dir: Path) -> None:
    model = (shared_dir / MODELS["mobilenet"][0]).read_bytes()
    compiled = compile_model(model, "net", "m4")
    text = compiled.files["net.c"]
    for position, layer in enumerate(compiled.network.layers):
        shape = "x".join(map(str, layer.output.shape))
        assert re.search(rf"/\* {position}: {layer.title} [^\n]*-> {shape}", text)
        assert layer.output.name.replace("\\", "/")[:40] in text
    assert "malloc" not in text


def test_the_same_model_gives_the_same_code(shared_dir: Path) -> None:
    model = (shared_dir / MODELS["keywords"][0]).read_bytes()
    assert compile_model(model, "net", "m4").files == compile_model(model, "net", "m4").files
