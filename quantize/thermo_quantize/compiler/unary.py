"""Element-wise arithmetic that is a function of one byte: it becomes a table, whatever it computes.

So are ADD, SUB and MUL with a constant scalar, tables of tables, and two functions of one value met again in an ADD, SUB or
MUL: x * sigmoid(x), x * relu6(x + 3) / 6 and the like are one table of 256 bytes, and the values between need no memory.
"""

from dataclasses import replace

from thermo_core.tflite.schema import TensorType
from thermo_quantize.compiler.fixed_point import clamp, scale, table_of
from thermo_quantize.compiler.ir import Binary, Layer, Lookup, Network, Value
from thermo_quantize.compiler.lower.arithmetic import row_major

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
    """The int8 result of an ADD, SUB or MUL of two int8 numbers, as the reference computes it."""
    one, two = first - layer.zero_points[0], second - layer.zero_points[1]
    if layer.operation == "MUL":
        result = scale(one * two, *layer.multipliers[0])
    else:
        left = scale(one << _RAISE, *layer.multipliers[0])
        right = scale(two << _RAISE, *layer.multipliers[1])
        result = scale(left + right if layer.operation == "ADD" else left - right, *layer.multipliers[2])
    return clamp(result + layer.zero_points[2], layer.low, layer.high)


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
    """Without tables whose results are read by no layer and are no output."""
    wanted = {value.id for value in network.outputs}
    kept: list[Layer] = []
    for layer in reversed(layers):
        if isinstance(layer, Lookup) and layer.output.id not in wanted:
            continue
        wanted.update(value.id for value in layer.inputs)
        kept.append(layer)
    return kept[::-1]
