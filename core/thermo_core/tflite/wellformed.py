"""Walks every table of a .tflite file by the schema, so that a runtime that trusts its offsets stays inside of it.

Runtimes read a file's tables without looking where they point. This walk holds each offset, vector, string and
alignment against the file, knows every field a runtime may read, and refuses fields it does not know. What the numbers
mean is checked afterwards (verify.py).
"""

import struct
from collections.abc import Mapping
from dataclasses import dataclass, field

from thermo_core.errors import ModelError
from thermo_core.tflite.flatbuffer import Buffer, damaged


@dataclass(frozen=True)
class Field:
    """One field of a table.

    Attributes:
        kind: "scalar", "vector", "text", "table", "tables", "union" or "banned".
        size: bytes of the scalar or of a vector's element.
        table: of "table" and "tables".
        required: whether runtimes follow it without asking whether it is there.
        zero: a scalar that must be zero, as its feature is not supported.
        means: what a field asks for that must be zero or absent, in words that follow "The model".
    """

    kind: str
    size: int = 4
    table: "Schema | None" = None
    required: bool = False
    zero: bool = False
    means: str = "asks for a feature of other converters"


@dataclass(frozen=True)
class Schema:
    """A table's name and its fields by index."""

    name: str
    fields: Mapping[int, Field]
    unions: Mapping[int, "Schema"] = field(default_factory=dict)


def _scalars(name: str, sizes: str) -> Schema:
    return Schema(name, {number: Field("scalar", int(size)) for number, size in enumerate(sizes)})


_BANNED = Field("banned")
_LARGE = Field("scalar", 8, zero=True, means="keeps data outside of its tables, as files beyond 2 GB do")
_NUMBERS = Field("vector", 4)
_TEXT = Field("text")
_OPTIONS = {
    1: _scalars("options", "1441441"),  # Conv2D
    2: _scalars("options", "1444144"),  # DepthwiseConv2D
    5: _scalars("options", "144441"),  # Pool2D
    8: _scalars("options", "11111"),  # FullyConnected
    9: _scalars("options", "4"),  # Softmax
    10: _scalars("options", "41"),  # Concatenation
    11: _scalars("options", "11"),  # Add
    12: _scalars("options", "1"),  # L2Norm
    15: Schema("options", {2: Field("scalar", 1), 3: Field("scalar", 1)}),  # ResizeBilinear
    17: Schema("options", {0: _NUMBERS}),  # Reshape
    19: _scalars("options", "4"),  # SpaceToDepth
    21: _scalars("options", "1"),  # Mul
    22: Schema("options", {}),  # Pad
    23: _scalars("options", "44"),  # Gather
    24: Schema("options", {}),  # BatchToSpaceND
    25: Schema("options", {}),  # SpaceToBatchND
    26: Schema("options", {}),  # Transpose
    27: _scalars("options", "1"),  # Reducer
    28: _scalars("options", "11"),  # Sub
    30: Schema("options", {0: _NUMBERS}),  # Squeeze
    32: _scalars("options", "444441"),  # StridedSlice
    33: Schema("options", {}),  # Exp
    35: _scalars("options", "4"),  # Split
    38: Schema("options", {}),  # Dequantize
    39: Schema("options", {}),  # MaximumMinimum
    42: Schema("options", {}),  # Neg
    48: Schema("options", {}),  # Slice
    49: _scalars("options", "14411"),  # TransposeConv
    51: Schema("options", {}),  # Tile
    52: Schema("options", {}),  # ExpandDims
    55: _scalars("options", "1"),  # Shape
    59: _scalars("options", "44"),  # Pack
    64: _scalars("options", "44"),  # Unpack
    66: Schema("options", {}),  # Square
    68: Schema("options", {}),  # Fill
    71: _scalars("options", "144111"),  # UnidirectionalSequenceLSTM
    74: _scalars("options", "11"),  # ResizeNearestNeighbor
    75: _scalars("options", "4"),  # LeakyRelu
    76: Schema("options", {}),  # SquaredDifference
    77: _scalars("options", "1"),  # MirrorPad
    78: Schema("options", {}),  # Abs
    79: _scalars("options", "4"),  # SplitV
    81: Schema("options", {}),  # ReverseV2
    89: Schema("options", {}),  # Quantize
    91: Schema("options", {}),  # HardSwish
    94: _scalars("options", "4"),  # DepthToSpace
    101: _scalars("options", "111"),  # BatchMatMul
    116: _scalars("options", "1"),  # Gelu
}
_QUANTIZATION = Schema(
    "quantization",
    {
        0: Field("vector", 4),
        1: Field("vector", 4),
        2: Field("vector", 4),
        3: Field("vector", 8),
        4: Field("scalar", 1, zero=True),
        5: _BANNED,
        6: Field("scalar", 4),
    },
)
_TENSOR = Schema(
    "tensor",
    {
        0: _NUMBERS,
        1: Field("scalar", 1),
        2: Field("scalar", 4),
        3: _TEXT,
        4: Field("table", table=_QUANTIZATION),
        5: Field("scalar", 1),
        6: Field("scalar", 4),  # sparsity: an offset, which the reader refuses by the tensor's name
        7: _NUMBERS,
        8: Field("scalar", 1),
        9: _BANNED,
        10: Field("scalar", 4, zero=True),
    },
)
_OPERATOR = Schema(
    "operator",
    {
        0: Field("scalar", 4),
        1: Field("vector", 4, required=True),
        2: Field("vector", 4, required=True),
        3: Field("scalar", 1),
        4: Field("union"),
        5: Field("vector", 1),
        6: Field("scalar", 1),
        7: Field("vector", 1),
        8: Field("vector", 4),
        9: _LARGE,
        10: _LARGE,
        11: Field("scalar", 1),
        12: Field("scalar", 4),
        13: Field("scalar", 4),
    },
    _OPTIONS,
)
_GRAPH = Schema(
    "graph",
    {
        0: Field("tables", table=_TENSOR, required=True),
        1: Field("vector", 4, required=True),
        2: Field("vector", 4, required=True),
        3: Field("tables", table=_OPERATOR, required=True),
        4: _TEXT,
        5: Field("scalar", 4),
    },
)
_CODE = Schema("operator code", {0: Field("scalar", 1), 1: _TEXT, 2: Field("scalar", 4), 3: Field("scalar", 4)})
_BUFFER = Schema("buffer", {0: Field("vector", 1), 1: _LARGE, 2: _LARGE})
_METADATA = Schema("metadata", {0: Field("text", required=True), 1: Field("scalar", 4)})
_NAMED = Schema("signature entry", {0: Field("text", required=True), 1: Field("scalar", 4)})
_SIGNATURE = Schema(
    "signature",
    {
        0: Field("tables", table=_NAMED, required=True),
        1: Field("tables", table=_NAMED, required=True),
        2: Field("text", required=True),
        3: _TEXT,  # the key, as TensorFlow 2.4 to 2.6 wrote it
        4: Field("scalar", 4, zero=True),
    },
)
_MODEL = Schema(
    "model",
    {
        0: Field("scalar", 4),
        1: Field("tables", table=_CODE, required=True),
        2: Field("tables", table=_GRAPH, required=True),
        3: _TEXT,
        4: Field("tables", table=_BUFFER, required=True),
        5: _NUMBERS,
        6: Field("tables", table=_METADATA),
        7: Field("tables", table=_SIGNATURE),
    },
)
_UNION_TYPE = 3
DATA_ALIGNMENT = 4
"""What a constant's bytes are aligned to at least; converters give 16."""


