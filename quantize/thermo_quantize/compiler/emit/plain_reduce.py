"""Pools, means and softmax in plain C."""

from math import prod

from thermo_quantize.compiler.emit.common import clamping, multiplying, offset, scaling, term
from thermo_quantize.compiler.emit.costs import UNROLLED, rows_inside, taps_inside
from thermo_quantize.compiler.emit.kernel import Kernel, window_lag
from thermo_quantize.compiler.emit.unit import Unit, c_type, indent
from thermo_quantize.compiler.fixed_point import RANGES
from thermo_quantize.compiler.ir import Ints, Mean, Pool, Softmax
from thermo_quantize.compiler.memory import Overlap


class PlainPool(Kernel[Pool]):
    """AVERAGE_POOL_2D and MAX_POOL_2D."""

    def overlap(self, number: int) -> Overlap:
        """Channels are written while others of the same pixel are still read."""
        pixel = self.layer.channels * (self.layer.output.type.size or 1)
        return Overlap(lag=window_lag(self.layer.window, pixel, pixel, buffered=False))

    @property
    def instructions(self) -> int:
        """About 4 a tap of a maximum and 2.5 of a mean, and what windows that are cut off take."""
        layer, window = self.layer, self.layer.window
        taps, rows = taps_inside(window) * layer.channels, rows_inside(window) * layer.channels
        whole = self.is_whole
        tap, output = (2.5, 7) if layer.average else (4.2, 0.5)
        if not whole:
            output += 10
            rows *= 10
        if (layer.low, layer.high) != (-128, 127):
            output += 3
        return round(tap * taps + output * layer.output.elements + (0 if whole else rows))

    @property
    def is_whole(self) -> bool:
        """No window is cut off by the edge."""
        window = self.layer.window
        down, across = (window.out_h - 1) * window.stride_h, (window.out_w - 1) * window.stride_w
        inside = down + window.kernel_h <= window.in_h and across + window.kernel_w <= window.in_w
        return inside and window.pad_h == window.pad_w == 0

    def emit(self, unit: Unit, position: int) -> None:
        """The window is clipped to the image once a pixel."""
        layer, window = self.layer, self.layer.window
        whole_range, kind = RANGES[layer.output.type], c_type(layer.output)
        if layer.average:
            start, step = "0", "value += row[kx * {c}];"
            finish = "value = (value + (value > 0 ? count / 2 : -(count / 2))) / count;"
            count = "const int count = (bottom - top) * (right - left);\n    "
        else:
            start, finish, count = str(whole_range[0]), "", ""
            step = "value = row[kx * {c}] > value ? row[kx * {c}] : value;"
        whole = self.is_whole

        def bounds(axis: str, low: str, high: str, size: int, stride: int, pad: int, taps: int) -> str:
            at = offset(term(axis, stride), -pad)
            if whole:
                return f"const int {low} = {at}, {high} = {low} + {taps};"
            first = f"{at} < 0 ? 0 : {at}" if pad else at
            return f"const int {low} = {first}, {high} = {at} + {taps} > {size} ? {size} : {at} + {taps};"

        row_bounds = bounds("y", "top", "bottom", window.in_h, window.stride_h, window.pad_h, window.kernel_h)
        column_bounds = bounds("x", "left", "right", window.in_w, window.stride_w, window.pad_w, window.kernel_w)
        limits = (layer.low, layer.high)
        if limits != whole_range:
            clamping(unit)
        result = "value" if limits == whole_range else f"clamp(value, {layer.low}, {layer.high})"
        body = f"""
{unit.source(layer.inputs[0])}
{unit.target(layer.output)}
for (int y = 0; y < {window.out_h}; y++) {{
  {row_bounds}
  for (int x = 0; x < {window.out_w}; x++) {{
    {column_bounds}
    {count}for (int c = 0; c < {layer.channels}; c++) {{
      int32_t value = {start};
      for (int ky = top; ky < bottom; ky++) {{
        const {unit.arena_type(layer.output)} *const row = in + {term(f"ky * {window.in_w}", layer.channels)} + c;
        for (int kx = left; kx < right; kx++) {{
          {step.format(c=layer.channels)}
        }}
      }}
      {finish}
      *out++ = ({kind}){result};
    }}
  }}
}}"""
        unit.layer(layer, position, body, f", {window.kernel_h}x{window.kernel_w} window")


