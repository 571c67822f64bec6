"""Operators that cut, join, repeat and turn tensors round: each becomes a few loop nests that copy."""

import itertools
import math
from dataclasses import dataclass

import numpy as np

from thermo_core.tflite.reader import Operator, Tensor
from thermo_quantize.compiler.ir import Copy, Ints, Layer, Move
from thermo_quantize.compiler.lower.arithmetic import row_major
from thermo_quantize.compiler.lower.context import Context
from thermo_quantize.compiler.lower.movement import copy_of, same_scale

_MOST_COPIES = 256


def _move(
    context: Context,
    operator: Operator,
    copies: list[Copy],
    sources: list[Tensor] | None = None,
    fill: int | None = None,
) -> list[Layer]:
    values = tuple(context.value(tensor) for tensor in sources or [context.input(operator, 0)])
    outputs = tuple(context.value(tensor) for tensor in operator.outputs)
    return [Move(operator.index, operator.name, values, outputs, tuple(copies), fill)]


def _pack(context: Context, operator: Operator) -> list[Layer]:
    output = context.output(operator)
    sources = [context.input(operator, number) for number in range(len(operator.inputs))]
    rank, axis = len(output.shape), int(operator.options["axis"])
    if not -rank <= axis < rank or output.shape[axis] != len(sources) or not output.elements:
        raise context.refuse(
            operator, output, f"has shape {list(output.shape)}", f"{len(sources)} parts along axis {axis}"
        )
    axis %= rank
    strides = row_major(output.shape)
    rest = strides[:axis] + strides[axis + 1 :]
    copies = []
    for number, source in enumerate(sources):
        same_scale(context, operator, source, output)
        context.shape(operator, source, (*output.shape[:axis], *output.shape[axis + 1 :]))
        copies.append(copy_of(source.shape, row_major(source.shape), rest, number=number, to=number * strides[axis]))
    return _move(context, operator, copies, sources)


def _unpack(context: Context, operator: Operator) -> list[Layer]:
    source = context.input(operator, 0)
    rank, axis = len(source.shape), int(operator.options["axis"])
    if not -rank <= axis < rank or source.shape[axis] != len(operator.outputs) or not source.elements:
        parts = f"{len(operator.outputs)} parts along axis {axis}"
        raise context.refuse(operator, source, f"has shape {list(source.shape)}", parts)
    axis %= rank
    strides = row_major(source.shape)
    rest = strides[:axis] + strides[axis + 1 :]
    copies = []
    for number, output in enumerate(operator.outputs):
        same_scale(context, operator, source, output)
        context.shape(operator, output, (*source.shape[:axis], *source.shape[axis + 1 :]))
        start = number * strides[axis]
        copies.append(copy_of(output.shape, rest, row_major(output.shape), start=start, to_number=number))
    return _move(context, operator, copies)


