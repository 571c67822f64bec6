"""Random models of one and of three layers, compiled: every byte as BUILTIN_REF computes it, on the host and emulated."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from compiled_models import STRICT, check_emulated, check_on_host
from random_models import LAYERS, RandomModels

from thermo_core.errors import ModelError
from thermo_core.tflite.verify import verify_model
from thermo_quantize.compiler.compile import compile_model


def three_layers(seed: int) -> list[str]:
    return [str(name) for name in np.random.default_rng(seed).choice(LAYERS, 3)]


@pytest.mark.parametrize("layer", LAYERS)
def test_one_layer_on_the_host(tmp_path: Path, layer: str) -> None:
    for seed in range(6):
        check_on_host(RandomModels, tmp_path, seed, [layer], 6, "-O1")


def test_three_layers_on_the_host_without_undefined_behaviour(tmp_path: Path) -> None:
    for seed in range(1000, 1025):
        check_on_host(RandomModels, tmp_path, seed, three_layers(seed), 6)


@pytest.mark.usefixtures("emulate")
@pytest.mark.parametrize("cpu", ["m0plus", "m4", "m7", "m33", "m55"])
def test_one_layer_emulated(tmp_path: Path, cpu: str) -> None:
    count = {"m0plus": 10, "m4": 10, "m7": 3, "m33": 3, "m55": 10}[cpu]
    plans = [(seed, [layer]) for layer in ("convolution", "depthwise", "dense") for seed in range(2000, 2000 + count)]
    if cpu in ("m4", "m55"):
        rest = (layer for layer in LAYERS if layer not in ("convolution", "depthwise", "dense"))
        plans += [(seed, [layer]) for layer in rest for seed in range(2100, 2104)]
    check_emulated(RandomModels, tmp_path, cpu, plans, 3)


@pytest.mark.usefixtures("emulate")
@pytest.mark.parametrize("cpu", ["m0plus", "m4", "m55"])
def test_three_layers_emulated(tmp_path: Path, cpu: str) -> None:
    count = {"m0plus": 20, "m4": 40, "m55": 25}[cpu]
    plans = [(seed, three_layers(seed)) for seed in range(3000, 3000 + count)]
    check_emulated(RandomModels, tmp_path, cpu, plans, 3)


TRANSPOSED = [(2, 2, 0), (3, 2, 0), (3, 2, 1), (4, 2, 0), (4, 2, 1), (5, 3, 0), (1, 1, 0), (3, 1, 0), (2, 3, 1)]


def transposed(model_builder: Any, kernel: int, stride: int, padding: int) -> bytes:
    """TRANSPOSE_CONV of a 5 x 6 image of 3 channels to 7."""
    random, builder = np.random.default_rng(kernel), model_builder()
    sizes = [(n - 1) * stride + kernel if padding else n * stride for n in (5, 6)]
    source = builder.tensor((1, 5, 6, 3), 0.1, 17)
    data = random.integers(-127, 128, (7, kernel, kernel, 3)).astype(np.int8)
    weights = builder.tensor(data.shape, [0.004 + 0.001 * n for n in range(7)], 0, data)
    result = builder.tensor((1, *sizes, 7), 0.3, -5)
    wanted = builder.tensor((4,), data=np.array([1, *sizes, 7], np.int32), dtype="int32")
    steps = {"padding": padding, "stride_h": stride, "stride_w": stride}
    builder.operator("TRANSPOSE_CONV", [wanted, weights, source], [result], **steps)
    return builder.build([source], [result])


@pytest.mark.parametrize("target", ["generic", "m0plus", "m4", "m55"])
def test_transposed_convolutions(
    model_builder: Any, reference: Any, host_run: Any, emulate: Any, emulated: Any, tmp_path: Path, target: str
) -> None:
    """Kernels that a stride divides and that it does not, outputs cut on either side, and more stride than kernel."""
    inputs = np.random.default_rng(5).integers(-128, 128, (3, 5, 6, 3)).astype(np.int8)
    models = {f"net_{k}{s}{p}": transposed(model_builder, k, s, p) for k, s, p in TRANSPOSED}
    files = {name: compile_model(model, name, target).files for name, model in models.items()}
    if target == "generic":
        results = [host_run(files[name], name, inputs, tmp_path / name, STRICT) for name in models]
    else:
        results = emulate([emulated(files[name], name, inputs) for name in models], target, tmp_path)
    for got, (name, model) in zip(results, models.items(), strict=True):
        assert np.array_equal(got, reference(model, inputs)[0]), name


@pytest.mark.parametrize("target", ["generic", "m0plus", "m4", "m55"])
def test_growing_convolutions_stay_over_their_inputs(
    model_builder: Any, reference: Any, host_run: Any, emulate: Any, emulated: Any, tmp_path: Path, target: str
) -> None:
    """Each doubles the channels; run from the last pixel, the arena is what the last one needs.

    Of that four pixels of 72 products are words for the M0+, which is a quarter of the image.
    """
    random, builder = np.random.default_rng(8), model_builder()
    last = first = builder.tensor((1, 11, 13, 2), 0.1, 3)
    for channels in (2, 4, 8):
        data = random.integers(-127, 128, (2 * channels, 3, 3, channels)).astype(np.int8)
        weights = builder.tensor(data.shape, [0.01] * 2 * channels, 0, data)
        zeros = np.zeros(2 * channels, np.int32)
        bias = builder.tensor(zeros.shape, [0.001] * 2 * channels, 0, zeros, "int32")
        result = builder.tensor((1, 11, 13, 2 * channels), 0.1, -7)
        steps = {"stride_h": 1, "stride_w": 1, "dilation_h": 1, "dilation_w": 1}
        builder.operator("CONV_2D", [last, weights, bias], [result], **steps)
        last = result
    model = builder.build([first], [last])
    inputs = random.integers(-128, 128, (3, 11, 13, 2)).astype(np.int8)
    compiled = compile_model(model, "net", target)
    limit = 1.5 if target == "m0plus" else 1.35
    assert compiled.plan.size <= 1.02 * compiled.plan.bound < limit * 11 * 13 * 16
    if target == "generic":
        got = host_run(compiled.files, "net", inputs, tmp_path, STRICT)
    else:
        [got] = emulate([emulated(compiled.files, "net", inputs)], target, tmp_path)
    assert np.array_equal(got, reference(model, inputs)[0])


def resized(model_builder: Any, size: tuple[int, int], result: tuple[int, ...], half: bool) -> bytes:
    builder = model_builder()
    source = builder.tensor((1, *size, 1), 0.1, 3)
    sizes = builder.tensor((2,), data=np.array(result, np.int32), dtype="int32")
    output = builder.tensor((1, *result, 1), 0.1, 3)
    builder.operator("RESIZE_BILINEAR", [source, sizes], [output], align_corners=0, half_pixel_centers=int(half))
    return builder.build([source], [output])


@pytest.mark.parametrize("sizes", [(32_768, 2), (32_769, 2), (40_000, 2), (2, 40_000)])
def test_an_image_resized_beyond_16_bits_of_rows(
    model_builder: Any, reference: Any, host_run: Any, tmp_path: Path, sizes: Any
) -> None:
    """Tables of places are as wide as the largest place in them."""
    model = resized(model_builder, sizes, sizes, half=True)
    inputs = np.random.default_rng(3).integers(-128, 128, (2, *sizes, 1)).astype(np.int8)
    got = host_run(compile_model(model, "net").files, "net", inputs, tmp_path, STRICT)
    assert np.array_equal(got, reference(model, inputs)[0])


@pytest.mark.parametrize(
    ("size", "result", "cure"),
    [((40_000, 2), (40_005, 2), 40_000), ((3, 40_000), (3, 40_005), 40_000), ((2, 5), (700, 5), 683)],
)
def test_a_resize_for_which_the_runtime_leaves_its_input_is_refused(
    model_builder: Any, size: Any, result: Any, cure: int
) -> None:
    """Steps are rounded to 1/1024 of a row: 700 steps of 3/1024 are 2.05 rows, where there are two."""
    model = resized(model_builder, size, result, half=False)
    for check in (verify_model, lambda model: compile_model(model, "net")):
        with pytest.raises(ModelError, match=f"reads beyond its input.* resize to {cure}"):
            check(model)
    cured = tuple(cure if new != old else old for old, new in zip(size, result, strict=True))
    verify_model(resized(model_builder, size, cured, half=False))
