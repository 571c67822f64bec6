"""Whole numbers that a network computes from the shapes of its own tensors: known before it runs, since the shapes are fixed.

The usual conversion of a Keras model leaves the number of samples open, and then asks for it wherever a shape is needed: a
Flatten becomes SHAPE, STRIDED_SLICE, PACK and RESHAPE. `fold` works such chains out, each operator as the kernels of
TensorFlow Lite do it and only in the plain forms that converters write; what it does not know it leaves where it is. Where a
file states no shape (converters write ones for it) because it follows from such numbers, the shape is worked out as well.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from thermo_core.errors import ModelError
from thermo_core.tflite.operators import RULES
from thermo_core.tflite.reader import Model, Operator, Tensor
from thermo_core.tflite.schema import TensorType
from thermo_core.tflite.scope import Scope

Values = NDArray[np.int32]
_MOST = 64
"""Elements that a computed shape may have, and steps towards it."""
_MOST_FILLED = 1 << 16
_LIMIT = (1 << 31) - 1


@dataclass(frozen=True)
class Folded:
    """A graph without what is known beforehand.

    Attributes:
        model: operators that are left, with their own indices; tensors whose values are known are constants, and tensors
            whose shapes follow from them have these.
        computed: indices of the constants that a runtime computes all the same.
    """

    model: Model
    computed: frozenset[int]


class _Unknown(Exception):
    """A form that is not worked out here."""


def _need(holds: bool) -> None:
    if not holds:
        raise _Unknown


def _axis(operator: Operator, name: str, rank: int) -> int:
    axis = int(operator.options[name])
    _need(-rank <= axis < rank)
    return axis % rank


def _slice(operator: Operator, values: list[Values]) -> Values:
    source, begin, end, step = values
    _need(source.ndim == 1 and begin.shape == end.shape == step.shape == (1,) and step[0] == 1)
    _need(not any(operator.options[name] for name in ("ellipsis_mask", "new_axis_mask", "offset")))
    masks = [int(operator.options[name]) for name in ("begin_mask", "end_mask", "shrink_axis_mask")]
    _need(all(mask in (0, 1) for mask in masks))
    first, last = int(begin[0]), int(end[0])
    if masks[2]:
        _need(-source.size <= first < source.size and not masks[0])
        return source[first]  # type: ignore[no-any-return]
    return source[slice(None if masks[0] else first, None if masks[1] else last)]


def _pack(operator: Operator, values: list[Values]) -> Values:
    _need(int(operator.options["values_count"]) == len(values) and all(value.ndim == 0 for value in values))
    _axis(operator, "axis", 1)
    return np.stack(values)


def _concatenation(operator: Operator, values: list[Values]) -> Values:
    _need(all(value.ndim == 1 for value in values) and not operator.options["activation"])
    _axis(operator, "axis", 1)
    return np.concatenate(values)


def _gather(operator: Operator, values: list[Values]) -> Values:
    source, places = values
    _need(source.ndim == 1 and places.ndim <= 1 and not operator.options["batch_dims"])
    _axis(operator, "axis", 1)
    _need(bool(((places >= 0) & (places < source.size)).all()))
    return source[places]


def _product(operator: Operator, values: list[Values]) -> Values:
    source, axes = values
    _need(source.ndim == 1 and axes.size == 1 and int(axes.ravel()[0]) in (0, -1))
    product = 1
    for value in source.tolist():
        product *= value
        _need(abs(product) <= _LIMIT)
    return np.array([product] if operator.options["keep_dims"] else product, np.int32)


def _reshape(operator: Operator, values: list[Values]) -> Values:
    source, shape = values
    wanted = shape.tolist()
    _need(shape.ndim == 1 and len(wanted) <= 1 and all(size == source.size or size == -1 for size in wanted))
    _need(bool(wanted) or source.size == 1)
    return source.reshape([source.size] * len(wanted))


def _arithmetic(function: Callable[[int, int], int]) -> "Rule":
    def rule(operator: Operator, values: list[Values]) -> Values:
        first, second = values
        _need(
            not operator.options.get("activation") and (first.shape == second.shape or 1 in (first.size, second.size))
        )
        pairs = np.broadcast(first, second)
        results = [function(int(one), int(two)) for one, two in pairs]
        _need(all(abs(result) <= _LIMIT for result in results))
        return np.array(results, np.int32).reshape(pairs.shape)

    return rule


Rule = Callable[[Operator, list[Values]], Values]
_EVALUATED: Mapping[str, tuple[int, int, Rule]] = {
    "ADD": (2, 2, _arithmetic(lambda a, b: a + b)),
    "CONCATENATION": (1, _MOST, _concatenation),
    "GATHER": (2, 2, _gather),
    "MAXIMUM": (2, 2, _arithmetic(max)),
    "MINIMUM": (2, 2, _arithmetic(min)),
    "MUL": (2, 2, _arithmetic(lambda a, b: a * b)),
    "PACK": (1, _MOST, _pack),
    "REDUCE_PROD": (2, 2, _product),
    "RESHAPE": (2, 2, _reshape),
    "STRIDED_SLICE": (4, 4, _slice),
    "SUB": (2, 2, _arithmetic(lambda a, b: a - b)),
}
"""Operator -> fewest and most inputs, and what it makes of them."""
SHAPING = frozenset({"SHAPE", "FILL", "REDUCE_PROD"})
"""Operators that occur in networks for the sake of shapes alone."""


_MULTIPLIES_SAMPLES = frozenset({"SPACE_TO_BATCH_ND"})
"""Operators whose number of samples converters leave open although their inputs settle it."""


class _Shapes(Scope):
    """An operator whose rule is asked for the shapes of its outputs instead of checking them."""

    def __init__(self, operator: Operator) -> None:
        super().__init__(operator)
        self.found: dict[int, tuple[int, ...]] = {}

    def shape(self, tensor: Tensor, expected: Sequence[int]) -> None:
        self.found[tensor.index] = tuple(expected)


def fold(model: Model) -> Folded:
    """Work out what is known before the model runs.

    Args:
        model: as read.

    Returns:
        The graph that is left.
    """
    new: dict[int, Tensor] = {}
    computed: set[int] = set()
    operators: list[Operator] = []
    for operator in model.operators:
        inputs = tuple(None if tensor is None else new.get(tensor.index, tensor) for tensor in operator.inputs)
        operator = replace(operator, inputs=inputs)
        data = _result(operator)
        if data is not None:
            new[operator.outputs[0].index] = replace(operator.outputs[0], data=data)
            computed.add(operator.outputs[0].index)
            continue
        shapes = _shapes(operator, new)
        if any(shapes.get(out.index, out.shape) != out.shape for out in operator.outputs):
            outputs = tuple(replace(out, shape=shapes.get(out.index, out.shape)) for out in operator.outputs)
            new |= {out.index: out for out in outputs}
            operator = replace(operator, outputs=outputs)
        operators.append(operator)
    if computed & {tensor.index for tensor in model.outputs} or not new:
        return Folded(model, frozenset())

    def updated(tensors: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        return tuple(new.get(tensor.index, tensor) for tensor in tensors)

    tensors, outputs = updated(model.tensors), updated(model.outputs)
    return Folded(replace(model, tensors=tensors, operators=tuple(operators), outputs=outputs), frozenset(computed))


def _shapes(operator: Operator, new: Mapping[int, Tensor]) -> dict[int, tuple[int, ...]]:
    """Shapes of an operator's outputs, by tensor, where they follow from shapes or numbers that were worked out."""
    inputs = [tensor for tensor in operator.inputs if tensor is not None]
    if operator.name not in RULES or any(0 in tensor.shape for tensor in (*inputs, *operator.outputs)):
        return {}
    if operator.name not in _MULTIPLIES_SAMPLES and not any(tensor.index in new for tensor in inputs):
        return {}
    if operator.name == "RESHAPE":
        return _reshaped(operator, inputs)
    scope = _Shapes(operator)
    try:
        RULES[operator.name](scope)
    except ModelError:
        return {}  # the rule will say so again
    return scope.found


