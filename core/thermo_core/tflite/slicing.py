"""Rules of the operators that take tensors apart: SPLIT, SPLIT_V and STRIDED_SLICE (see `operators`)."""

from thermo_core.tflite.scope import FLOAT32, INT8, INT16, Scope

_MAX_PARTS = 64


def split(scope: Scope) -> int:
    """Equal parts along one axis."""
    operator = scope.operator
    present = [tensor for tensor in operator.inputs if tensor is not None]
    scope.check(len(present) == len(operator.inputs) == 2, f"has {len(present)} inputs instead of 2")
    axis, source = present
    axes, rank, parts = scope.integers(axis), len(source.shape), len(operator.outputs)
    scope.check(1 <= parts <= _MAX_PARTS, f"has {parts} outputs")
    scope.check(
        scope.option("num_splits") == parts, f"has {parts} outputs where it is told {scope.option('num_splits')}"
    )
    scope.check(1 <= rank <= 4 and len(axes) == 1 and -rank <= axes[0] < rank, f"splits along {axes}")
    place = axes[0] % rank
    length = source.shape[place]
    scope.check(length > 0 and length % parts == 0, f"splits {length} into {parts} equal parts")
    shape = [length // parts if n == place else size for n, size in enumerate(source.shape)]
    for out in operator.outputs:
        scope.same_type(source, out)
        scope.same_scale(source, out)
        scope.shape(out, shape)
    return 0


def split_by_sizes(scope: Scope) -> int:
    """Parts of given lengths along one axis; one of them may be what is left (-1)."""
    operator = scope.operator
    present = [tensor for tensor in operator.inputs if tensor is not None]
    scope.check(len(present) == len(operator.inputs) == 3, f"has {len(present)} inputs instead of 3")
    source, lengths, axis = present
    sizes, axes, rank = scope.integers(lengths), scope.integers(axis), len(source.shape)
    scope.rank(lengths, 1)
    scope.check(
        1 <= len(sizes) == len(operator.outputs) == scope.option("num_splits") <= _MAX_PARTS,
        f"has {len(operator.outputs)} outputs for {len(sizes)} lengths",
    )
    scope.check(1 <= rank <= 4 and len(axes) == 1 and -rank <= axes[0] < rank, f"splits along {axes}")
    place = axes[0] % rank
    rest = source.shape[place] - sum(size for size in sizes if size != -1)
    fits = rest > 0 if -1 in sizes else rest == 0
    scope.check(
        sizes.count(-1) <= 1 and all(size == -1 or size > 0 for size in sizes) and fits,
        f"splits {source.shape[place]} into {sizes}",
    )
    for size, out in zip(sizes, operator.outputs, strict=True):
        length = rest if size == -1 else size
        scope.same_type(source, out)
        scope.same_scale(source, out)
        scope.shape(out, [length if n == place else whole for n, whole in enumerate(source.shape)])
    return 0


def strided_slice(scope: Scope) -> int:
    """Every step-th value from begin to end along each axis, forwards; an axis may be shrunk to one of its values."""
    (source, begin, end, step), out = scope.tensors(4)
    scope.same_type(source, out)
    scope.same_scale(source, out)
    scope.check(source.type in (FLOAT32, INT8, INT16), f"takes no {source.label} of type {source.type.name}")
    rank = len(source.shape)
    begins, ends, steps = (scope.integers(tensor) for tensor in (begin, end, step))
    for tensor in (begin, end, step):
        scope.rank(tensor, 1)
    scope.check(
        1 <= rank <= 5 and len(begins) == len(ends) == len(steps) == rank, f"slices {len(begins)} axes of {rank}"
    )
    for name in ("ellipsis_mask", "new_axis_mask", "offset"):
        scope.check(scope.option(name) == 0, f"has an option {name}")
    limit = 1 << rank
    masks = [scope.option(name) for name in ("begin_mask", "end_mask", "shrink_axis_mask")]
    scope.check(all(0 <= mask < limit for mask in masks), f"has masks {masks} for {rank} axes")
    shape = []
    for axis, size in enumerate(source.shape):
        free_begin, free_end, shrunk = (mask >> axis & 1 for mask in masks)
        first, last, stride = begins[axis], ends[axis], steps[axis]
        scope.check(1 <= stride <= size, f"steps by {stride} through {size}")
        if shrunk:
            scope.check(-size <= first < size and not free_begin and stride == 1, f"takes number {first} of {size}")
            continue
        taken = range(size)[slice(None if free_begin else first, None if free_end else last, stride)]
        scope.check(len(taken) > 0, f"takes nothing from {first} to {last} of {size}")
        shape.append(len(taken))
    scope.shape(out, shape)
    return 0
