"""Element-wise arithmetic that is a function of one byte: it becomes a table, whatever it computes.

So are ADD, MAXIMUM and their like with a constant scalar, tables of tables, and two functions of one value met again in one of
them: x * sigmoid(x), x * relu6(x + 3) / 6 and the like are one table of 256 bytes, and the values between need no memory.
"""

from collections.abc import Callable
from dataclasses import replace

from thermo_core.tflite.schema import TensorType
from thermo_quantize.compiler.fixed_point import clamp, scale, table_of
from thermo_quantize.compiler.ir import Binary, Convert, Layer, Lookup, Network, Value
from thermo_quantize.compiler.lower.arithmetic import Multipliers, row_major
from thermo_quantize.compiler.lower.elements import SQUARE_SHIFT

_IDENTITY = table_of(lambda q: q)
_RAISE = 20


def tabulate(network: Network) -> Network:
    """The same network with such layers as Lookup, and without those nobody needs any more."""
    made: dict[int, Lookup] = {}
    layers: list[Layer] = []
    for layer in network.layers:
        found = _unary(layer, made)
        if isinstance(found, Lookup):
            made[found.output.id] = found
        layers.append(found)
    return replace(network, layers=tuple(_needed(layers, network)))


def compute(layer: Binary, first: int, second: int) -> int:
    """The int8 result of two int8 numbers, as the reference computes it."""
    if not layer.multipliers:
        return max(first, second) if layer.operation == "MAXIMUM" else min(first, second)
    result = _RESULTS[layer.operation](layer.multipliers, first - layer.zero_points[0], second - layer.zero_points[1])
    return clamp(result + layer.zero_points[2], layer.low, layer.high)


def _sum(multipliers: Multipliers, one: int, two: int) -> int:
    left, right = scale(one << _RAISE, *multipliers[0]), scale(two << _RAISE, *multipliers[1])
    return scale(left + right, *multipliers[2])


def _difference(multipliers: Multipliers, one: int, two: int) -> int:
    left, right = scale(one << _RAISE, *multipliers[0]), scale(two << _RAISE, *multipliers[1])
    return scale(left - right, *multipliers[2])


def _squared_difference(multipliers: Multipliers, one: int, two: int) -> int:
    left, right = scale(one << SQUARE_SHIFT, *multipliers[0]), scale(two << SQUARE_SHIFT, *multipliers[1])
    return scale((left - right) ** 2, *multipliers[2])


_RESULTS: dict[str, Callable[[Multipliers, int, int], int]] = {
    "ADD": _sum,
    "SUB": _difference,
    "MUL": lambda multipliers, one, two: scale(one * two, *multipliers[0]),
    "PRELU": lambda multipliers, one, two: (
        scale(one, *multipliers[0]) if one >= 0 else scale(one * two, *multipliers[1])
    ),
    "SQUARED_DIFFERENCE": _squared_difference,
}


def _unary(layer: Layer, made: dict[int, Lookup]) -> Layer:
    """The layer as a table of what its input was made from; itself where it is none."""
    if isinstance(layer, Lookup):
        source, before = _root(layer.inputs[0], made)
        return replace(layer, inputs=(source,), table=_compose(layer.table, before))
    if not isinstance(layer, Binary) or any(value.type is not TensorType.INT8 for value in layer.inputs):
        return layer
    whole = [strides == tuple(row_major(layer.sizes)) for strides in layer.strides]
    constants = [_scalar(value) for value in layer.inputs]
    roots = [_root(value, made) for value in layer.inputs]
    pairs: tuple[bytes, bytes]
    if constants[1] is not None and whole[0]:
        source, pairs = roots[0][0], (roots[0][1], bytes([constants[1]] * 256))
    elif constants[0] is not None and whole[1]:
        source, pairs = roots[1][0], (bytes([constants[0]] * 256), roots[1][1])
    elif all(whole) and roots[0][0] == roots[1][0]:
        source, pairs = roots[0][0], (roots[0][1], roots[1][1])
    else:
        return layer
    if source.data is not None:
        return layer
    table = bytes(
        compute(layer, _signed(one), _signed(two)) & 0xFF for one, two in zip(pairs[0], pairs[1], strict=True)
    )
    return Lookup(layer.index, layer.title, (source,), layer.outputs, table)


def _root(value: Value, made: dict[int, Lookup]) -> tuple[Value, bytes]:
    """What a value is a function of, and that function."""
    return (made[value.id].inputs[0], made[value.id].table) if value.id in made else (value, _IDENTITY)


def _scalar(value: Value) -> int | None:
    return value.data[0] if value.data is not None and value.elements == 1 else None


def _signed(byte: int) -> int:
    return byte - 256 if byte > 127 else byte


def _compose(after: bytes, before: bytes) -> bytes:
    return bytes(after[byte] for byte in before)


def _needed(layers: list[Layer], network: Network) -> list[Layer]:
    """Without tables and conversions whose results are read by no layer and are no output."""
    wanted = {value.id for value in network.outputs}
    kept: list[Layer] = []
    for layer in reversed(layers):
        if isinstance(layer, Lookup | Convert) and layer.output.id not in wanted:
            continue
        wanted.update(value.id for value in layer.inputs)
        kept.append(layer)
    return kept[::-1]
