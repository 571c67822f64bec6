"""Writes small .tflite models with any operators, shapes and quantisation."""

import struct
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thermo_core.tflite import schema
from thermo_core.tflite.schema import TensorType

_DTYPES = {name: TensorType[name.upper()] for name in ("int8", "int16", "int32", "int64", "float32", "uint8")}
_UNIONS = {
    "RESHAPE": 17,
    "PAD": 22,
    "BATCH_TO_SPACE_ND": 24,
    "SPACE_TO_BATCH_ND": 25,
    "TRANSPOSE": 26,
    "EXP": 33,
    "DEQUANTIZE": 38,
    "MAXIMUM": 39,
    "MINIMUM": 39,
    "NEG": 42,
    "SLICE": 48,
    "TILE": 51,
    "EXPAND_DIMS": 52,
    "SQUARE": 66,
    "FILL": 68,
    "SQUARED_DIFFERENCE": 76,
    "ABS": 78,
    "REVERSE_V2": 81,
    "QUANTIZE": 89,
    "HARD_SWISH": 91,
}
_ONLY_FIRST = (
    "DEPTH_TO_SPACE", "ELU", "EXP", "EXPAND_DIMS", "GELU", "NEG", "PRELU", "RSQRT", "SHAPE", "SPACE_TO_DEPTH", "SQUARE", "SQUEEZE", "TILE",
)  # fmt: skip
_VERSIONS = {
    "TRANSPOSE_CONV": 3,
    "RESIZE_BILINEAR": 3,
    "RESIZE_NEAREST_NEIGHBOR": 3,
    "STRIDED_SLICE": 2,
    "FULLY_CONNECTED": 5,
    "HARD_SWISH": 1,
    "RESHAPE": 1,
    "UNIDIRECTIONAL_SEQUENCE_LSTM": 1,
    **dict.fromkeys(_ONLY_FIRST, 1),
}


class _File:
    """A FlatBuffers file written front to back; children follow their parents."""

    def __init__(self, shift_int64: int = 0) -> None:
        self.data = bytearray(b"\0\0\0\0TFL3")
        self.shift_int64 = shift_int64

    def align(self, size: int) -> None:
        self.data += bytes(-len(self.data) % size)

    def point(self, at: int) -> None:
        struct.pack_into("<I", self.data, at, len(self.data) - at)

    def table(self, at: int, fields: dict[int, Any]) -> None:
        """A table referred to from `at`; a field is (format, number), bytes, list of numbers with format, or tables."""
        count = max(fields, default=-1) + 1
        sizes = {i: struct.calcsize(f"<{v[0]}") if isinstance(v, tuple) else 4 for i, v in fields.items()}
        offsets, position = [0] * count, 4
        for index, size in sorted(sizes.items(), key=lambda item: -item[1]):
            position += -position % size
            offsets[index] = position
            position += size
        self.align(2)
        vtable = len(self.data)
        self.data += struct.pack(f"<{2 + count}H", 4 + 2 * count, position, *offsets)
        self.align(8)
        self.point(at)
        start = len(self.data)
        self.data += bytes(position)
        struct.pack_into("<i", self.data, start, start - vtable)
        for index, value in fields.items():
            where = start + offsets[index]
            if isinstance(value, tuple):
                struct.pack_into(f"<{value[0]}", self.data, where, value[1])
            else:
                self.child(where, value)

    def child(self, at: int, value: Any) -> None:
        if isinstance(value, dict):
            self.table(at, value)
        elif isinstance(value, bytes):
            self.align(4)
            self.data += bytes(-(len(self.data) + 4) % 16)
            self.point(at)
            self.data += struct.pack("<I", len(value)) + value + b"\0"
        elif value and isinstance(value[0], dict):
            self.align(4)
            self.point(at)
            start = len(self.data) + 4
            self.data += struct.pack("<I", len(value)) + bytes(4 * len(value))
            for number, table in enumerate(value):
                self.table(start + 4 * number, table)
        else:
            format_, numbers = (value[0], value[1:]) if value else ("i", [])
            self.align(4)
            if struct.calcsize(format_) == 8:
                self.data += bytes((self.shift_int64 - len(self.data) - 4) % 8)
            self.point(at)
            self.data += struct.pack(f"<I{len(numbers)}{format_}", len(numbers), *numbers)


@dataclass
class ModelBuilder:
    """Adds tensors and operators one by one; `build` gives the file."""

    tensors: list[dict[int, Any]] = field(default_factory=list)
    buffers: list[dict[int, Any]] = field(default_factory=lambda: [{}])
    operators: list[tuple[str, list[int], list[int], dict[str, Any]]] = field(default_factory=list)
    intermediates: dict[int, list[int]] = field(default_factory=dict)

    def tensor(
        self,
        shape: tuple[int, ...],
        scale: float | list[float] | None = None,
        zero_point: int = 0,
        data: NDArray[Any] | None = None,
        dtype: str = "int8",
        axis: int = 0,
        state: bool = False,
    ) -> int:
        """Index of a new tensor; constant where `data` is given, and kept from run to run where it is a state."""
        buffer = 0
        if data is not None:
            self.buffers.append({0: np.ascontiguousarray(data).tobytes()})
            buffer = len(self.buffers) - 1
        name = f"t{len(self.tensors)}".encode()
        table: dict[int, Any] = {0: ["i", *shape], 1: ("b", int(_DTYPES[dtype])), 2: ("I", buffer), 3: name}
        if scale is not None:
            scales = [scale] if isinstance(scale, float) else list(scale)
            table[4] = {2: ["f", *scales], 3: ["q", *[zero_point] * len(scales)], 6: ("i", axis)}
        if state:
            table[5] = ("B", 1)
        self.tensors.append(table)
        return len(self.tensors) - 1

    def operator(self, name: str, inputs: list[int], outputs: list[int], **options: Any) -> None:
        """Append an operator."""
        self.operators.append((name, inputs, outputs, options))

    def build(
        self,
        inputs: list[int],
        outputs: list[int],
        signatures: list[dict[int, Any]] | None = None,
        shift_int64: int = 0,
    ) -> bytes:
        """The .tflite file; vectors of int64 begin at `shift_int64` modulo 8."""
        codes = sorted({name for name, *_ in self.operators})
        operators = []
        for number, (name, ins, outs, options) in enumerate(self.operators):
            table: dict[int, Any] = {0: ("I", codes.index(name)), 1: ["i", *ins], 2: ["i", *outs]}
            if number in self.intermediates:
                table[8] = ["i", *self.intermediates[number]]
            union, fields = schema.OPTIONS.get(name, (_UNIONS.get(name, 0), ()))
            if union:
                table[3] = ("B", union)
                table[4] = {
                    f.index: (
                        f.format,
                        options.get(f.name, f.default) if f.format == "f" else int(options.get(f.name, f.default)),
                    )
                    for f in fields
                }
                for word, index in schema.LISTS.get(name, {}).items():
                    table[4][index] = ["i", *options.get(word, [])]
            operators.append(table)
        file = _File(shift_int64)
        code_tables = [
            {
                0: ("b", min(schema.operator_code(name), 127)),
                2: ("i", _VERSIONS.get(name, 2)),
                3: ("i", schema.operator_code(name)),
            }
            for name in codes
        ]
        graph = {0: self.tensors, 1: ["i", *inputs], 2: ["i", *outputs], 3: operators, 4: b"main"}
        beside = {} if signatures is None else {7: signatures}
        file.table(0, {0: ("I", 3), 1: code_tables, 2: [graph], 3: b"test", 4: self.buffers} | beside)
        return bytes(file.data)
