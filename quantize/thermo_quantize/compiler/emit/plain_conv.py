"""Convolutions and dense layers in plain C: patch by patch, as dot products a compiler can vectorise."""

from thermo_quantize.compiler.emit.common import finish, offset, products_note, term
from thermo_quantize.compiler.emit.costs import UNROLLED, is_uniform, pixels_inside, taps_inside
from thermo_quantize.compiler.emit.kernel import ConvOrder, Kernel, window_lag
from thermo_quantize.compiler.emit.patch import emit_patch, is_direct, pixel
from thermo_quantize.compiler.emit.unit import Unit
from thermo_quantize.compiler.ir import Conv, Depthwise, TransposeConv
from thermo_quantize.compiler.memory import Overlap

_DOT = """
static inline int32_t dot(const int8_t *a, const int8_t *b, int count, int32_t sum) {
  for (int i = 0; i < count; i++) {
    sum += a[i] * b[i];
  }
  return sum;
}
"""

_FEW = 16
"""Up to here compilers keep a pixel's sums in registers."""


class PlainConv(Kernel[Conv]):
    """CONV_2D and FULLY_CONNECTED."""

    def __init__(self, layer: Conv) -> None:
        super().__init__(layer)
        self._order = ConvOrder(layer)

    @property
    def scratch(self) -> int:
        """One patch; none where outputs can be told from the input in place."""
        return self.layer.depth

    def overlap(self, number: int) -> Overlap:
        """Outputs follow the pixels they were computed from, or go before them."""
        return self._order.overlap(number)

    @property
    def instructions(self) -> int:
        """5 a product without SIMD, 30 an output, one a byte that is copied; about 3 a product that GCC unrolls."""
        layer, window = self.layer, self.layer.window
        depth = layer.depth
        each = 5 * depth + 30
        if depth * layer.channels_out <= 2 * UNROLLED:
            each = 2 * depth + 22
        elif depth <= UNROLLED:
            each = 16 * depth // 5 + (20 if is_uniform(layer.requant) else 36)
        total = each * layer.output.elements + window.pixels * (depth + 12)
        if not is_direct(layer):
            total += (
                5 * window.pixels * window.kernel_h + 20 * (window.pixels - pixels_inside(window)) * window.kernel_h
            )
            if window.dilation_w > 1 or len(layer.sources) > 1:
                total += 15 * taps_inside(window)
        return total

    def emit(self, unit: Unit, position: int) -> None:
        """A loop over pixels and one over channels."""
        layer, window = self.layer, self.layer.window
        prefix = unit.prefix(position)
        unit.helper("dot", _DOT)
        weights = unit.table(f"{prefix}_weights", "int8_t", layer.weights)
        bias = unit.table(f"{prefix}_bias", "int32_t", layer.folded_bias)
        result = finish(
            unit, prefix, layer.requant, f"dot(patch, {weights} + c * {layer.depth}, {layer.depth}, {bias}[c])"
        )
        if is_direct(layer):
            unit.includes.add("<string.h>")
            pointer = unit.source(layer.inputs[0])
            collect = f"memcpy(patch, in + {term('p', layer.depth)}, {layer.depth});"
        else:
            patch = emit_patch(unit, layer, position)
            pointer = ""
            collect = f"{patch}patch, {pixel(unit, 'p', window.out_w)});"
        if self._order.backward:
            loop = f"for (int p = {window.pixels}; p-- > 0;) {{"
            store = f"out[p * {layer.channels_out} + c]"
        else:
            loop, store = f"for (int p = 0; p < {window.pixels}; p++) {{", "*out++"
        target = unit.target(layer.output)
        if self._order.backward:
            target = target.replace("*out", "*const out", 1)
        body = f"""
{pointer}
{target}
int8_t *const patch = (int8_t *){unit.scratch(position)};
{loop}
  {collect}
  for (int c = 0; c < {layer.channels_out}; c++) {{
    {store} = {result};
  }}
}}"""
        unit.layer(layer, position, body.strip(), products_note(layer))


