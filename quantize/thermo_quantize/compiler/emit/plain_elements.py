"""Element-wise layers and data movement in plain C."""

from math import prod

from thermo_core.tflite.schema import TensorType
from thermo_quantize.compiler.emit.common import clamping, offset, scaling, term
from thermo_quantize.compiler.emit.costs import UNROLLED
from thermo_quantize.compiler.emit.kernel import Kernel
from thermo_quantize.compiler.emit.unit import Unit, c_type, indent
from thermo_quantize.compiler.fixed_point import RANGES
from thermo_quantize.compiler.ir import Bilinear, Binary, Convert, Copy, Gather, Lookup, Move
from thermo_quantize.compiler.lower.arithmetic import row_major
from thermo_quantize.compiler.memory import NONE, Overlap


def nest(sizes: tuple[int, ...], statement: str) -> str:
    """Loops over i0, i1, ... around a statement."""
    opens = [f"{'  ' * n}for (int i{n} = 0; i{n} < {size}; i{n}++) {{" for n, size in enumerate(sizes)]
    closes = [f"{'  ' * n}}}" for n in reversed(range(len(sizes)))]
    return "\n".join([*opens, indent(statement, "  " * len(sizes)), *closes])


def walk(strides: tuple[int, ...]) -> str:
    """Offset of element i0, i1, ..."""
    terms = [term(f"i{n}", stride) for n, stride in enumerate(strides) if stride]
    return " + ".join(terms) or "0"


class PlainBinary(Kernel[Binary]):
    """ADD, SUB and MUL with broadcasting."""

    def overlap(self, number: int) -> Overlap:
        """In place where the input is as large as the output."""
        whole = self.layer.strides[number] == tuple(row_major(self.layer.sizes))
        return Overlap(lag=0) if whole else NONE

    @property
    def instructions(self) -> int:
        """45 an element for sums, 24 for products."""
        return (24 if self.layer.operation == "MUL" else 45) * self.layer.output.elements

    def emit(self, unit: Unit, position: int) -> None:
        """Both inputs raised by 2^20 and scaled to twice the larger scale, as the reference does; products directly."""
        layer = self.layer
        scaling(unit)
        first, second = (f"({offset(f'in{n}[{walk(layer.strides[n])}]', -layer.zero_points[n])})" for n in (0, 1))
        pairs = [f"{m}, {e}" for m, e in layer.multipliers]
        if layer.operation == "MUL":
            value = f"scale({first} * {second}, {pairs[0]})"
        else:
            sign = "+" if layer.operation == "ADD" else "-"
            value = f"scale(scale({first} * (1 << 20), {pairs[0]}) {sign} scale({second} * (1 << 20), {pairs[1]}), {pairs[2]})"
        statement = f"*out++ = (int8_t)clamp({offset(value, layer.zero_points[2])}, {layer.low}, {layer.high});"
        sources = "\n".join(unit.source(value, f"in{n}") for n, value in enumerate(layer.inputs))
        unit.layer(layer, position, f"{sources}\n{unit.target(layer.output)}\n{nest(layer.sizes, statement)}")


class PlainLookup(Kernel[Lookup]):
    """A table of 256 bytes."""

    def overlap(self, number: int) -> Overlap:
        """In place."""
        return Overlap(lag=0)

    @property
    def instructions(self) -> int:
        """4 an element."""
        return 4 * self.layer.output.elements + 15

    def emit(self, unit: Unit, position: int) -> None:
        """One read an element."""
        layer = self.layer
        signed = layer.output.type is TensorType.INT8
        values = [byte - 256 if signed and byte > 127 else byte for byte in layer.table]
        table = unit.table(f"{unit.prefix(position)}_table", c_type(layer.output), values)
        unit.layer(
            layer,
            position,
            f"{unit.source(layer.inputs[0])}\n{unit.target(layer.output)}\n"
            + nest((layer.output.elements,), f"out[i0] = {table}[(uint8_t)in[i0]];"),
            ", a table",
        )