def _block(context: Context, operator: Operator, image: Tensor, small: Tensor) -> tuple[int, Ints]:
    """(block size, shape of the image), where `small` has the image's blocks as channels."""
    size = int(operator.options["block_size"])
    rows, columns, channels = context.image(operator, image)
    if size < 1 or rows % size or columns % size:
        raise context.refuse(operator, image, f"has shape {list(image.shape)}", f"whole blocks of {size} x {size}")
    same_scale(context, operator, small, image)
    context.shape(operator, small, (1, rows // size, columns // size, channels * size * size))
    return size, image.shape


def _blocks(shape: Ints, size: int) -> tuple[Ints, list[int], list[int]]:
    """Loops over rows, rows in a block, columns, columns in a block, channels: sizes, strides in the image and in the blocks."""
    _, rows, columns, channels = shape
    wide = columns * channels
    sizes = (rows // size, size, columns // size, size, channels)
    small = channels * size * size
    return (
        sizes,
        [size * wide, wide, size * channels, channels, 1],
        [columns // size * small, size * channels, small, channels, 1],
    )


def _depth_to_space(context: Context, operator: Operator) -> list[Layer]:
    source, output = context.input(operator, 0), context.output(operator)
    size, shape = _block(context, operator, output, source)
    sizes, image, small = _blocks(shape, size)
    return _move(context, operator, [copy_of(sizes, small, image)])


def _space_to_depth(context: Context, operator: Operator) -> list[Layer]:
    source, output = context.input(operator, 0), context.output(operator)
    size, shape = _block(context, operator, source, output)
    sizes, image, small = _blocks(shape, size)
    return _move(context, operator, [copy_of(sizes, image, small)])


def _batched(context: Context, operator: Operator, image: Tensor, blocked: Tensor, inverse: bool) -> list[Layer]:
    """The parts of an image whose places differ by a block, as samples; `inverse` puts them together again."""
    same_scale(context, operator, image, blocked)
    block = context.integers(operator, 1)
    edges = np.reshape(context.integers(operator, 2), (-1, 2)).tolist()
    rank, count = len(image.shape), len(block)
    many = math.prod(block)
    fits = 1 <= count < rank == len(blocked.shape) and len(edges) == count and min(block, default=0) >= 1
    fits = fits and all(edge >= 0 for pair in edges for edge in pair) and image.elements > 0
    whole = [size + sum(pair) for size, pair in zip(image.shape[1 : 1 + count], edges, strict=False)]
    if not fits or any(size % step for size, step in zip(whole, block, strict=False)):
        raise context.refuse(operator, image, f"has shape {list(image.shape)}", f"whole blocks of {block}")
    small = [size // step for size, step in zip(whole, block, strict=True)]
    context.shape(operator, blocked, (image.shape[0] * many, *small, *image.shape[1 + count :]))
    outer, inner = row_major(image.shape), row_major(blocked.shape)
    copies = []
    for number, place in enumerate(itertools.product(*map(range, block))):
        sizes, at, to = [image.shape[0]], 0, number * image.shape[0] * inner[0]
        for axis, (offset, step, pair) in enumerate(zip(place, block, edges, strict=True), 1):
            # Sample i of this part is image row i * step + offset - the padding before.
            first = max(0, -(-(pair[0] - offset) // step))
            last = min(small[axis - 1], -(-(image.shape[axis] + pair[0] - offset) // step))
            sizes.append(max(0, last - first))
            at += (first * step + offset - pair[0]) * outer[axis]
            to += first * inner[axis]
        sizes += image.shape[1 + count :]
        if 0 in sizes:
            continue
        steps = [
            outer[0],
            *(stride * step for stride, step in zip(outer[1 : 1 + count], block, strict=True)),
            *outer[1 + count :],
        ]
        if inverse:
            copies.append(copy_of(tuple(sizes), inner, steps, start=to, to=at))
        else:
            copies.append(copy_of(tuple(sizes), steps, inner, start=at, to=to))
    fill = None if inverse or not any(map(sum, edges)) else context.scale(operator, blocked)[1]
    return _move(context, operator, copies, fill=fill)


def _space_to_batch(context: Context, operator: Operator) -> list[Layer]:
    return _batched(context, operator, context.input(operator, 0), context.output(operator), False)


def _batch_to_space(context: Context, operator: Operator) -> list[Layer]:
    return _batched(context, operator, context.output(operator), context.input(operator, 0), True)


def _tile(context: Context, operator: Operator) -> list[Layer]:
    source, output = context.input(operator, 0), context.output(operator)
    same_scale(context, operator, source, output)
    times = context.integers(operator, 1)
    if len(times) != len(source.shape) or min(times, default=1) < 1 or not source.elements:
        raise context.refuse(operator, source, f"has {len(source.shape)} axes", f"as many repetitions, not {times}")
    context.shape(operator, output, tuple(size * many for size, many in zip(source.shape, times, strict=True)))
    strides, to = row_major(source.shape), row_major(output.shape)
    sizes = [n for size, many in zip(source.shape, times, strict=True) for n in (many, size)]
    from_ = [n for stride in strides for n in (0, stride)]
    to_ = [n for size, stride in zip(source.shape, to, strict=True) for n in (size * stride, stride)]
    return _move(context, operator, [copy_of(tuple(sizes), from_, to_)])


@dataclass
class _Run:
    """Outputs from `at` on are inputs from `place` on, in equal steps."""

    at: int
    place: int
    step: int = 0
    count: int = 1


def _runs(places: list[int]) -> list[_Run]:
    runs: list[_Run] = []
    for at, place in enumerate(places):
        last = runs[-1] if runs else None
        if last is not None and last.count == 1:
            last.step, last.count = place - last.place, 2
        elif last is not None and place == last.place + last.step * last.count:
            last.count += 1
        else:
            runs.append(_Run(at, place))
    return runs


def _picked(context: Context, operator: Operator, maps: list[list[int]]) -> list[Layer]:
    """Output element (i, j, ...) is input element (maps[0][i], maps[1][j], ...)."""
    source, output = context.input(operator, 0), context.output(operator)
    same_scale(context, operator, source, output)
    context.shape(operator, output, tuple(map(len, maps)))
    strides, to = row_major(source.shape), row_major(output.shape)
    choices = [_runs(places) for places in maps]
    if not output.elements or math.prod(map(len, choices)) > _MOST_COPIES:
        raise context.refuse(operator, output, "is put together from too many parts", f"at most {_MOST_COPIES}")
    copies = []
    for runs in itertools.product(*choices):
        start = sum(run.place * stride for run, stride in zip(runs, strides, strict=True))
        place = sum(run.at * stride for run, stride in zip(runs, to, strict=True))
        steps = [run.step * stride for run, stride in zip(runs, strides, strict=True)]
        copies.append(copy_of(tuple(run.count for run in runs), steps, to, start=start, to=place))
    return _move(context, operator, copies)


def _slice(context: Context, operator: Operator) -> list[Layer]:
    source = context.input(operator, 0)
    begins, sizes = context.integers(operator, 1), context.integers(operator, 2)
    if not len(begins) == len(sizes) == len(source.shape):
        raise context.refuse(operator, source, f"has {len(source.shape)} axes", "a begin and a size an axis")
    maps = []
    for size, begin, count in zip(source.shape, begins, sizes, strict=True):
        end = size if count == -1 else begin + count
        if not 0 <= begin <= end <= size:
            raise context.refuse(operator, source, f"has shape {list(source.shape)}", "slices inside of it")
        maps.append(list(range(begin, end)))
    return _picked(context, operator, maps)


def _axis_of(context: Context, operator: Operator, source: Tensor, axis: int) -> int:
    rank = len(source.shape)
    if not -rank <= axis < rank:
        raise context.refuse(operator, source, f"has {rank} axes", f"an axis of these, not {axis}")
    return axis % rank


def _reverse(context: Context, operator: Operator) -> list[Layer]:
    source = context.input(operator, 0)
    axes = {_axis_of(context, operator, source, axis) for axis in context.integers(operator, 1)}
    return _picked(
        context, operator, [list(range(n))[:: -1 if axis in axes else 1] for axis, n in enumerate(source.shape)]
    )


def _gather(context: Context, operator: Operator) -> list[Layer]:
    source = context.input(operator, 0)
    axis = _axis_of(context, operator, source, int(operator.options["axis"]))
    places, shape = context.integers(operator, 1), context.input(operator, 1).shape
    if len(shape) != 1 or operator.options["batch_dims"] or not all(0 <= n < source.shape[axis] for n in places):
        raise context.refuse(operator, source, f"has shape {list(source.shape)}", "a list of places along one axis")
    return _picked(
        context, operator, [places if n == axis else list(range(size)) for n, size in enumerate(source.shape)]
    )


def _mirror_pad(context: Context, operator: Operator) -> list[Layer]:
    source = context.input(operator, 0)
    pairs = np.reshape(context.integers(operator, 1), (-1, 2)).tolist()
    skipped = 1 - int(operator.options["mode"])
    fits = len(pairs) == len(source.shape) and skipped in (0, 1)
    if not fits or any(
        not 0 <= n <= size - skipped for size, pair in zip(source.shape, pairs, strict=True) for n in pair
    ):
        raise context.refuse(
            operator, source, f"has shape {list(source.shape)}", "padding no wider than what it mirrors"
        )
    maps = []
    for size, (before, after) in zip(source.shape, pairs, strict=True):
        ahead = list(range(before - 1 + skipped, skipped - 1, -1))
        behind = list(range(size - 1 - skipped, size - 1 - skipped - after, -1))
        maps.append([*ahead, *range(size), *behind])
    return _picked(context, operator, maps)


REARRANGING = {
    "BATCH_TO_SPACE_ND": _batch_to_space,
    "DEPTH_TO_SPACE": _depth_to_space,
    "GATHER": _gather,
    "MIRROR_PAD": _mirror_pad,
    "PACK": _pack,
    "REVERSE_V2": _reverse,
    "SLICE": _slice,
    "SPACE_TO_BATCH_ND": _space_to_batch,
    "SPACE_TO_DEPTH": _space_to_depth,
    "TILE": _tile,
    "UNPACK": _unpack,
}