class PlainDepthwise(Kernel[Depthwise]):
    """DEPTHWISE_CONV_2D, all channels of a tap at once."""

    @property
    def scratch(self) -> int:
        """An accumulator a channel."""
        return 4 * self.layer.channels_out

    def overlap(self, number: int) -> Overlap:
        """Outputs follow the pixels they were computed from."""
        return Overlap(lag=window_lag(self.layer.window, self.layer.channels_in, self.layer.channels_out))

    @property
    def instructions(self) -> int:
        """About 9 a product, as the sums are in memory, unless there are few channels."""
        layer, channels = self.layer, self.layer.channels_out
        product, output = (6.3, 22) if channels < _FEW else (8.6, 36)
        if layer.multiplier > 1 and layer.channels_in > 1:
            product += 2
        return round(product * taps_inside(layer.window) * channels + output * layer.output.elements)

    def emit(self, unit: Unit, position: int) -> None:
        """Taps outside of the image are skipped; the zero point is subtracted."""
        layer, window = self.layer, self.layer.window
        prefix = unit.prefix(position)
        unit.includes.add("<string.h>")
        weights = unit.table(f"{prefix}_weights", "int8_t", layer.weights.transpose(1, 2, 0))
        bias = unit.table(f"{prefix}_bias", "int32_t", layer.bias)
        unit.alias("sum_t", "int32_t")
        result = finish(unit, prefix, layer.requant, "sums[c]")
        source = "in[at + c]" if layer.multiplier == 1 else f"in[at + c / {layer.multiplier}]"
        body = f"""
{unit.source(layer.inputs[0])}
{unit.target(layer.output)}
sum_t *const sums = (sum_t *)(void *){unit.scratch(position)};
for (int y = 0; y < {window.out_h}; y++) {{
  for (int x = 0; x < {window.out_w}; x++) {{
    memcpy(sums, {bias}, sizeof {bias});
    for (int ky = 0; ky < {window.kernel_h}; ky++) {{
      const int iy = {offset(term("y", window.stride_h), -window.pad_h)} + {term("ky", window.dilation_h)};
      for (int kx = 0; kx < {window.kernel_w}; kx++) {{
        const int ix = {offset(term("x", window.stride_w), -window.pad_w)} + {term("kx", window.dilation_w)};
        if (iy < 0 || iy >= {window.in_h} || ix < 0 || ix >= {window.in_w}) {{
          continue;
        }}
        const int at = (iy * {window.in_w} + ix) * {layer.channels_in};
        const int8_t *const w = {weights} + (ky * {window.kernel_w} + kx) * {layer.channels_out};
        for (int c = 0; c < {layer.channels_out}; c++) {{
          sums[c] += ({offset(source, -layer.input_zero_point)}) * w[c];
        }}
      }}
    }}
    for (int c = 0; c < {layer.channels_out}; c++) {{
      *out++ = {result};
    }}
  }}
}}"""
        unit.layer(layer, position, body, products_note(layer))


class PlainTransposeConv(Kernel[TransposeConv]):
    """TRANSPOSE_CONV, output by output: the inputs whose strides reach it."""

    @property
    def instructions(self) -> int:
        """About 6 a product, and a test a tap."""
        return 6 * self.layer.macs + 40 * self.layer.output.elements

    def emit(self, unit: Unit, position: int) -> None:
        """Loops over output pixels, channels and taps."""
        layer, window = self.layer, self.layer.window
        prefix = unit.prefix(position)
        unit.helper("dot", _DOT)
        weights = unit.table(f"{prefix}_weights", "int8_t", layer.weights)
        sums = layer.weights.astype(int).sum(axis=3) * -layer.input_zero_point
        corrections = unit.table(f"{prefix}_corrections", "int32_t", sums)
        bias = unit.table(f"{prefix}_bias", "int32_t", layer.bias)
        result = finish(unit, prefix, layer.requant, "sum")
        taps = window.kernel_h * window.kernel_w
        body = f"""
{unit.source(layer.inputs[0])}
{unit.target(layer.output)}
for (int y = 0; y < {window.out_h}; y++) {{
  for (int x = 0; x < {window.out_w}; x++) {{
    for (int c = 0; c < {layer.channels_out}; c++) {{
      int32_t sum = {bias}[c];
      for (int ky = 0; ky < {window.kernel_h}; ky++) {{
        const int iy = {offset("y", window.pad_h)} - ky;
        if (iy < 0 || iy % {window.stride_h} != 0 || iy / {window.stride_h} >= {window.in_h}) {{
          continue;
        }}
        for (int kx = 0; kx < {window.kernel_w}; kx++) {{
          const int ix = {offset("x", window.pad_w)} - kx;
          if (ix < 0 || ix % {window.stride_w} != 0 || ix / {window.stride_w} >= {window.in_w}) {{
            continue;
          }}
          const int tap = c * {taps} + ky * {window.kernel_w} + kx;
          sum = dot(in + (iy / {window.stride_h} * {window.in_w} + ix / {window.stride_w}) * {layer.channels_in},
                    {weights} + tap * {layer.channels_in}, {layer.channels_in}, sum + {corrections}[tap]);
        }}
      }}
      *out++ = {result};
    }}
  }}
}}"""
        unit.layer(layer, position, body, products_note(layer))
