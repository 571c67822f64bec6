"""Streaming: a convolution, the depthwise layer after it and a pointwise convolution after both, run band by band of rows.

The values between them, often the largest of a network (an expansion to many channels), then exist only as the few rows a
band needs. It costs calls and copies, so layers are streamed only where that makes the arena smaller.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace

from thermo_quantize.compiler.emit.patch import is_direct
from thermo_quantize.compiler.ir import Conv, Depthwise, Layer, Network, Source, Streamed, Value, Window
from thermo_quantize.compiler.memory import Plan

_LEAST_GAIN = 0.97
_SCARCE = 0.8
_BAND_PIXELS = 24


def stream(network: Network, plan: Callable[[Network], Plan]) -> Network:
    """The network with those layers streamed that make the arena smaller, the first of them first."""
    best = plan(network)
    improved = True
    while improved:
        improved = False
        for candidate in _candidates(network, best):
            result = plan(candidate)
            if result.size < _LEAST_GAIN * best.size:
                network, best, improved = candidate, result, True
                break
    return network


def _candidates(network: Network, plan: Plan) -> Iterator[Network]:
    """Networks with one more pair or three streamed, where memory is scarce."""
    scarce = [live > _SCARCE * max(plan.live) for live in plan.live]
    for position, first in enumerate(network.layers[:-1]):
        if not any(scarce[position : position + 3]):
            continue
        if isinstance(first, Conv) and _feeds(network, position):
            second = network.layers[position + 1]
            if isinstance(second, Depthwise) and _streams(first, second):
                pair = _merged(first, second, network)
                if _takes_tail(network, position + 1):
                    yield _with(network, position, _tailed(pair, network.layers[position + 2], network), 3)
                yield _with(network, position, pair, 2)
        if isinstance(first, Streamed) and first.tail is None and _takes_tail(network, position):
            yield _with(network, position, _tailed(first, network.layers[position + 1], network), 2)


def _with(network: Network, position: int, layer: Layer, count: int) -> Network:
    """The network with `count` layers replaced by one."""
    return replace(network, layers=(*network.layers[:position], layer, *network.layers[position + count :]))


def _feeds(network: Network, position: int) -> bool:
    """The layer's output is read by the next layer alone."""
    value = network.layers[position].output
    if position + 1 >= len(network.layers) or network.layers[position + 1].inputs != (value,):
        return False
    return value not in network.outputs and sum(layer.inputs.count(value) for layer in network.layers) == 1


def _streams(first: Conv, second: Depthwise) -> bool:
    single = len(first.sources) == 1 and first.sources[0].up_h == first.sources[0].up_w == 1
    same_image = (first.window.out_h, first.window.out_w) == (second.window.in_h, second.window.in_w)
    return single and same_image and second.window.dilation_h == 1 and _band_rows(second.window) < second.window.out_h


def _takes_tail(network: Network, position: int) -> bool:
    """The layer after this one is a pointwise convolution that can be done band by band."""
    if not _feeds(network, position):
        return False
    tail = network.layers[position + 1]
    return isinstance(tail, Conv) and is_direct(tail) and tail.window.in_h > 1


def _band_rows(window: Window) -> int:
    """Output rows of a band: as few as make calls worth while, dividing the whole."""
    wanted = -(-_BAND_PIXELS // window.out_w)
    divisors = [rows for rows in range(1, window.out_h) if window.out_h % rows == 0]
    return next((rows for rows in divisors if rows >= wanted), divisors[-1] if divisors else window.out_h)


def _fresh(network: Network) -> int:
    inner = [
        part
        for layer in network.layers
        for part in ((layer.row, layer.band, layer.tail) if isinstance(layer, Streamed) else (layer,))
        if part is not None
    ]
    return 1 + max(value.id for layer in (*network.layers, *inner) for value in (*layer.inputs, *layer.outputs))


def _merged(conv: Conv, depthwise: Depthwise, network: Network) -> Streamed:
    window, fresh = depthwise.window, _fresh(network)
    rows_out = _band_rows(window)
    rows = (rows_out - 1) * window.stride_h + window.kernel_h
    width, channels = window.in_w, depthwise.channels_in
    direct = is_direct(conv)
    seen = (1, 1, width, conv.channels_in) if direct else conv.inputs[0].shape
    shapes = [seen, (1, 1, width, channels), (1, rows, width, channels)]
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
        window=Window(1, width, 1, width, 1, 1, 1, 1) if direct else replace(conv.window, out_h=1),
        sources=(Source(0, conv.channels_in),),
    )
    band = replace(
        depthwise,
        inputs=(band_in,),
        outputs=(band_out,),
        window=replace(window, in_h=rows, out_h=rows_out, pad_h=0),
    )
    title = f"{conv.title}_{depthwise.title}"
    return Streamed(conv.index, title, conv.inputs, depthwise.outputs, window, conv.window, row, band)


def _tailed(pair: Streamed, tail: Layer, network: Network) -> Streamed:
    assert isinstance(tail, Conv)
    rows, width, fresh = pair.band.window.out_h, pair.band.window.out_w, _fresh(network) + 4
    values = [
        Value(fresh + n, value.name, (1, rows, width, value.shape[3]), value.type)
        for n, value in enumerate((pair.output, tail.output))
    ]
    band = replace(tail, inputs=(values[0],), outputs=(values[1],), window=Window(rows, width, rows, width, 1, 1, 1, 1))
    return replace(pair, title=f"{pair.title}_{tail.title}", outputs=tail.outputs, tail=band)
