"""Rules of the operators that cut, join, repeat and turn tensors round (see `operators`)."""

import math
from collections.abc import Sequence

import numpy as np

from thermo_core.tflite.reader import Tensor
from thermo_core.tflite.scope import FLOAT32, INT8, INT16, MAX_WINDOW, Scope

_TYPES = (FLOAT32, INT8, INT16)
_NO_INT16 = frozenset({"DEPTH_TO_SPACE", "SPACE_TO_DEPTH", "TILE"})
"""Operators whose kernels move no int16."""
_MAX_PARTS = 64
_MAX_RANK = 5


def _kept(scope: Scope, source: Tensor, out: Tensor) -> None:
    """Type and scale of the input are those of the output."""
    scope.computed(source, _TYPES[:2] if scope.operator.name in _NO_INT16 else _TYPES)
    scope.same_type(source, out)
    scope.same_scale(source, out)


def _axis(scope: Scope, axis: int, rank: int) -> int:
    scope.check(1 <= rank <= _MAX_RANK and -rank <= axis < rank, f"names axis {axis} of {rank}")
    return axis % rank


def _moved(scope: Scope, constants: int) -> tuple[Tensor, list[Tensor], Tensor]:
    """(input, so many constants, output) of an operator that moves elements."""
    inputs, out = scope.tensors(1 + constants)
    _kept(scope, inputs[0], out)
    scope.check(1 <= len(inputs[0].shape) <= _MAX_RANK, f"takes no {inputs[0].label} of shape {list(inputs[0].shape)}")
    return inputs[0], inputs[1:], out


def pack(scope: Scope) -> int:
    """Tensors side by side along a new axis."""
    inputs, out = scope.tensors(1, _MAX_PARTS)
    scope.check(scope.option("values_count") == len(inputs), f"is told of {scope.option('values_count')} inputs")
    place = _axis(scope, scope.option("axis"), len(inputs[0].shape) + 1)
    for tensor in inputs:
        _kept(scope, tensor, out)
        scope.shape(out, [*tensor.shape[:place], len(inputs), *tensor.shape[place:]])
    return 0


def unpack(scope: Scope) -> int:
    """Slices along an axis, each as a tensor."""
    operator = scope.operator
    scope.check(len(operator.inputs) == 1 and operator.inputs[0] is not None, "has not one input")
    source = operator.inputs[0]
    assert source is not None
    parts = len(operator.outputs)
    place = _axis(scope, scope.option("axis"), len(source.shape))
    scope.check(
        1 <= parts <= _MAX_PARTS and parts == scope.option("num") == source.shape[place], f"has {parts} outputs"
    )
    for out in operator.outputs:
        _kept(scope, source, out)
        scope.shape(out, [size for n, size in enumerate(source.shape) if n != place])
    return 0


def squeeze(scope: Scope) -> int:
    """Axes of one, taken away."""
    (source,), out = scope.tensors(1)
    _kept(scope, source, out)
    rank, said = len(source.shape), scope.operator.lists["squeeze_dims"]
    scope.check(
        rank <= _MAX_RANK and all(-rank <= axis < rank for axis in said), f"removes axes {list(said)} of {rank}"
    )
    gone = {axis % rank for axis in said} or {n for n, size in enumerate(source.shape) if size == 1}
    scope.check(all(source.shape[axis] == 1 for axis in gone), f"removes axes {sorted(gone)} of {list(source.shape)}")
    scope.shape(out, [size for n, size in enumerate(source.shape) if n not in gone])
    return 0


def _block(scope: Scope, small: Tensor, image: Tensor) -> int:
    """Block size, where `small` has the image's blocks as channels."""
    _kept(scope, small, image)
    for tensor in (small, image):
        scope.rank(tensor, 4)
    size = scope.option("block_size")
    scope.check(1 <= size <= MAX_WINDOW, f"has blocks of {size}")
    return size


