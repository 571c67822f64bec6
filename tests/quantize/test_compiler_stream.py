"""Bottlenecks whose widest values never exist as a whole: streamed, exact, and smaller than those values."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from thermo_quantize.compiler.compile import compile_model
from thermo_quantize.compiler.ir import Streamed


def bottleneck(model_builder: Any, stride: int, kernel: int, padding: int, seed: int, first: int = 1) -> bytes:
    """Expansion of a 20 x 26 image to 24 channels, depthwise layer, 1x1 projection to 5; `first` is 1 or 3: the kernel."""
    random, builder = np.random.default_rng(seed), model_builder()

    def layer(
        name: str, source: int, shape: tuple[int, ...], channels: int, result: tuple[int, ...], **options: Any
    ) -> int:
        axis = 3 if name.startswith("DEPTHWISE") else 0
        weights = builder.tensor(
            shape, [0.01] * channels, 0, random.integers(-127, 128, shape).astype(np.int8), axis=axis
        )
        data = random.integers(-2000, 2000, channels).astype(np.int32)
        bias = builder.tensor((channels,), [0.001] * channels, 0, data, "int32")
        output = builder.tensor(result, 0.3, int(random.integers(-128, 0)))
        options = {"stride_h": 1, "stride_w": 1, "dilation_h": 1, "dilation_w": 1, "activation": 1, **options}
        builder.operator(name, [source, weights, bias], [output], **options)
        return output

    sizes = [(n - kernel) // stride + 1 if padding else -(-n // stride) for n in (20, 26)]
    source = builder.tensor((1, 20, 26, 4), 0.1, 11)
    wide = layer("CONV_2D", source, (24, first, first, 4), 24, (1, 20, 26, 24))
    shape = (1, kernel, kernel, 24)
    steps = {"stride_h": stride, "stride_w": stride, "padding": padding, "depth_multiplier": 1}
    thin = layer("DEPTHWISE_CONV_2D", wide, shape, 24, (1, *sizes, 24), **steps)
    result = layer("CONV_2D", thin, (5, 1, 1, 24), 5, (1, *sizes, 5))
    return builder.build([source], [result])


CASES = [(2, 3, 0), (2, 3, 1), (1, 3, 0), (2, 5, 0), (3, 2, 1), (3, 3, 0)]


@pytest.mark.parametrize(("stride", "kernel", "padding"), CASES)
def test_streamed_pairs_on_the_host(
    model_builder: Any, reference: Any, host_run: Any, tmp_path: Path, stride: int, kernel: int, padding: int
) -> None:
    model = bottleneck(model_builder, stride, kernel, padding, stride)
    inputs = np.random.default_rng(1).integers(-128, 128, (4, 20, 26, 4)).astype(np.int8)
    compiled = compile_model(model, "net")
    if stride > 1:
        assert any(isinstance(layer, Streamed) and layer.tail is not None for layer in compiled.network.layers)
        assert compiled.plan.size < 20 * 26 * 24
    got = host_run(compiled.files, "net", inputs, tmp_path, "-O1 -fsanitize=undefined -fno-sanitize-recover=all")
    assert np.array_equal(got, reference(model, inputs)[0])


@pytest.mark.parametrize("cpu", ["m0plus", "m4", "m55"])
def test_streamed_pairs_emulated(
    model_builder: Any, reference: Any, emulate: Any, emulated: Any, tmp_path: Path, cpu: str
) -> None:
    inputs = np.random.default_rng(1).integers(-128, 128, (2, 20, 26, 4)).astype(np.int8)
    models, expected = [], []
    for number, case in enumerate(CASES):
        model = bottleneck(model_builder, *case, number)
        compiled = compile_model(model, f"net{number}", cpu)
        if case[0] > 1:
            assert any(isinstance(layer, Streamed) for layer in compiled.network.layers)
        models.append(emulated(compiled.files, f"net{number}", inputs))
        expected.append(reference(model, inputs)[0])
    for got, wanted in zip(emulate(models, cpu, tmp_path), expected, strict=True):
        assert np.array_equal(got, wanted)


@pytest.mark.parametrize("target", ["generic", "m0plus", "m4", "m55"])
def test_streamed_from_a_window(
    model_builder: Any, reference: Any, host_run: Any, emulate: Any, emulated: Any, tmp_path: Path, target: str
) -> None:
    """A 3x3 convolution makes the rows; its own input and the last output are nearly all that is kept."""
    inputs = np.random.default_rng(2).integers(-128, 128, (2, 20, 26, 4)).astype(np.int8)
    for stride, kernel, padding in ((1, 3, 0), (2, 3, 0), (2, 5, 1)):
        model = bottleneck(model_builder, stride, kernel, padding, 9, first=3)
        compiled = compile_model(model, "net", target)
        [layer] = compiled.network.layers
        assert isinstance(layer, Streamed) and layer.feed.kernel_h == 3
        assert compiled.plan.size < 20 * 26 * 24
        folder = tmp_path / f"{stride}{kernel}"
        if target == "generic":
            got = host_run(compiled.files, "net", inputs, folder, "-O1 -fsanitize=undefined -fno-sanitize-recover=all")
        else:
            [got] = emulate([emulated(compiled.files, "net", inputs)], target, folder)
        assert np.array_equal(got, reference(model, inputs)[0])