def check_wellformed(data: bytes) -> None:
    """Hold every table of the file against the schema.

    Args:
        data: the whole file.

    Raises:
        ModelError: an offset leaves the file, a part is missing, misplaced or unknown; the sentence names it.
    """
    buffer = Buffer(data)
    _walk(buffer, _aligned(buffer.follow(0, "the model"), 4, "the model"), _MODEL, "the model")


def _walk(buffer: Buffer, position: int, schema: Schema, what: str) -> None:
    vtable = _aligned(position - buffer.integer("i", position, what), 2, what)
    size = buffer.integer("H", vtable, what)
    table_size = buffer.integer("H", vtable + 2, what)
    if size < 4 or size % 2 or table_size < 4:
        raise damaged(f"{what} has no table of fields")
    buffer.take(vtable, size, what)
    buffer.take(position, table_size, what)
    offsets = struct.unpack_from(f"<{size // 2 - 2}H", buffer.data, vtable + 4)
    for index, known in schema.fields.items():
        if known.required and (index >= len(offsets) or not offsets[index]):
            raise damaged(f"{what} lacks field {index}")
    union = 0
    for index, offset in enumerate(offsets):
        if not offset:
            continue
        known_field = schema.fields.get(index)
        if known_field is None or known_field.kind == "banned":
            raise _unsupported(what, index, _BANNED.means)
        width = known_field.size if known_field.kind == "scalar" else 4
        if offset < 4 or offset + width > table_size:
            raise damaged(f"field {index} of {what} lies outside of its table")
        at = _aligned(position + offset, width, what)
        if known_field.kind == "scalar":
            if known_field.zero and any(buffer.data[at : at + width]):
                raise _unsupported(what, index, known_field.means)
            if schema.unions and index == _UNION_TYPE:
                union = buffer.data[at]
        elif known_field.kind == "union":
            chosen = schema.unions.get(union)
            if chosen is not None:
                name = f"{chosen.name} of {what}"
                _walk(buffer, _aligned(buffer.follow(at, name), 4, name), chosen, name)
        else:
            _child(buffer, at, known_field, what, index)


def _child(buffer: Buffer, at: int, known: Field, what: str, index: int) -> None:
    if known.table is not None:
        what = f"{known.table.name} of {what}" if what != "the model" else f"the {known.table.name}"
    else:
        what = f"field {index} of {what}"
    start = _aligned(buffer.follow(at, what), 4, what)
    if known.kind == "table" and known.table is not None:
        _walk(buffer, start, known.table, what)
        return
    count = buffer.integer("I", start, what)
    if known.kind == "text":
        buffer.take(start + 4, count + 1, what)
        if buffer.data[start + 4 + count]:
            raise damaged(f"{what} is a text without an end")
    elif known.kind == "tables" and known.table is not None:
        buffer.take(start + 4, count * 4, what)
        for number in range(count):
            name = f"{what} {number}"
            child = _aligned(buffer.follow(start + 4 + 4 * number, name), 4, name)
            _walk(buffer, child, known.table, name)
    else:
        buffer.take(start + 4, count * known.size, what)
        if count:
            _aligned(start + 4, known.size, what)


def _unsupported(what: str, index: int, means: str) -> ModelError:
    return ModelError(
        f"The model {means} (field {index} of {what}), which no engine of a wearable supports; replace the layer that needs it."
    )


def _aligned(position: int, size: int, what: str) -> int:
    # Some writers align nothing to more than 4 bytes, and every processor reads numbers of 8 bytes from there.
    if position % min(size, 4):
        raise ModelError(
            f"The model's file has {what} at byte {position}, where it is not aligned; get it again, or convert the float model anew."
        )
    return position
