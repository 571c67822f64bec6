"""Element-wise layers and data movement in plain C."""

from thermo_core.tflite.schema import TensorType
from thermo_quantize.compiler.emit.common import clamping, offset, scaling, term
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
        """About 40 an element."""
        return 40 * self.layer.output.elements

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
        """About 5 an element."""
        return 5 * self.layer.output.elements

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


class PlainMove(Kernel[Move]):
    """Loop nests that copy; runs of bytes by memcpy."""

    @property
    def instructions(self) -> int:
        """About 3 an element."""
        return 3 * sum(value.elements for value in self.layer.outputs)

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
        if strides[-1] == to_strides[-1] == 1 and sizes[-1] >= 4:
            width = self.layer.output.size // max(self.layer.output.elements, 1)
            run = sizes[-1] * width
            outer = f"memcpy({target} + {walk(to_strides[:-1])}, {source} + {walk(strides[:-1])}, {run});"
            return nest(sizes[:-1], outer) if len(sizes) > 1 else f"memcpy({target}, {source}, {run});"
        target = f"out{copy.to_number}[{offset(walk(to_strides), copy.to)}]"
        return nest(sizes, f"{target} = in{copy.number}[{offset(walk(strides), copy.start)}];")


class PlainGather(Kernel[Gather]):
    """RESIZE_NEAREST_NEIGHBOR by tables of rows and columns."""

    @property
    def instructions(self) -> int:
        """About 3 an element."""
        return 3 * self.layer.output.elements

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
        """About 40 an element."""
        return 40 * self.layer.output.elements

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