def _reshaped(operator: Operator, inputs: list[Tensor]) -> dict[int, tuple[int, ...]]:
    """A RESHAPE's rule holds its output against what it is told; where that is known, the output follows."""
    if len(inputs) != 2 or len(operator.outputs) != 1 or inputs[1].data is None or not _is_whole(inputs[1]):
        return {}
    sizes = np.frombuffer(inputs[1].data, "<i4").tolist()
    rest = math.prod(size for size in sizes if size != -1)
    if sizes.count(-1) > 1 or rest < 1 or inputs[0].elements % rest or min(sizes, default=1) < -1:
        return {}
    return {operator.outputs[0].index: tuple(inputs[0].elements // rest if n == -1 else n for n in sizes)}


def _result(operator: Operator) -> bytes | None:
    """The bytes of an operator's only output, or None where they are not known."""
    if len(operator.outputs) != 1 or any(tensor is None for tensor in operator.inputs):
        return None
    inputs = [tensor for tensor in operator.inputs if tensor is not None]
    out = operator.outputs[0]
    if operator.name == "SHAPE" and len(inputs) == 1:
        integers = int(operator.options["out_type"]) == TensorType.INT32 and out.type is TensorType.INT32
        fixed = integers and out.shape == (len(inputs[0].shape),) and inputs[0].elements > 0
        return np.array(inputs[0].shape, "<i4").tobytes() if fixed else None
    if operator.name == "FILL" and len(inputs) == 2:
        return _filled(inputs[0], inputs[1], out)
    if operator.name not in _EVALUATED or any(not _is_whole(tensor) for tensor in (*inputs, out)):
        return None
    least, most, rule = _EVALUATED[operator.name]
    if not least <= len(inputs) <= most or any(tensor.data is None for tensor in inputs):
        return None
    values = [np.frombuffer(tensor.data or b"", "<i4").reshape(tensor.shape) for tensor in inputs]
    try:
        result = np.asarray(rule(operator, values))
    except _Unknown:
        return None
    return result.astype("<i4").tobytes() if result.shape == out.shape else None


def _is_whole(tensor: Tensor) -> bool:
    return tensor.type is TensorType.INT32 and tensor.quantization is None and tensor.elements <= _MOST


def _filled(shape: Tensor, value: Tensor, out: Tensor) -> bytes | None:
    """FILL: an array of one value, as recurrent layers begin with."""
    if not _is_whole(shape) or len(shape.shape) != 1 or shape.data is None or value.data is None:
        return None
    same = value.type is out.type and value.quantization == out.quantization and not value.shape
    if not same or out.elements > _MOST_FILLED or np.frombuffer(shape.data, "<i4").tolist() != list(out.shape):
        return None
    return value.data * out.elements
