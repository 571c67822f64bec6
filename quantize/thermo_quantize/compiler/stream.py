"""Streaming: a pointwise convolution and the depthwise layer after it, run band by band of rows.

The values between them, often the largest of a network, then exist only as the few rows a band needs. It costs calls and
copies, so a pair is streamed only where that makes the arena smaller.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace

from thermo_quantize.compiler.emit.patch import is_direct
from thermo_quantize.compiler.ir import Conv, Depthwise, Network, Source, Streamed, Value, Window
from thermo_quantize.compiler.memory import Plan

_LEAST_GAIN = 0.97
_BAND_PIXELS = 24


def stream(network: Network, plan: Callable[[Network], Plan]) -> Network:
    """The network with those pairs streamed that make the arena smaller, the largest values first."""
    best = plan(network)
    improved = True
    while improved:
        improved = False
        for position in _pairs(network, best):
            candidate = _merged(network, position)
            result = plan(candidate)
            if result.size < _LEAST_GAIN * best.size:
                network, best, improved = candidate, result, True
                break
    return network


def _pairs(network: Network, plan: Plan) -> Iterator[int]:
    """Positions of convolutions that could be streamed into the next layer and are where memory is scarcest."""
    scarce = [live > _LEAST_GAIN * max(plan.live) for live in plan.live]
    for position, (first, second) in enumerate(zip(network.layers, network.layers[1:], strict=False)):
        if not isinstance(first, Conv) or not isinstance(second, Depthwise) or not any(scarce[position : position + 2]):
            continue
        value = first.output
        if second.inputs != (value,) or value in network.outputs or not is_direct(first):
            continue
        if sum(layer.inputs.count(value) for layer in network.layers) != 1 or second.window.dilation_h != 1:
            continue
        same_image = (first.window.out_h, first.window.out_w) == (second.window.in_h, second.window.in_w)
        if same_image and _band_rows(second.window) < second.window.out_h:
            yield position


def _band_rows(window: Window) -> int:
    """Output rows of a band: as few as make calls worth while, dividing the whole."""
    wanted = -(-_BAND_PIXELS // window.out_w)
    divisors = [rows for rows in range(1, window.out_h) if window.out_h % rows == 0]
    return next((rows for rows in divisors if rows >= wanted), divisors[-1] if divisors else window.out_h)


def _merged(network: Network, position: int) -> Network:
    conv, depthwise = network.layers[position], network.layers[position + 1]
    assert isinstance(conv, Conv) and isinstance(depthwise, Depthwise)
    window = depthwise.window
    rows_out = _band_rows(window)
    rows = (rows_out - 1) * window.stride_h + window.kernel_h
    width, channels = window.in_w, depthwise.channels_in
    fresh = 1 + max(value.id for layer in network.layers for value in (*layer.inputs, *layer.outputs))
    shapes = [(1, 1, width, conv.channels_in), (1, 1, width, channels), (1, rows, width, channels)]
    shapes.append((1, rows_out, window.out_w, depthwise.channels_out))
    names = (conv.inputs[0].name, conv.output.name, conv.output.name, depthwise.output.name)
    row_in, row_out, band_in, band_out = (
        Value(fresh + n, name, shape, conv.output.type)
        for n, (name, shape) in enumerate(zip(names, shapes, strict=True))
    )
    row = replace(
        conv,
        inputs=(row_in,),
        outputs=(row_out,),
        window=Window(1, width, 1, width, 1, 1, 1, 1),
        sources=(Source(0, conv.channels_in),),
    )
    band = replace(
        depthwise,
        inputs=(band_in,),
        outputs=(band_out,),
        window=replace(window, in_h=rows, out_h=rows_out, pad_h=0),
    )
    title = f"{conv.title}_{depthwise.title}"
    merged = Streamed(conv.index, title, conv.inputs, depthwise.outputs, window, row, band)
    layers = (*network.layers[:position], merged, *network.layers[position + 2 :])
    return replace(network, layers=layers)