def run_instructions(size: int) -> int:
    """About what memcpy takes for so many bytes; GCC writes short ones out, in words where they are whole."""
    if size > 64:
        return 23 + size * 8 // 15
    return 4 + size // 5 if size % 4 == 0 else 5 + size // 2 + 2 * (size % 4 == 3)


class PlainMove(Kernel[Move]):
    """Loop nests that copy; runs of bytes by memcpy."""

    @property
    def instructions(self) -> int:
        """What copies take, one byte in two instructions where they fill first."""
        filled = 0 if self.layer.fill is None else 30 + self.layer.output.size // 2
        return filled + sum(map(self._copy_instructions, self.layer.copies))

    def _copy_instructions(self, copy: Copy) -> int:
        if self._is_run(copy):
            runs, size = prod(copy.sizes[:-1]), copy.sizes[-1] * self._width
            return runs * run_instructions(size)
        unrolled = 1
        for size in reversed(copy.sizes):
            if unrolled * size > UNROLLED:
                break
            unrolled *= size
        elements = prod(copy.sizes)
        return 5 * elements + 10 if unrolled == 1 else 3 * elements // 2 + 2 * elements // unrolled

    @property
    def _width(self) -> int:
        return self.layer.output.size // max(self.layer.output.elements, 1)

    @staticmethod
    def _is_run(copy: Copy) -> bool:
        return copy.strides[-1] == copy.to_strides[-1] == 1 and copy.sizes[-1] >= 4

    def emit(self, unit: Unit, position: int) -> None:
        """Fill, then every copy."""
        layer = self.layer
        unit.includes.add("<string.h>")
        parts = [unit.source(value, f"in{n}") for n, value in enumerate(layer.inputs)]
        parts += [unit.target(value, f"out{n}").replace("*", "*const ", 1) for n, value in enumerate(layer.outputs)]
        if layer.fill is not None:
            parts.append(f"memset(out0, {layer.fill}, {layer.output.size});")
        parts += [self._copy(copy) for copy in layer.copies]
        unit.layer(layer, position, "\n".join(parts))

    def _copy(self, copy: Copy) -> str:
        source = offset(f"in{copy.number}", copy.start)
        target = offset(f"out{copy.to_number}", copy.to)
        sizes, strides, to_strides = copy.sizes, copy.strides, copy.to_strides
        if self._is_run(copy):
            run = sizes[-1] * self._width
            outer = f"memcpy({target} + {walk(to_strides[:-1])}, {source} + {walk(strides[:-1])}, {run});"
            return nest(sizes[:-1], outer) if len(sizes) > 1 else f"memcpy({target}, {source}, {run});"
        target = f"out{copy.to_number}[{offset(walk(to_strides), copy.to)}]"
        return nest(sizes, f"{target} = in{copy.number}[{offset(walk(strides), copy.start)}];")


class PlainGather(Kernel[Gather]):
    """RESIZE_NEAREST_NEIGHBOR by tables of rows and columns."""

    @property
    def instructions(self) -> int:
        """A run and where it starts, a pixel."""
        layer = self.layer
        return len(layer.rows) * len(layer.columns) * (4 + run_instructions(layer.channels))

    def emit(self, unit: Unit, position: int) -> None:
        """A run of channels a pixel."""
        layer = self.layer
        unit.includes.add("<string.h>")
        kind = "uint16_t" if max(*layer.rows, *layer.columns, 0) < 1 << 16 else "uint32_t"
        rows = unit.table(f"{unit.prefix(position)}_rows", kind, list(layer.rows))
        columns = unit.table(f"{unit.prefix(position)}_columns", kind, list(layer.columns))
        statement = (
            f"memcpy(out + (i0 * {len(layer.columns)} + i1) * {layer.channels}, "
            f"in + ({rows}[i0] * {layer.in_w} + {columns}[i1]) * {layer.channels}, "
            f"{layer.channels * (layer.output.type.size or 1)});"
        )
        loops = nest((len(layer.rows), len(layer.columns)), statement)
        unit.layer(layer, position, f"{unit.source(layer.inputs[0])}\n{unit.target(layer.output)}\n{loops}")


