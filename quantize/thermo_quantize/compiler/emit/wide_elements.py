"""Arithmetic and functions of int16 elements in plain C."""

from thermo_quantize.compiler.emit.common import clamping, offset, scaling, term
from thermo_quantize.compiler.emit.kernel import Kernel
from thermo_quantize.compiler.emit.plain_elements import nest, walk
from thermo_quantize.compiler.emit.unit import Unit, c_type
from thermo_quantize.compiler.emit.wide_conv import SCALE_WIDE, narrowed
from thermo_quantize.compiler.ir_functions import MatMul
from thermo_quantize.compiler.ir_wide import Rescale, WideBinary, WideSigmoid, WideSoftmax
from thermo_quantize.compiler.lower.arithmetic import row_major
from thermo_quantize.compiler.memory import NONE, Overlap

_HALVED = """
/* value / 2^exponent, halves away from zero. */
static inline int32_t halved(int32_t value, int exponent) {
  return (value + (1 << (exponent - 1)) - (value < 0)) >> exponent;
}
"""

_LOOK_UP = """
/* A function of int16 from every 128th of its values, with straight lines between. */
static inline int32_t look_up(const int16_t *table, int32_t value) {
  const int index = (value >> 7) + 256;
  return table[index] + (((table[index + 1] - table[index]) * (value & 127) + 64) >> 7);
}
"""


class WideBinaryKernel(Kernel[WideBinary]):
    """ADD, SUB, MUL, MAXIMUM and MINIMUM with broadcasting."""

    def overlap(self, number: int) -> Overlap:
        """In place where the input is as large as the output."""
        whole = self.layer.strides[number] == tuple(row_major(self.layer.sizes))
        return Overlap(lag=0) if whole else NONE

    @property
    def instructions(self) -> int:
        """About 22 an element."""
        return 22 * self.layer.output.elements

    def emit(self, unit: Unit, position: int) -> None:
        """Both inputs raised by 2^15 and scaled to twice the larger scale; products directly; powers of two by a shift."""
        layer = self.layer
        first, second = (f"in{n}[{walk(layer.strides[n])}]" for n in (0, 1))
        pairs = [f"{m}, {e}" for m, e in layer.multipliers]
        sign = {"SUB": "-", "MAXIMUM": ">", "MINIMUM": "<"}.get(layer.operation, "+")
        if layer.operation in ("MAXIMUM", "MINIMUM"):
            clamping(unit)
            value = f"({first} {sign} {second} ? {first} : {second})"
        elif layer.shifts is not None:
            clamping(unit)
            shifted = []
            for text, shift in zip((first, second), layer.shifts, strict=True):
                if shift:
                    unit.helper("halved", _HALVED)
                shifted.append(f"halved({text}, {-shift})" if shift else text)
            value = f"clamp({shifted[0]} {sign} {shifted[1]}, -32768, 32767)"
        elif layer.operation == "MUL":
            scaling(unit)
            value = f"scale({first} * {second}, {pairs[0]})"
        else:
            scaling(unit)
            raised = [f"scale({text} * (1 << 15), {pair})" for text, pair in zip((first, second), pairs, strict=False)]
            value = f"scale({raised[0]} {sign} {raised[1]}, {pairs[2]})"
        statement = f"*out++ = (int16_t)clamp({value}, {layer.low}, {layer.high});"
        sources = "\n".join(unit.source(value, f"in{n}") for n, value in enumerate(layer.inputs))
        unit.layer(layer, position, f"{sources}\n{unit.target(layer.output)}\n{nest(layer.sizes, statement)}")


class RescaleKernel(Kernel[Rescale]):
    """QUANTIZE between integers, RELU and its kin, LEAKY_RELU."""

    def overlap(self, number: int) -> Overlap:
        """In place, where elements do not grow."""
        grown = self.layer.output.size - self.layer.inputs[0].size
        return Overlap(lag=0 if grown <= 0 else -grown)

    @property
    def instructions(self) -> int:
        """About 12 an element, or 19 with two scales."""
        return (12 if self.layer.above == self.layer.below else 19) * self.layer.output.elements

    def emit(self, unit: Unit, position: int) -> None:
        """One scaling an element, by its sign."""
        layer = self.layer
        scaling(unit)
        above, below = (f"scale(value, {m}, {e})" for m, e in (layer.above, layer.below))
        scaled = above if above == below else f"(value < 0 ? {below} : {above})"
        value = offset("in[i0]", -layer.zero_points[0])
        result = f"({c_type(layer.output)})clamp({offset(scaled, layer.zero_points[1])}, {layer.low}, {layer.high})"
        loop = nest((layer.output.elements,), f"const int32_t value = {value};\nout[i0] = {result};")
        unit.layer(layer, position, f"{unit.source(layer.inputs[0])}\n{unit.target(layer.output)}\n{loop}")