def loops(sizes: Ints, strides: Ints, letter: str) -> tuple[list[str], str]:
    """Opening lines of a loop nest, and the offset it walks."""
    opens = [f"for (int {letter}{n} = 0; {letter}{n} < {size}; {letter}{n}++) {{" for n, size in enumerate(sizes)]
    walk = " + ".join(f"{letter}{n} * {stride}" for n, stride in enumerate(strides))
    return opens, walk


class PlainMean(Kernel[Mean]):
    """MEAN and SUM over any axes."""

    @property
    def instructions(self) -> int:
        """18 an output, and about 2 an input where GCC unrolls the loop, 5 where not."""
        layer = self.layer
        short = prod(layer.reduced[0]) <= UNROLLED
        return (9 * layer.inputs[0].elements) // (5 if short else 2) + 18 * layer.output.elements

    def emit(self, unit: Unit, position: int) -> None:
        """One sum an output, through 64 bits only once."""
        layer = self.layer
        scaling(unit)
        count = 1
        for size in layer.reduced[0]:
            count *= size
        outer, start = loops(*layer.kept, "i")
        inner, walk = loops(*layer.reduced, "j")
        kind, (low, high) = ("(uint8_t)", (0, 255)) if layer.unsigned else ("", RANGES[layer.output.type])
        total = "\n".join(inner) + f"\nsum += {kind}in[start + {walk}];\n" + "}" * len(inner)
        zero = f"{layer.output_zero_point}"
        body = f"""
const int start = {start};
int32_t sum = {-layer.input_zero_point * count};
{total}
*out++ = ({c_type(layer.output)}){kind}clamp(scale(sum, {layer.multiplier}, {layer.exponent}) + {zero}, {low}, {high});"""
        nest = "\n".join(outer) + indent(body) + "\n" + "}" * len(outer)
        unit.layer(layer, position, f"{unit.source(layer.inputs[0])}\n{unit.target(layer.output)}\n{nest}")


_SOFTMAX = """
/* 2^62 / (sum * 2^places) of a sum with 12 bits before the point, by three Newton steps with two of them. */
static int32_t reciprocal(uint32_t sum, int *places) {
  int before = 12;
  for (; !(sum >> 31); before--) {
    sum <<= 1;
  }
  *places = before;
  const int32_t half = (int32_t)((sum - (1U << 31)) >> 1) + (1 << 30);
  int32_t value = 1515870810 + high_multiply(half, -1010580540); /* 48/17 - 32/17 half */
  for (int i = 0; i < 3; i++) {
    value += shift_left(high_multiply(value, (1 << 29) - high_multiply(half, value)), 2);
  }
  return shift_left(value, 1);
}
"""


class PlainSoftmax(Kernel[Softmax]):
    """SOFTMAX in the reference's fixed point: exponentials by a table, their sum's reciprocal by Newton's method."""

    def overlap(self, number: int) -> Overlap:
        """In place: a row is read to its end before it is written from its start."""
        return Overlap(lag=0)

    @property
    def instructions(self) -> int:
        """About 23 an element, 70 a row."""
        return 23 * self.layer.output.elements + 70 * self.layer.rows

    def emit(self, unit: Unit, position: int) -> None:
        """Three passes a row: largest, sum, results."""
        layer = self.layer
        multiplying(unit)
        unit.helper("reciprocal", _SOFTMAX)
        table = unit.table(f"{unit.prefix(position)}_exponentials", "int32_t", layer.exponentials)
        body = f"""
{unit.source(layer.inputs[0])}
{unit.target(layer.output)}
for (int r = 0; r < {layer.rows}; r++, in += {layer.depth}) {{
  int32_t largest = -128;
  for (int i = 0; i < {layer.depth}; i++) {{
    largest = in[i] > largest ? in[i] : largest;
  }}
  const int32_t *const exponential = {table} + 255 - largest;
  uint32_t sum = 0;
  for (int i = 0; i < {layer.depth}; i++) {{
    sum += ((uint32_t)exponential[in[i]] + (1U << 11)) >> 12;
  }}
  int places;
  const int32_t inverse = reciprocal(sum, &places);
  /* Where some 500 are alike each score is less than half a step. */
  const int shift = places + 23 > 31 ? 31 : places + 23;
  const uint32_t half = places + 23 > 31 ? 0 : 1U << (shift - 1);
  for (int i = 0; i < {layer.depth}; i++) {{
    const uint32_t score = ((uint32_t)high_multiply(inverse, exponential[in[i]]) + half) >> shift;
    *out++ = (int8_t)((int32_t)(score > 255 ? 255 : score) - 128);
  }}
}}"""
        body = body.replace("const int8_t *const in", "const int8_t *in")
        unit.layer(layer, position, body)
