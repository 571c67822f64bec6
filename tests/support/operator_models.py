"""Operators for the random models of tests/quantize/conftest.py, beyond those it has itself: a function a kind, in OPERATORS.

Each takes a `RandomModels` and the tensor to start from, appends operators, and gives the tensor that comes out.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

Models = Any
"""tests/quantize/conftest.py: RandomModels"""


def _same(random: Models, name: str, inputs: list[int], shape: tuple[int, ...], source: int, **options: float) -> int:
    """An operator whose output is quantised as its source is."""
    output = random.activation(shape, like=source)
    random.builder.operator(name, inputs, [output], **options)
    return int(output)


def _whole(random: Models, values: list[Any]) -> int:
    """A constant int32 tensor of any rank."""
    array = np.array(values, np.int32)
    return int(random.builder.tensor(array.shape, data=array, dtype="int32"))


def _copies(random: Models, source: int, axis: int, count: int) -> int:
    """The source `count` times along an axis."""
    shape = tuple(size * (count if n == axis else 1) for n, size in enumerate(random.shapes[source]))
    return _same(random, "CONCATENATION", [source] * count, shape, source, axis=axis)


def _image(random: Models, source: int) -> int:
    """The source as an image."""
    shape = random.shapes[source]
    if len(shape) == 4:
        return source
    wanted = (1, 1, int(np.prod(shape)) // shape[-1], shape[-1])
    return _same(random, "RESHAPE", [source, random.integers(list(wanted))], wanted, source)


def reshaping(random: Models, source: int) -> int:
    """EXPAND_DIMS, then SQUEEZE of all or of some of the axes that are one."""
    shape = random.shapes[source]
    rank = len(shape)
    axis = random.pick(-rank - 1, rank) if rank < 4 else random.pick(-rank, rank - 1)
    if rank < 4:
        wider = list(shape)
        wider.insert(axis % (rank + 1), 1)
        source = _same(random, "EXPAND_DIMS", [source, random.integers([axis])], tuple(wider), source)
    shape = random.shapes[source]
    ones = [n for n, size in enumerate(shape) if size == 1]
    chosen = sorted(n for n in ones if random.rng.random() < 0.6)
    if len(shape) - len(chosen or ones) < 1:
        chosen = ones[:-1]
    gone = chosen or ones
    dims = [n - len(shape) if random.rng.random() < 0.3 else n for n in chosen]
    rest = tuple(size for n, size in enumerate(shape) if n not in gone)
    if not rest or not gone:
        return source
    output = random.activation(rest, like=source)
    random.builder.operator("SQUEEZE", [source], [output], squeeze_dims=dims)
    return int(output)


def packing(random: Models, source: int) -> int:
    """UNPACK along an axis, and PACK of the parts in another order, or PACK of the source with itself and a slice of that."""
    shape = random.shapes[source]
    rank = len(shape)
    axis = random.pick(-rank, rank - 1)
    parts = shape[axis]
    if parts <= 6 and rank > 1:
        piece = tuple(size for n, size in enumerate(shape) if n != axis % rank)
        pieces = [random.activation(piece, like=source) for _ in range(parts)]
        random.builder.operator("UNPACK", [source], pieces, num=parts, axis=axis)
        order = [pieces[n] for n in random.rng.permutation(parts)]
        place = random.pick(-rank, rank - 1)
        packed = list(piece)
        packed.insert(place % rank, parts)
        return _same(random, "PACK", order, tuple(packed), source, values_count=parts, axis=place)
    if rank > 3:
        return _copies(random, source, axis % rank, 2)
    place = random.pick(-rank - 1, rank)
    packed = list(shape)
    packed.insert(place % (rank + 1), 2)
    return _same(random, "PACK", [source, source], tuple(packed), source, values_count=2, axis=place)


def blocks(random: Models, source: int) -> int:
    """DEPTH_TO_SPACE or SPACE_TO_DEPTH."""
    source = _image(random, source)
    size = random.pick(2, 3)
    _, rows, columns, channels = random.shapes[source]
    if random.rng.random() < 0.5:
        source = _copies(random, source, 3, size * size)
        shape = (1, rows * size, columns * size, channels)
        return _same(random, "DEPTH_TO_SPACE", [source], shape, source, block_size=size)
    source = _copies(random, _copies(random, source, 1, size), 2, size)
    shape = (1, rows, columns, channels * size * size)
    return _same(random, "SPACE_TO_DEPTH", [source], shape, source, block_size=size)


def batches(random: Models, source: int) -> int:
    """SPACE_TO_BATCH_ND and BATCH_TO_SPACE_ND, as converters write dilated convolutions."""
    source = _image(random, source)
    _, rows, columns, channels = random.shapes[source]
    block = [random.pick(1, 3), random.pick(1, 3)]
    pads = []
    for size, step in zip((rows, columns), block, strict=True):
        before = random.pick(0, 2)
        pads.append([before, -(size + before) % step])
    sizes = [(n + sum(pad)) // step for n, pad, step in zip((rows, columns), pads, block, strict=True)]
    shape = (block[0] * block[1], *sizes, channels)
    blocked = _same(random, "SPACE_TO_BATCH_ND", [source, random.integers(block), _whole(random, pads)], shape, source)
    whole = [n + sum(pad) for n, pad in zip((rows, columns), pads, strict=True)]
    crops = [[random.pick(0, min(1, n - 1)), 0] for n in whole]
    left = tuple(n - sum(crop) for n, crop in zip(whole, crops, strict=True))
    inputs = [blocked, random.integers(block), _whole(random, crops)]
    return _same(random, "BATCH_TO_SPACE_ND", inputs, (1, *left, channels), source)


def copying(random: Models, source: int) -> int:
    """TILE, REVERSE_V2, MIRROR_PAD, GATHER or SLICE."""
    shape = random.shapes[source]
    rank = len(shape)
    kind = random.pick(0, 4)
    axis = random.pick(1, rank - 1) if rank > 1 else 0
    if kind == 0:
        times = [1 if n == 0 else random.pick(1, 2) for n in range(rank)]
        sizes = tuple(n * m for n, m in zip(shape, times, strict=True))
        return _same(random, "TILE", [source, random.integers(times)], sizes, source)
    if kind == 1:
        return _same(random, "REVERSE_V2", [source, random.integers([axis])], shape, source)
    if kind == 2:
        mode = random.pick(0, 1)
        widths = [
            [0, 0] if n == 0 else [random.pick(0, min(2, size - 1 + mode)), random.pick(0, min(2, size - 1 + mode))]
            for n, size in enumerate(shape)
        ]
        sizes = tuple(size + sum(pair) for size, pair in zip(shape, widths, strict=True))
        return _same(random, "MIRROR_PAD", [source, _whole(random, widths)], sizes, source, mode=mode)
    if kind == 3:
        places = random.rng.integers(0, shape[axis], random.pick(1, 5)).tolist()
        sizes = tuple(len(places) if n == axis else size for n, size in enumerate(shape))
        return _same(
            random, "GATHER", [source, random.integers(places)], sizes, source, axis=axis - rank * random.pick(0, 1)
        )
    begin = [random.pick(0, size - 1) for size in shape]
    sizes = tuple(random.pick(1, size - at) for size, at in zip(shape, begin, strict=True))
    said = [
        -1 if at + n == size and random.rng.random() < 0.5 else n
        for size, at, n in zip(shape, begin, sizes, strict=True)
    ]
    return _same(random, "SLICE", [source, random.integers(begin), random.integers(said)], tuple(sizes), source)


def reduction(random: Models, source: int) -> int:
    """REDUCE_MAX, REDUCE_MIN or SUM."""
    shape = random.shapes[source]
    name = str(random.rng.choice(["REDUCE_MAX", "REDUCE_MIN", "SUM"]))
    axes = sorted(random.rng.choice(len(shape), random.pick(1, min(3, len(shape))), replace=False).tolist())
    if random.rng.random() < 0.5 and len(shape) == 4:
        axes = [1, 2]
    keep = random.rng.random() < 0.5 or len(shape) - len(axes) < 2
    result = tuple(1 if n in axes else size for n, size in enumerate(shape) if keep or n not in axes)
    axes = [n - len(shape) if random.rng.random() < 0.3 else n for n in axes]
    if name == "SUM" and random.rng.random() < 0.8:
        count = int(np.prod(shape)) // int(np.prod(result))
        output = random.activation(
            result, scale=float(np.float32(random.scales[source][0] * count**0.5 * random.real(0.5, 2)))
        )
    else:
        output = random.activation(result, like=source)
    random.builder.operator(name, [source, random.integers(axes)], [output], keep_dims=keep)
    return int(output)


def _other(random: Models, shape: tuple[int, ...], pair: tuple[float, int]) -> int:
    """A constant that spreads to a shape."""
    small = tuple(1 if random.rng.random() < 0.4 else n for n in shape)[random.pick(0, len(shape) - 1) :]
    data = random.rng.integers(-128, 128, small).astype(np.int8)
    other = random.builder.tensor(small, *pair, data)
    random.scales[other] = pair
    return int(other)


def comparison(random: Models, source: int) -> int:
    """MAXIMUM or MINIMUM with a constant, or with another function of the source."""
    other = _other(random, random.shapes[source], random.scales[source])
    if random.rng.random() < 0.3:
        other = _same(random, "RELU", [source], random.shapes[source], source)
    inputs = [source, other] if random.rng.random() < 0.5 else [other, source]
    return _same(random, str(random.rng.choice(["MAXIMUM", "MINIMUM"])), inputs, random.shapes[source], source)


def slopes(random: Models, source: int) -> int:
    """PRELU, with a slope a channel, an element or one for all."""
    shape = random.shapes[source]
    alpha = _other(random, shape[1:] if len(shape) > 1 else shape, (random.real(0.001, 0.02), random.pick(-128, 127)))
    output = random.activation(shape, scale=float(np.float32(random.scales[source][0] * random.real(0.5, 2.0))))
    random.builder.operator("PRELU", [source, alpha], [output])
    return int(output)


def difference(random: Models, source: int) -> int:
    """SQUARED_DIFFERENCE."""
    shape = random.shapes[source]
    other = _other(random, shape, (random.real(0.01, 0.1), random.pick(-20, 20)))
    larger = max(random.scales[source][0], random.scales[other][0])
    output = random.activation(shape, scale=float(np.float32(larger**2 * random.real(20, 200))))
    inputs = [source, other] if random.rng.random() < 0.5 else [other, source]
    random.builder.operator("SQUARED_DIFFERENCE", inputs, [output])
    return int(output)


def functions(random: Models, source: int) -> int:
    """GELU in both forms, ABS, EXP or RSQRT (of what cannot be negative)."""
    shape = random.shapes[source]
    name = str(random.rng.choice(["GELU", "GELU", "ABS", "EXP", "RSQRT"]))
    factor, zero_point = random.scales[source]
    largest = np.exp(min(8.0, factor * (127 - zero_point)))
    if name == "RSQRT":
        positive = random.builder.tensor(shape, factor, -128)
        random.builder.operator("QUANTIZE", [source], [positive])
        source = int(positive)
    scale = {"EXP": largest / 150, "RSQRT": 1 / (255 * factor) ** 0.5}.get(name, factor) * random.real(0.3, 2.0)
    output = random.activation(
        shape, scale=factor if name == "ABS" and random.rng.random() < 0.4 else float(np.float32(scale))
    )
    random.builder.operator(name, [source], [output], approximate=random.pick(0, 1))
    return int(output)


def float_functions(random: Models, source: int) -> int:
    """DEQUANTIZE, NEG, ABS, SQUARE, and SQRT or RSQRT of that, QUANTIZE: functions converters leave in single precision."""
    shape = random.shapes[source]
    real = random.builder.tensor(shape, dtype="float32")
    random.builder.operator("DEQUANTIZE", [source], [real])
    for name in random.rng.choice(["NEG", "ABS", "SQUARE"], random.pick(1, 2)):
        after = random.builder.tensor(shape, dtype="float32")
        random.builder.operator(str(name), [real], [after])
        real = after
    output = random.activation(shape, scale=float(np.float32(random.scales[source][0] * random.real(0.5, 20.0))))
    random.builder.operator("QUANTIZE", [real], [output])
    return int(output)


def normalisation(random: Models, source: int) -> int:
    """L2_NORMALIZATION along the last axis."""
    shape = random.shapes[source]
    output = random.builder.tensor(shape, 1 / 128, 0)
    random.scales[output], random.shapes[output] = (1 / 128, 0), shape
    random.builder.operator("L2_NORMALIZATION", [source], [output])
    return int(output)


def matrices(random: Models, source: int) -> int:
    """BATCH_MATMUL of the source with a function of itself, turned or not."""
    shape = random.shapes[source]
    if len(shape) < 2:
        return source
    turned = [bool(random.pick(0, 1)), bool(random.pick(0, 1))]
    rows, columns = shape[-2:]
    if turned[0] == turned[1]:
        order = [*range(len(shape) - 2), len(shape) - 1, len(shape) - 2]
        swapped = (*shape[:-2], columns, rows)
        other = _same(random, "TRANSPOSE", [source, random.integers(order)], swapped, source)
    else:
        other = _same(random, "RELU", [source], shape, source)
    first = shape if not turned[0] else (*shape[:-2], columns, rows)
    size = first[-2]
    factor = random.scales[source][0] ** 2
    output = random.activation((*shape[:-2], size, size), scale=float(np.float32(factor * 90 * first[-1] ** 0.5)))
    random.builder.operator("BATCH_MATMUL", [source, other], [output], adjoint_x=turned[0], adjoint_y=turned[1])
    return int(output)


def grouped_convolution(random: Models, source: int) -> int:
    """CONV_2D in groups."""
    source = _image(random, source)
    groups = random.pick(2, 3)
    source = _copies(random, source, 3, groups)
    _, rows, columns, channels_in = random.shapes[source]
    padding, kh, kw, sh, sw, dh, dw = random._conv_sizes(source)
    channels, depth = groups * random.pick(1, 4), kh * kw * (channels_in // groups)
    shape = (channels, kh, kw, channels_in // groups)
    weights, bias, scale = random._weights(source, shape, channels, 0, depth, True)
    sizes = random._out(rows, padding, kh, sh, dh), random._out(columns, padding, kw, sw, dw)
    output = random.activation((1, *sizes, channels), scale=scale)
    options = {"padding": padding, "stride_h": sh, "stride_w": sw, "dilation_h": dh, "dilation_w": dw}
    random.builder.operator(
        "CONV_2D", [source, weights, bias], [output], activation=int(random.rng.choice([0, 1, 3])), **options
    )
    return int(output)


OPERATORS: dict[str, Callable[[Models, int], int]] = {
    "reshaping": reshaping,
    "packing": packing,
    "blocks": blocks,
    "batches": batches,
    "copying": copying,
    "reduction": reduction,
    "comparison": comparison,
    "slopes": slopes,
    "difference": difference,
    "functions": functions,
    "float_functions": float_functions,
    "normalisation": normalisation,
    "matrices": matrices,
    "grouped_convolution": grouped_convolution,
}