class PlainBilinear(Kernel[Bilinear]):
    """RESIZE_BILINEAR with the reference's weights of ten bits."""

    @property
    def instructions(self) -> int:
        """22 an element, 10 a pixel."""
        return 22 * self.layer.output.elements + 10 * self.layer.output.elements // self.layer.channels

    def emit(self, unit: Unit, position: int) -> None:
        """Four products an element."""
        layer = self.layer
        prefix, kind = unit.prefix(position), unit.arena_type(layer.output)
        # Sums of 8-bit values need no more than 29 bits.
        wide = layer.output.type is not TensorType.INT8
        number, cast = ("int64_t", "(int64_t)") if wide else ("int32_t", "")
        place = (
            "int16_t"
            if max(number for entry in (*layer.rows, *layer.columns) for number in entry) < 1 << 15
            else "int32_t"
        )
        rows = unit.table(f"{prefix}_rows", place, [list(row) for row in layer.rows])
        columns = unit.table(f"{prefix}_columns", place, [list(column) for column in layer.columns])
        body = f"""
{unit.source(layer.inputs[0])}
{unit.target(layer.output)}
for (int y = 0; y < {len(layer.rows)}; y++) {{
  const {place} *const row = {rows} + 3 * y;
  for (int x = 0; x < {len(layer.columns)}; x++) {{
    const {place} *const column = {columns} + 3 * x;
    const {kind} *const a = in + (row[0] * {layer.in_w} + column[0]) * {layer.channels};
    const {kind} *const b = in + (row[0] * {layer.in_w} + column[1]) * {layer.channels};
    const {kind} *const c = in + (row[1] * {layer.in_w} + column[0]) * {layer.channels};
    const {kind} *const d = in + (row[1] * {layer.in_w} + column[1]) * {layer.channels};
    for (int i = 0; i < {layer.channels}; i++) {{
      const int32_t upper = a[i] * (1024 - column[2]) + b[i] * column[2];
      const int32_t lower = c[i] * (1024 - column[2]) + d[i] * column[2];
      const {number} sum = {cast}upper * (1024 - row[2]) + {cast}lower * row[2];
      *out++ = ({c_type(layer.output)})((sum + (sum > 0 ? 1 << 19 : -(1 << 19))) / (1 << 20));
    }}
  }}
}}"""
        unit.layer(layer, position, body)


class PlainConvert(Kernel[Convert]):
    """QUANTIZE of float32 and DEQUANTIZE."""

    def overlap(self, number: int) -> Overlap:
        """In place when elements shrink."""
        small, large = sorted((self.layer.inputs[0].size, self.layer.output.size))
        return Overlap(lag=0 if self.layer.output.size == small else small - large)

    @property
    def instructions(self) -> int:
        """About 15 an element."""
        return 15 * self.layer.output.elements

    def emit(self, unit: Unit, position: int) -> None:
        """Single precision, halves away from zero."""
        layer = self.layer
        factor = f"{float(layer.scale).hex()}f"
        if layer.inputs[0].type is TensorType.FLOAT32:
            unit.includes.add("<math.h>")
            kind, (low, high) = c_type(layer.output), RANGES[layer.output.type]
            name = "quantize" if layer.output.type is TensorType.INT8 else "quantize_16"
            statement = f"out[i0] = {name}(in[i0] / {factor}, {layer.zero_point});"
            clamping(unit)
            far = "1000.0f" if layer.output.type is TensorType.INT8 else "100000.0f"
            unit.helper(name, _QUANTIZE.format(kind=kind, name=name, low=low, high=high, far=far))
        else:
            statement = f"out[i0] = (float)({offset('in[i0]', -layer.zero_point)}) * {factor};"
        loops = nest((layer.output.elements,), statement)
        unit.layer(layer, position, f"{unit.source(layer.inputs[0])}\n{unit.target(layer.output)}\n{loops}")


_QUANTIZE = """
static inline {kind} {name}(float quotient, int32_t zero_point) {{
  if (!(quotient > -{far})) {{
    return {low};
  }}
  return quotient > {far} ? {high} : ({kind})clamp((int32_t)roundf(quotient) + zero_point, {low}, {high});
}}
"""
