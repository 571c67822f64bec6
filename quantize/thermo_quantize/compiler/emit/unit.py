"""The C file in the making: tables, helpers, layer functions, and where values lie."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thermo_core.tflite.schema import TensorType
from thermo_quantize.compiler.ir import Layer, Value
from thermo_quantize.compiler.memory import Plan

_WIDTH = 120
_ALIAS = """
/* The arena's bytes serve as numbers of other types too. */
#if defined(__GNUC__)
#define ALIAS __attribute__((may_alias))
#else
#define ALIAS
#endif
"""
_C_TYPES = {
    TensorType.INT8: "int8_t",
    TensorType.INT16: "int16_t",
    TensorType.UINT8: "uint8_t",
    TensorType.FLOAT32: "float",
}
_DTYPES = {TensorType.INT8: "<i1", TensorType.INT16: "<i2", TensorType.UINT8: "<u1", TensorType.FLOAT32: "<f4"}
_ALIASES = {TensorType.INT16: "value16_t", TensorType.FLOAT32: "real_t"}


def comment(text: str) -> str:
    """Text that cannot end a C comment or continue a line."""
    printable = re.sub(r"[^ -~]", "?", text).replace("\\", "/")
    return printable.replace("*/", "* /").replace("/*", "/ *")


def c_type(value: Value) -> str:
    """The C type of a value's elements."""
    return _C_TYPES[value.type]


def shape_text(value: Value) -> str:
    """A shape as 1x24x32x8."""
    return "x".join(map(str, value.shape)) or "scalar"


def lines(items: list[str], indent: str = "    ") -> str:
    """Comma-separated items, wrapped."""
    found, line = [], indent
    for item in items:
        if len(line) + len(item) + 2 > _WIDTH and line.strip():
            found.append(line.rstrip())
            line = indent
        line += f"{item}, "
    return "\n".join([*found, line.rstrip()])


@dataclass(frozen=True)
class _Inside:
    """A layer that is part of another: where its values and scratch are, and what ends its function's name."""

    pointers: dict[int, str]
    scratch: str
    suffix: str
    of_row: bool


@dataclass(frozen=True)
class Place:
    """Where an arena lies that is not the network's own.

    Attributes:
        symbol: an array of uint8_t, aligned to 16 bytes.
        at: byte of it where the arena begins, a multiple of `memory.ALIGNMENT`.
    """

    symbol: str
    at: int