def depth_to_space(scope: Scope) -> int:
    """Channels as blocks of pixels."""
    (source,), out = scope.tensors(1)
    size = _block(scope, source, out)
    samples, rows, columns, channels = source.shape
    scope.check(channels % (size * size) == 0, f"has {channels} channels for blocks of {size}")
    scope.shape(out, (samples, rows * size, columns * size, channels // (size * size)))
    return 0


def space_to_depth(scope: Scope) -> int:
    """Blocks of pixels as channels."""
    (source,), out = scope.tensors(1)
    size = _block(scope, out, source)
    samples, rows, columns, channels = source.shape
    scope.check(rows % size == 0 == columns % size, f"has {rows} x {columns} values for blocks of {size}")
    scope.shape(out, (samples, rows // size, columns // size, channels * size * size))
    return 0


def _blocks(scope: Scope, source: Tensor, constants: Sequence[Tensor]) -> tuple[list[int], list[tuple[int, int]]]:
    """Block sizes of the axes between the first and the last, and what is added or cut before and after each."""
    count = len(source.shape) - 2
    scope.check(count in (1, 2), f"takes no {source.label} of shape {list(source.shape)}")
    scope.check(constants[0].shape == (count,) and constants[1].shape == (count, 2), "has blocks of another rank")
    block, edges = scope.integers(constants[0]), scope.integers(constants[1])
    scope.check(all(1 <= size <= MAX_WINDOW for size in block), f"has blocks of {block}")
    scope.check(all(0 <= edge <= MAX_WINDOW for edge in edges), f"pads or cuts by {edges}")
    return block, list(zip(edges[::2], edges[1::2], strict=True))


def space_to_batch(scope: Scope) -> int:
    """Pixels of a block as samples, after padding."""
    source, constants, out = _moved(scope, 2)
    block, pads = _blocks(scope, source, constants)
    sizes = [size + sum(pad) for size, pad in zip(source.shape[1:-1], pads, strict=True)]
    scope.check(
        all(n % step == 0 for n, step in zip(sizes, block, strict=True)), f"has {sizes} values for blocks of {block}"
    )
    whole = [n // step for n, step in zip(sizes, block, strict=True)]
    scope.shape(out, (source.shape[0] * math.prod(block), *whole, source.shape[-1]))
    return 0


def batch_to_space(scope: Scope) -> int:
    """Samples as pixels of a block, cut to size."""
    source, constants, out = _moved(scope, 2)
    block, crops = _blocks(scope, source, constants)
    many = math.prod(block)
    scope.check(source.shape[0] % many == 0, f"has {source.shape[0]} samples for blocks of {block}")
    sizes = [n * step - sum(crop) for n, step, crop in zip(source.shape[1:-1], block, crops, strict=True)]
    scope.check(min(sizes) >= 1, f"cuts {crops} from too little")
    scope.shape(out, (source.shape[0] // many, *sizes, source.shape[-1]))
    return 0


def tile(scope: Scope) -> int:
    """A tensor over and over along each axis."""
    source, (times,), out = _moved(scope, 1)
    many = scope.integers(times)
    scope.check(
        times.shape == (len(source.shape),) and all(1 <= n <= MAX_WINDOW for n in many), f"repeats {many} times"
    )
    scope.shape(out, [size * n for size, n in zip(source.shape, many, strict=True)])
    return 0


def slice_(scope: Scope) -> int:
    """A part of each axis."""
    source, constants, out = _moved(scope, 2)
    for tensor in constants:
        scope.check(tensor.shape == (len(source.shape),), "slices another number of axes than it has")
    shape = []
    for size, begin, count in zip(source.shape, *map(scope.integers, constants), strict=True):
        taken = size - begin if count == -1 else count
        scope.check(begin >= 0 and 1 <= taken <= size - begin, f"takes {count} from {begin} of {size}")
        shape.append(taken)
    scope.shape(out, shape)
    return 0


def reverse(scope: Scope) -> int:
    """One axis, the other way round."""
    source, (axes,), out = _moved(scope, 1)
    scope.check(axes.shape == (1,), "turns round another number of axes than one")
    _axis(scope, scope.integers(axes)[0], len(source.shape))
    scope.shape(out, source.shape)
    return 0


def gather(scope: Scope) -> int:
    """Places of one axis, in a constant order."""
    source, (places,), out = _moved(scope, 1)
    place = _axis(scope, scope.option("axis"), len(source.shape))
    chosen = scope.integers(places)
    scope.check(
        len(places.shape) == 1 and scope.option("batch_dims") == 0, "gathers in another form than a list of places"
    )
    scope.check(all(0 <= n < source.shape[place] for n in chosen), f"gathers beyond its {source.shape[place]} values")
    scope.shape(out, [len(chosen) if n == place else size for n, size in enumerate(source.shape)])
    return 0


def mirror_pad(scope: Scope) -> int:
    """Edges that mirror what lies within."""
    source, (widths,), out = _moved(scope, 1)
    rank, mode = len(source.shape), scope.option("mode")
    scope.check(mode in (0, 1) and widths.shape == (rank, 2), f"mirrors {list(widths.shape)} widths in mode {mode}")
    pads = np.reshape(scope.integers(widths), (rank, 2)).tolist()
    for size, pair in zip(source.shape, pads, strict=True):
        scope.check(all(0 <= pad <= size - 1 + mode for pad in pair), f"mirrors {pair} of {size} values")
    scope.shape(out, [size + sum(pair) for size, pair in zip(source.shape, pads, strict=True)])
    return 0


REARRANGING = {
    "BATCH_TO_SPACE_ND": batch_to_space,
    "DEPTH_TO_SPACE": depth_to_space,
    "GATHER": gather,
    "MIRROR_PAD": mirror_pad,
    "PACK": pack,
    "REVERSE_V2": reverse,
    "SLICE": slice_,
    "SPACE_TO_BATCH_ND": space_to_batch,
    "SPACE_TO_DEPTH": space_to_depth,
    "SQUEEZE": squeeze,
    "TILE": tile,
    "UNPACK": unpack,
}
