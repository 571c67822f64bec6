"""The M0+'s two pixels a word: sums at their limits, and requantisation that says itself where it is not sure."""

import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from examples import few
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from thermo_quantize.compiler.compile import Compiled, compile_model
from thermo_quantize.compiler.emit.packed import PackedRequant, packed_requant
from thermo_quantize.compiler.fixed_point import clamp, scale
from thermo_quantize.compiler.ir import Requant
from thermo_quantize.compiler.targets import TARGETS


def short_way(fast: PackedRequant, channel: int, accumulator: int) -> int | None:
    """What the kernels do with an accumulator, instruction by instruction; None where they go the exact way."""
    _, low_end, span, coarse, _ = fast.rows[channel]
    above = accumulator - low_end
    if above % (1 << 32) > span:
        return fast.low if above < 0 else fast.high
    u = (accumulator * coarse + fast.base) % (1 << 32)
    if (u << 8) % (1 << 32) <= fast.window:
        return None
    return (u >> 24) - (256 if u >> 31 else 0)


@few(50, of=150)
@given(
    multiplier=st.integers(1 << 30, (1 << 31) - 1) | st.sampled_from([1 << 30, (1 << 31) - 1]),
    exponent=st.integers(-13, -4),
    zero_point=st.integers(-128, 127),
    limits=st.lists(st.integers(-128, 127), min_size=2, max_size=2) | st.just([-128, 127]),
    seed=st.integers(0, 1000),
)
def test_the_short_way_is_never_wrong(
    multiplier: int, exponent: int, zero_point: int, limits: list[int], seed: int
) -> None:
    """Any accumulator, those around each change of the result among them."""
    low, high = sorted(limits)
    requant = Requant((multiplier,), (exponent,), zero_point, low, high)
    fast = packed_requant(requant, np.full((1, 4), 127, np.int8), np.array([1000]))
    if fast is None:
        assert exponent in (-4, -5, -6, -12, -13) or high - low < 2
        return
    rng = np.random.default_rng(seed)
    step = 2.0**31 / multiplier * 2.0**-exponent
    changes = ((np.arange(-129, 129) + 0.5 - zero_point) * step).astype(np.int64)
    near = (changes[:, None] + np.arange(-3, 4)).ravel()
    anywhere = rng.integers(-int(300 * step), int(300 * step), 2000)
    far = rng.integers(-(1 << 30), 1 << 30, 50)
    unsure = 0
    for accumulator in (*near.tolist(), *anywhere.tolist(), *far.tolist()):
        wanted = clamp(scale(accumulator, multiplier, exponent) + zero_point, low, high)
        found = short_way(fast, 0, accumulator)
        assert found is None or found == wanted, accumulator
    for accumulator in anywhere.tolist():
        unsure += short_way(fast, 0, accumulator) is None
    assert unsure <= 1.5 * fast.slow * len(anywhere) + 30


FIRMWARES = "-std=c11 -Wall -Wextra -Wpedantic -Werror -Wshadow -Wconversion -Wdouble-promotion -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wundef"
"""What the firmware asks of the C that it builds in."""


def layers(model_builder: Any, weights: NDArray[np.int8], size: tuple[int, int], zero_point: int) -> bytes:
    """A convolution of one pixel each, then a depthwise layer, with these weights: (channels, products) and (channels, 3, 3)."""
    builder = model_builder()
    channels, depth = weights.shape
    source = builder.tensor((1, *size, depth), 0.05, zero_point)
    kernel = builder.tensor((channels, 1, 1, depth), [0.01] * channels, 0, weights.reshape(channels, 1, 1, depth))
    zeros = np.zeros(channels, np.int32)
    bias = builder.tensor(zeros.shape, [0.0005] * channels, 0, zeros, "int32")
    between = builder.tensor((1, *size, channels), 0.05 * 0.01 * 127 * depth, 3)
    builder.operator("CONV_2D", [source, kernel, bias], [between], stride_h=1, stride_w=1, dilation_h=1, dilation_w=1)
    taps = np.resize(weights, (1, 3, 3, channels))
    row = builder.tensor(taps.shape, [0.01] * channels, 0, taps, axis=3)
    other = builder.tensor(zeros.shape, [0.0005] * channels, 0, zeros, "int32")
    result = builder.tensor((1, *size, channels), 0.05 * 0.01 * 127 * depth * 4, -7)
    steps = {"stride_h": 1, "stride_w": 1, "dilation_h": 1, "dilation_w": 1, "depth_multiplier": 1}
    builder.operator("DEPTHWISE_CONV_2D", [between, row, other], [result], **steps)
    return bytes(builder.build([source], [result]))


def kinds(compiled: Compiled) -> list[str]:
    return [type(kernel).__name__ for kernel in compiled.kernels]


@pytest.mark.parametrize("size", [(4, 4), (3, 5), (1, 1), (1, 2), (5, 1), (7, 3)])
def test_products_at_their_limits(
    model_builder: Any, reference: Any, emulate: Any, emulated: Any, tmp_path: Path, size: tuple[int, int]
) -> None:
    """Inputs of -128 and 127 with weights of +-127 and -128: sums of two products that fill 16 bits. Blocks of all sizes."""
    rng = np.random.default_rng(size[0])
    models, inputs = [], []
    for number, depth in enumerate((1, 2, 7, 16)):
        weights = rng.choice(np.array([-127, 127, -127, 126, 0], np.int8), (9 + number, depth))
        models.append(layers(model_builder, weights, size, (-128, 127, 0, 5)[number]))
        inputs.append(rng.choice(np.array([-128, 127, -127], np.int8), (3, *size, depth)))
    compiled = [compile_model(model, f"net{n}", "m0plus") for n, model in enumerate(models)]
    assert {kind for one in compiled for kind in kinds(one)} <= {
        "PackedConv",
        "PackedDense",
        "PackedDepthwise",
        "StreamedKernel",
    }
    boards = [emulated(one.files, f"net{n}", inputs[n]) for n, one in enumerate(compiled)]
    for number, got in enumerate(emulate(boards, "m0plus", tmp_path)):
        assert np.array_equal(got, reference(models[number], inputs[number])[0]), number


def test_weights_that_do_not_fit_in_pairs_go_the_plain_way(
    model_builder: Any, reference: Any, emulate: Any, emulated: Any, tmp_path: Path
) -> None:
    """-128 twice times -128 is one more than 16 bits hold; no converter makes such weights, but a file may have them."""
    model = layers(model_builder, np.full((8, 4), -128, np.int8), (4, 4), 0)
    compiled = compile_model(model, "net", "m0plus")
    assert kinds(compiled) == ["PlainConv", "PlainDepthwise"]
    inputs = np.full((1, 4, 4, 4), -128, np.int8)
    [got] = emulate([emulated(compiled.files, "net", inputs)], "m0plus", tmp_path)
    assert np.array_equal(got, reference(model, inputs)[0])


@pytest.mark.usefixtures("emulate")
@pytest.mark.parametrize("size", [(3, 5), (1, 1)])
def test_no_warning_of_the_firmwares(model_builder: Any, tmp_path: Path, size: tuple[int, int]) -> None:
    """Of convolutions, depthwise and dense layers."""
    weights = np.random.default_rng(1).integers(-127, 128, (9, 7)).astype(np.int8)
    for name, text in compile_model(layers(model_builder, weights, size, 5), "net", "m0plus").files.items():
        (tmp_path / name).write_text(text)
    command = ["arm-none-eabi-gcc", *TARGETS["m0plus"].flags.split(), *FIRMWARES.split(), "-O2", "-c", "net.c"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