@dataclass
class Unit:
    """Everything the emitted file holds.

    Args:
        name: prefix of public names.
        plan: addresses in the arena.
        place: where the arena lies; an array of the network's own where left out.
        states: byte of the state of each layer that has one, by its position.
        state_bytes: of all states.
        by_argument: functions are told where the arena lies, and states behind it; nothing has an address of its own.
    """

    name: str
    plan: Plan
    place: Place | None = None
    states: dict[int, int] = field(default_factory=dict)
    state_bytes: int = 0
    by_argument: bool = False
    tables: list[str] = field(default_factory=list)
    functions: list[str] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    helpers: dict[str, str] = field(default_factory=dict)
    includes: set[str] = field(default_factory=set)
    table_bytes: int = 0
    _constants: dict[int, str] = field(default_factory=dict)
    _counted: set[tuple[str, str, bytes]] = field(default_factory=set)
    _inside: "_Inside | None" = None

    def helper(self, name: str, text: str) -> None:
        """A function several layers share."""
        self.helpers.setdefault(name, text.strip())

    def table(self, name: str, c_name: str, values: NDArray[Any] | list[Any]) -> str:
        """A constant array; gives its name."""
        array = np.asarray(values).ravel()
        if array.dtype.kind == "f":
            items = [f"{float(value).hex()}f" for value in array]
        else:
            # The most negative int has no literal of its own type.
            items = ["INT32_MIN" if value == -(1 << 31) else str(int(value)) for value in array]
        self.tables.append(f"static _Alignas(8) const {c_name} {name}[{array.size}] = {{\n{lines(items)}\n}};")
        sizes = {"int8_t": 1, "uint8_t": 1, "int16_t": 2, "uint16_t": 2, "int64_t": 8}
        # Compilers store equal constants once, as those of an unrolled layer's steps.
        key = c_name, array.dtype.str, array.tobytes()
        if key not in self._counted:
            self._counted.add(key)
            self.table_bytes += array.size * sizes.get(c_name, 4)
        return name

    def address(self, value: Value) -> str:
        """C expression of a value's first element, without its type."""
        if self._inside is not None and value.id in self._inside.pointers:
            return self._inside.pointers[value.id]
        if value.data is None:
            return f"(arena + {self.plan.values[value.id]})"
        if value.id not in self._constants:
            name = f"constant_{value.id}"
            numbers = np.frombuffer(value.data, dtype=_DTYPES[value.type])
            self._constants[value.id] = self.table(name, c_type(value), numbers)
        return self._constants[value.id]

    def source(self, value: Value, name: str = "in") -> str:
        """Declaration of a pointer to read a value."""
        kind = self.arena_type(value)
        return f"const {kind} *const {name} = (const {kind} *){self.address(value)};"

    def target(self, value: Value, name: str = "out") -> str:
        """Declaration of a pointer to write a value."""
        kind = self.arena_type(value)
        return f"{kind} *{name} = ({kind} *){self.address(value)};"

    def arena_type(self, value: Value) -> str:
        """The C type of a value's elements where they lie in the arena, an array of bytes."""
        if value.type not in _ALIASES:
            return c_type(value)
        return self.alias(_ALIASES[value.type], c_type(value))

    def alias(self, name: str, c_name: str) -> str:
        """Ask for a type whose values may lie in the arena, an array of bytes; gives its name."""
        self.helper("ALIAS", _ALIAS)
        self.helper(name, f"typedef {c_name} ALIAS {name};")
        return name

    def scratch(self, position: int) -> str:
        """C expression of the layer's scratch bytes."""
        return f"(arena + {self.plan.scratch[position]})" if self._inside is None else self._inside.scratch

    def state(self, position: int) -> str:
        """C expression of the layer's bytes that last from run to run."""
        return f"(state + {self.states[position]})"

    @contextmanager
    def inside(self, layer: Layer, suffix: str, scratch: str, of_row: bool = False) -> Iterator[None]:
        """Within, the layer is emitted as a function with pointers to its input and output, called by another layer's.

        With `of_row` it makes output row `row` alone, the function's third parameter, from the whole input.
        """
        pointers = {layer.inputs[0].id: "source", layer.output.id: "target"}
        self._inside = _Inside(pointers, scratch, suffix, of_row)
        try:
            yield
        finally:
            self._inside = None

    def layer(self, layer: Layer, position: int, body: str, note: str = "") -> None:
        """Add a layer's function."""
        function = self.function_name(layer, position)
        shapes = " + ".join(shape_text(value) for value in layer.inputs)
        results = " + ".join(shape_text(value) for value in layer.outputs)
        names = ", ".join(f'"{value.name}"' for value in layer.outputs)
        head = f"/* {position}: {layer.title} {shapes} -> {results}{note}\n   {comment(names)} */"
        if self._inside is not None:
            row = ", int row" if self._inside.of_row else ""
            told = self.parameter and f"{self.parameter}, "
            signature = f"{function}_{self._inside.suffix}({told}const int8_t *source, int8_t *target{row})"
            self.functions.append(f"{head}\nLAYER static void {signature} {{\n{indent(body)}\n}}")
            return
        self.functions.append(
            f"{head}\nLAYER static void {function}({self.parameter or 'void'}) {{\n{indent(body)}\n}}"
        )
        self.calls.append(f"{function}({self.argument});")

    @property
    def parameter(self) -> str:
        """Of every function that knows the arena; "" where it is an array."""
        return "int8_t *const arena" if self.by_argument else ""

    @property
    def argument(self) -> str:
        """What such a function is called with."""
        return "arena" if self.by_argument else ""

    def prefix(self, position: int) -> str:
        """What names of a layer's tables begin with."""
        return f"layer_{position:02}" + ("" if self._inside is None else f"_{self._inside.suffix}")

    def row(self, expression: str) -> str:
        """C expression of the row of the output that is computed: the given one, unless the function makes a single row."""
        return "row" if self._inside is not None and self._inside.of_row else expression

    def patch(self, layer: Layer, position: int) -> tuple[str, str]:
        """Of a function that collects a pixel's inputs: its name and parentheses up to the first parameter, and a call's."""
        name = f"{self.function_name(layer, position)}_patch"
        told, tells = (f"{self.parameter}, ", f"{self.argument}, ") if self.by_argument else ("", "")
        if self._inside is None:
            return f"{name}({told}", f"{name}({tells}"
        name = f"{name}_{self._inside.suffix}"
        return f"{name}({told}const int8_t *source, ", f"{name}({tells}source, "

    def function_name(self, layer: Layer, position: int) -> str:
        """Name of a layer's function."""
        return f"layer_{position:02}_{layer.title.lower()}"


def indent(text: str, by: str = "  ") -> str:
    """Text with every line indented."""
    return "\n".join(by + line if line else line for line in text.strip("\n").split("\n"))