class WideSigmoidKernel(Kernel[WideSigmoid]):
    """LOGISTIC and TANH by one table, which holds half of the sigmoid: tanh(x) = 2 sigmoid(2 x) - 1."""

    def overlap(self, number: int) -> Overlap:
        """In place."""
        return Overlap(lag=0)

    @property
    def instructions(self) -> int:
        """About 23 an element."""
        return 23 * self.layer.output.elements

    def emit(self, unit: Unit, position: int) -> None:
        """A straight line between two entries of the input's magnitude, mirrored below zero."""
        layer, shift = self.layer, self.layer.shift
        table = unit.table(f"{unit.prefix(position)}_sigmoid", "uint16_t", layer.table)
        bits = 8 if layer.tanh else 9
        scaled = f"in[i0] * {layer.multiplier}"
        scaled = f"({scaled} + {1 << (shift - 1)}) >> {shift}" if shift else scaled
        most = "0xFFFF << 8" if layer.tanh else "0x7FFF << 10"
        if layer.tanh:
            below, above = f"-line + {(1 << 23) + 127}", f"line - {(1 << 23) - 128}"
        else:
            below, above = f"{(1 << 25) + 511} - line", "line + 512"
        statement = f"""const int32_t value = {scaled};
const int32_t size = value < 0 ? -value : value, index = size >> {bits};
int32_t line = {most};
if (index < 255) {{
  const int32_t low = {table}[index];
  line = low * {1 << bits} + ({table}[index + 1] - low) * (size & {(1 << bits) - 1});
}}
out[i0] = (int16_t)((value < 0 ? {below} : {above}) >> {8 if layer.tanh else 10});"""
        loop = nest((layer.output.elements,), statement)
        unit.layer(layer, position, f"{unit.source(layer.inputs[0])}\n{unit.target(layer.output)}\n{loop}")


class WideSoftmaxKernel(Kernel[WideSoftmax]):
    """SOFTMAX by two interpolated tables: exp(x), and the reciprocal of the sum."""

    def overlap(self, number: int) -> Overlap:
        """In place: each pass over a row reads an element before it writes it."""
        return Overlap(lag=0)

    @property
    def instructions(self) -> int:
        """About 46 an element."""
        return 46 * self.layer.output.elements

    def emit(self, unit: Unit, position: int) -> None:
        """Three passes a row: largest, exponentials and their sum, results."""
        layer, prefix = self.layer, unit.prefix(position)
        scaling(unit)
        unit.helper("look_up", _LOOK_UP)
        exponentials = unit.table(f"{prefix}_exponentials", "int16_t", layer.exponentials)
        reciprocals = unit.table(f"{prefix}_reciprocals", "int16_t", layer.reciprocals)
        multiplier, exponent = layer.scale
        source = unit.source(layer.inputs[0]).replace("*const in", "*in")
        body = f"""
{source}
{unit.target(layer.output)}
for (int r = 0; r < {layer.rows}; r++, in += {layer.depth}, out += {layer.depth}) {{
  int32_t largest = -32768, sum = 0, places = 0;
  for (int i = 0; i < {layer.depth}; i++) {{
    largest = in[i] > largest ? in[i] : largest;
  }}
  for (int i = 0; i < {layer.depth}; i++) {{
    const int32_t below = scale(in[i] - largest, {multiplier}, {exponent});
    out[i] = (int16_t)look_up({exponentials}, clamp(below + 32767, -32768, 32767));
    sum += out[i];
  }}
  while (sum < 1 << 30 >> places) {{
    places++;
  }}
  /* The sum is 1 + x times a power of two; x in steps of 2^-16, less the middle of its range. */
  const int32_t x = (int32_t)((((int64_t)sum << places) + (1 << 13)) >> 14) - (1 << 15) - (1 << 16);
  const int32_t reciprocal = look_up({reciprocals}, clamp(x, -32768, 32767));
  const int shift = 30 - places;
  for (int i = 0; i < {layer.depth}; i++) {{
    out[i] = (int16_t)clamp((out[i] * reciprocal + (1 << (shift - 1))) >> shift, 0, 32767);
  }}
}}"""
        unit.layer(layer, position, body)


class WideMatMulKernel(Kernel[MatMul]):
    """BATCH_MATMUL, sums of 64 bits."""

    @property
    def instructions(self) -> int:
        """About 8 a product, 30 an output."""
        return 8 * self.layer.macs + 30 * self.layer.output.elements

    def emit(self, unit: Unit, position: int) -> None:
        """Loops over batches, rows, columns and products."""
        layer = self.layer
        clamping(unit)
        unit.helper("scale_wide", SCALE_WIDE)
        sizes, *batches = layer.batches
        multiplier, shift = narrowed((layer.multiplier, layer.exponent))
        first = f"in0[{walk(batches[0])} + {term('r', layer.first[0])} + {term('k', layer.first[1])}]"
        second = f"in1[{walk(batches[1])} + {term('k', layer.second[0])} + {term('c', layer.second[1])}]"
        product = f"""for (int r = 0; r < {layer.rows}; r++) {{
  for (int c = 0; c < {layer.columns}; c++) {{
    int64_t sum = 0;
    for (int k = 0; k < {layer.depth}; k++) {{
      sum += {first} * {second};
    }}
    *out++ = (int16_t)clamp(scale_wide(sum, {multiplier}, {shift}), -32768, 32767);
  }}
}}"""
        sources = "\n".join(unit.source(value, f"in{n}") for n, value in enumerate(layer.inputs))
        unit.layer(
            layer, position, f"{sources}\n{unit.target(layer.output)}\n{nest(sizes, product)}", f", {layer.macs} MACs"
        )
