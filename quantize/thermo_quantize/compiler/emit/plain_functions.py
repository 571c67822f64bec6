"""Extremes, L2 normalisation and products of computed matrices in plain C."""

from math import prod

from thermo_quantize.compiler.emit.common import clamping, multiplying, offset, scaling, term
from thermo_quantize.compiler.emit.costs import UNROLLED
from thermo_quantize.compiler.emit.kernel import Kernel
from thermo_quantize.compiler.emit.plain_elements import nest, walk
from thermo_quantize.compiler.emit.plain_reduce import loops
from thermo_quantize.compiler.emit.unit import Unit, c_type, indent
from thermo_quantize.compiler.fixed_point import RANGES
from thermo_quantize.compiler.ir_functions import MatMul, Normalise, Reduce
from thermo_quantize.compiler.memory import Overlap


class PlainReduce(Kernel[Reduce]):
    """REDUCE_MAX and REDUCE_MIN."""

    @property
    def instructions(self) -> int:
        """4 an input where GCC unrolls the loop, 6 where not."""
        layer = self.layer
        return (4 if prod(layer.reduced[0]) <= UNROLLED else 6) * layer.inputs[0].elements + 4 * layer.output.elements

    def emit(self, unit: Unit, position: int) -> None:
        """Loops over outputs around loops over what each is made from."""
        layer = self.layer
        least, greatest = RANGES[layer.output.type]
        first, sign = (least, ">") if layer.largest else (greatest, "<")
        outer, start = loops(*layer.kept, "i")
        inner, place = loops(*layer.reduced, "j")
        read = f"in[start + {place}]"
        body = f"""
const int start = {start};
int32_t value = {first};
{chr(10).join(inner)}
value = {read} {sign} value ? {read} : value;
{"}" * len(inner)}
*out++ = ({c_type(layer.output)})value;"""
        whole = "\n".join(outer) + indent(body) + "\n" + "}" * len(outer)
        unit.layer(layer, position, f"{unit.source(layer.inputs[0])}\n{unit.target(layer.output)}\n{whole}")


_INVERSE_ROOT = """
/* multiplier * 2^(exponent - 31) = 1 / sqrt(value), by five Newton steps with three integer bits. */
static void inverse_root(int32_t value, int32_t *multiplier, int32_t *exponent) {
  *multiplier = INT32_MAX;
  *exponent = 0;
  if (value <= 1) {
    return;
  }
  int32_t shift = 11;
  for (; value >= 1 << 29; shift++) {
    value /= 4;
  }
  for (; value < 1 << 27; shift--) {
    value *= 4;
  }
  const int32_t start = value >> 1, half = (start >> 1) + (start & 1);
  int32_t root = 1 << 28;
  for (int i = 0; i < 5; i++) {
    const int32_t cube = shift_left(high_multiply(high_multiply(root, root), root), 6);
    root = shift_left(high_multiply(3 << 27, root) - high_multiply(half, cube), 3);
  }
  root = high_multiply(root, 1518500250); /* sqrt(1/2) */
  *multiplier = shift < 0 ? root * (1 << -shift) : root;
  *exponent = shift < 0 ? 0 : -shift;
}
"""
_OUTPUT_BITS = 7


class PlainNormalise(Kernel[Normalise]):
    """L2_NORMALIZATION."""

    def overlap(self, number: int) -> Overlap:
        """In place: a row is summed to its end before it is written from its start."""
        return Overlap(lag=0)

    @property
    def instructions(self) -> int:
        """29 an element and 252 a row."""
        return 29 * self.layer.output.elements + 252 * self.layer.rows

    def emit(self, unit: Unit, position: int) -> None:
        """The sum of squares, its inverse root, and the row times that."""
        layer = self.layer
        scaling(unit)
        clamping(unit)
        multiplying(unit)
        unit.helper("inverse_root", _INVERSE_ROOT)
        value = offset("in[i]", -layer.zero_point)
        body = f"""
{unit.source(layer.inputs[0])}
{unit.target(layer.output)}
for (int r = 0; r < {layer.rows}; r++, in += {layer.depth}) {{
  int32_t sum = 0, multiplier, exponent;
  for (int i = 0; i < {layer.depth}; i++) {{
    const int32_t value = {value};
    sum += value * value;
  }}
  inverse_root(sum, &multiplier, &exponent);
  for (int i = 0; i < {layer.depth}; i++) {{
    *out++ = (int8_t)clamp(scale({value}, multiplier, exponent + {_OUTPUT_BITS}), -128, 127);
  }}
}}""".replace("const int8_t *const in", "const int8_t *in")
        unit.layer(layer, position, body)


class PlainMatMul(Kernel[MatMul]):
    """BATCH_MATMUL: a column of the second input at a time, without its zero point, as 16-bit numbers in scratch."""

    @property
    def scratch(self) -> int:
        """One column."""
        return 2 * self.layer.depth

    @property
    def instructions(self) -> int:
        """5 a product, 17 an output."""
        return 5 * self.layer.macs + 18 * self.layer.output.elements

    def emit(self, unit: Unit, position: int) -> None:
        """The first input's zero point is taken off each sum at once."""
        layer = self.layer
        scaling(unit)
        clamping(unit)
        half = unit.alias("half_t" if "half_t" in unit.helpers else "column_t", "int16_t")
        sizes, *batches = layer.batches
        zero1, zero2, zero_out = layer.zero_points
        value = offset(f"b[{term('k', layer.second[0])}]", -zero2)
        start = f"-{zero1} * total" if zero1 > 0 else f"{-zero1} * total" if zero1 else "0"
        finish = f"clamp({offset(f'scale(sum, {layer.multiplier}, {layer.exponent})', zero_out)}, -128, 127)"
        product = f"""
const int8_t *const a_all = in0 + {walk(batches[0])}, *const b_all = in1 + {walk(batches[1])};
for (int j = 0; j < {layer.columns}; j++) {{
  const int8_t *const b = b_all + {term("j", layer.second[1])};
  int32_t total = 0;
  for (int k = 0; k < {layer.depth}; k++) {{
    column[k] = (int16_t)({value});
    total += column[k];
  }}
  for (int i = 0; i < {layer.rows}; i++) {{
    const int8_t *const a = a_all + {term("i", layer.first[0])};
    int32_t sum = {start};
    for (int k = 0; k < {layer.depth}; k++) {{
      sum += a[{term("k", layer.first[1])}] * column[k];
    }}
    out[{term("i", layer.columns)} + j] = (int8_t){finish};
  }}
}}
out += {layer.rows * layer.columns};"""
        sources = "\n".join(unit.source(value, f"in{n}") for n, value in enumerate(layer.inputs))
        body = f"""
{sources}
{unit.target(layer.output)}
{half} *const column = ({half} *)(void *){unit.scratch(position)};
{nest(sizes, product.strip())}"""
        unit.layer(layer, position, body, f", {layer.macs} MACs")
