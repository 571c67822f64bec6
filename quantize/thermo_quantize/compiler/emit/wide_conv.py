"""Convolutions and dense layers on int16 activations: 16x8-bit products, sums of 32 bits gathered in 64 where they must be."""

from thermo_quantize.compiler.emit.common import clamping, offset, products_note, scaling, term
from thermo_quantize.compiler.emit.dots import ROWS, Dots
from thermo_quantize.compiler.emit.kernel import Kernel, window_lag
from thermo_quantize.compiler.emit.unit import Unit, indent
from thermo_quantize.compiler.ir import Window
from thermo_quantize.compiler.ir_wide import WideConv, WideDepthwise, WideTransposeConv
from thermo_quantize.compiler.memory import Overlap

_MOST_PRODUCTS = 508
"""Products of -2^15 and -2^7 that 32 bits hold, in fours."""

SCALE_WIDE = """
/* sum * multiplier / 2^shift, halves up. */
static inline int32_t scale_wide(int64_t sum, int32_t multiplier, int shift) {
  return (int32_t)((sum * multiplier + ((int64_t)1 << (shift - 1))) >> shift);
}
"""


def narrowed(scale: tuple[int, int]) -> tuple[int, int]:
    """Multiplier of 15 bits and shift of scale_wide() for a multiplier and exponent."""
    return min((scale[0] + (1 << 15)) >> 16, 0x7FFF), 15 - scale[1]


def finish(unit: Unit, prefix: str, layer: WideConv | WideDepthwise | WideTransposeConv, accumulator: str) -> str:
    """C expression of channel c's output from its accumulator."""
    clamping(unit)
    requant = layer.requant
    multipliers, exponents = list(requant.multipliers), list(requant.exponents)
    if requant.narrow:
        scaling(unit)
        if not layer.fits_32_bits:
            accumulator = f"(int32_t)({accumulator})"
    else:
        unit.helper("scale_wide", SCALE_WIDE)
        pairs = [narrowed(pair) for pair in zip(multipliers, exponents, strict=True)]
        multipliers, exponents = [multiplier for multiplier, _ in pairs], [shift for _, shift in pairs]
    names = []
    for name, kind, values in (("multiplier", "int32_t", multipliers), ("exponent", "int8_t", exponents)):
        same = len(set(values)) == 1
        names.append(str(values[0]) if same else unit.table(f"{prefix}_{name}", kind, values) + "[c]")
    function = "scale" if requant.narrow else "scale_wide"
    return f"(int16_t)clamp({function}({accumulator}, {names[0]}, {names[1]}), {requant.low}, {requant.high})"


class WideConvKernel(Kernel[WideConv]):
    """CONV_2D and FULLY_CONNECTED: what a pixel sees side by side, times four channels at once."""

    def __init__(self, layer: WideConv, dots: Dots) -> None:
        super().__init__(layer)
        self._dots = dots
        self._depth = dots.depth(layer.depth)

    @property
    def scratch(self) -> int:
        """What a pixel sees."""
        return 2 * self._depth

    def overlap(self, number: int) -> Overlap:
        """Outputs follow the pixels they were computed from."""
        layer = self.layer
        return Overlap(lag=window_lag(layer.window, 2 * layer.channels_in, 2 * layer.channels_out))

    @property
    def instructions(self) -> int:
        """The products, 25 an output, 1 a value copied."""
        layer = self.layer
        products = layer.window.pixels * self._dots.rows(layer.channels_out) * self._depth
        return int(self._dots.cost * products) + 25 * layer.output.elements + layer.window.pixels * layer.depth

    def emit(self, unit: Unit, position: int) -> None:
        """A loop over pixels and one over channels by fours."""
        layer, window, dots = self.layer, self.layer.window, self._dots
        prefix, channels = unit.prefix(position), layer.channels_out
        unit.includes.add("<string.h>")
        dots.ask(unit)
        kind = unit.arena_type(layer.output)
        packed = dots.pack(layer.weights.reshape(channels, -1))
        weights = unit.table(f"{prefix}_weights", "int8_t", packed)
        bias_kind = "int32_t" if layer.fits_32_bits else "int64_t"
        bias = unit.table(f"{prefix}_bias", bias_kind, layer.bias)
        result = finish(unit, prefix, layer, f"sums[c - g] + {bias}[c]")
        rows = f"{channels} - g < {ROWS} ? {channels} - g : {ROWS}" if channels % ROWS else str(ROWS)
        row = f"{weights} + g * {self._depth}"
        if layer.reach < 1 << 31:
            declared = f"int32_t sums[{ROWS}] = {{0}};\ndots(patch, {row}, {self._depth}, rows, sums);"
        else:
            declared = self._by_parts(row)
        padding = ""
        if self._depth > layer.depth:
            padding = f"memset(patch + {layer.depth}, 0, {2 * (self._depth - layer.depth)});\n"
        inner = f"""
{collect(window, layer.channels_in, kind)}
{padding}for (int g = 0; g < {channels}; g += {ROWS}) {{
  const int rows = {rows};
{indent(declared)}
  for (int c = g; c < g + rows; c++) {{
    *out++ = {result};
  }}
}}"""
        body = f"""
{unit.source(layer.inputs[0])}
{unit.target(layer.output)}
{kind} *const patch = ({kind} *)(void *){unit.scratch(position)};
{pixels(window, inner)}"""
        unit.layer(layer, position, body, products_note(layer))

    def _by_parts(self, row: str) -> str:
        """Sums of as many products as 32 bits hold, added up in 64; the weights' order allows it only group by group."""
        step = _MOST_PRODUCTS
        if not self._dots.whole:
            return f"""int64_t sums[{ROWS}] = {{0}};
for (int r = 0; r < rows; r++) {{
  for (int i = 0; i < {self._depth}; i += {step}) {{
    int32_t part = 0;
    dots(patch + i, {row} + r * {self._depth} + i, {self._depth} - i < {step} ? {self._depth} - i : {step}, 1, &part);
    sums[r] += part;
  }}
}}"""
        return f"""int64_t sums[{ROWS}] = {{0}};
for (int i = 0; i < {self._depth}; i += {step}) {{
  int32_t parts[{ROWS}] = {{0}};
  dots(patch + i, {row} + {ROWS} * i, {self._depth} - i < {step} ? {self._depth} - i : {step}, rows, parts);
  for (int r = 0; r < {ROWS}; r++) {{
    sums[r] += parts[r];
  }}
}}"""


def pixels(window: Window, body: str) -> str:
    """Loops over rows y and columns x of the output around C."""
    return f"""for (int y = 0; y < {window.out_h}; y++) {{
  for (int x = 0; x < {window.out_w}; x++) {{
{indent(body.strip(), "    ")}
  }}
}}"""


def collect(window: Window, channels: int, kind: str) -> str:
    """C that copies what pixel (y, x) sees to `patch`; zeros, which are int16's zero point, outside of the image."""
    size = 2 * channels
    if window.is_pointwise:
        return f"memcpy(patch, in + (y * {window.in_w} + x) * {channels}, {size});"
    row = offset(term("y", window.stride_h), -window.pad_h)
    column = offset(term("x", window.stride_w), -window.pad_w)
    return f"""{kind} *to = patch;
for (int ky = 0; ky < {window.kernel_h}; ky++) {{
  const int iy = {row} + {term("ky", window.dilation_h)};
  for (int kx = 0; kx < {window.kernel_w}; kx++, to += {channels}) {{
    const int ix = {column} + {term("kx", window.dilation_w)};
    if (iy < 0 || iy >= {window.in_h} || ix < 0 || ix >= {window.in_w}) {{
      memset(to, 0, {size});
    }} else {{
      memcpy(to, in + (iy * {window.in_w} + ix) * {channels}, {size});
    }}
  }}
}}"""


class WideDepthwiseKernel(Kernel[WideDepthwise]):
    """DEPTHWISE_CONV_2D, channel by channel of a pixel."""

    def overlap(self, number: int) -> Overlap:
        """Channels are written while others of the same pixel are still read."""
        layer = self.layer
        return Overlap(lag=window_lag(layer.window, 2 * layer.channels_in, 2 * layer.channels_out, buffered=False))

    @property
    def instructions(self) -> int:
        """About 11 for two products, and 24 an output."""
        return 11 * self.layer.macs // 2 + 24 * self.layer.output.elements

    def emit(self, unit: Unit, position: int) -> None:
        """Taps outside of the image are skipped."""
        layer, window = self.layer, self.layer.window
        prefix = unit.prefix(position)
        weights = unit.table(f"{prefix}_weights", "int8_t", layer.weights.transpose(1, 2, 0))
        number = "int32_t" if layer.fits_32_bits else "int64_t"
        bias = unit.table(f"{prefix}_bias", number, layer.bias)
        result = finish(unit, prefix, layer, "sum")
        channel = "c" if layer.multiplier == 1 else f"c / {layer.multiplier}"
        inner = f"""
for (int c = 0; c < {layer.channels_out}; c++) {{
  {number} sum = {bias}[c];
  for (int ky = 0; ky < {window.kernel_h}; ky++) {{
    const int iy = {offset(term("y", window.stride_h), -window.pad_h)} + {term("ky", window.dilation_h)};
    if (iy < 0 || iy >= {window.in_h}) {{
      continue;
    }}
    for (int kx = 0; kx < {window.kernel_w}; kx++) {{
      const int ix = {offset(term("x", window.stride_w), -window.pad_w)} + {term("kx", window.dilation_w)};
      if (ix >= 0 && ix < {window.in_w}) {{
        sum += in[(iy * {window.in_w} + ix) * {layer.channels_in} + {channel}] *
               {weights}[(ky * {window.kernel_w} + kx) * {layer.channels_out} + c];
      }}
    }}
  }}
  *out++ = {result};
}}"""
        body = f"""
{unit.source(layer.inputs[0])}
{unit.target(layer.output)}
{pixels(window, inner)}"""
        unit.layer(layer, position, body, products_note(layer))


class WideTransposeConvKernel(Kernel[WideTransposeConv]):
    """TRANSPOSE_CONV, output by output: the inputs whose strides reach it."""

    @property
    def instructions(self) -> int:
        """About 6 a product, and a test a tap."""
        return 6 * self.layer.macs + 60 * self.layer.output.elements

    def emit(self, unit: Unit, position: int) -> None:
        """Loops over output pixels, channels and taps."""
        layer, window = self.layer, self.layer.window
        prefix = unit.prefix(position)
        weights = unit.table(f"{prefix}_weights", "int8_t", layer.weights)
        number = "int32_t" if layer.fits_32_bits else "int64_t"
        bias = unit.table(f"{prefix}_bias", number, layer.bias)
        result = finish(unit, prefix, layer, "sum")
        taps = window.kernel_h * window.kernel_w
        inner = f"""
for (int c = 0; c < {layer.channels_out}; c++) {{
  {number} sum = {bias}[c];
  for (int ky = 0; ky < {window.kernel_h}; ky++) {{
    const int iy = {offset("y", window.pad_h)} - ky;
    if ({_misses("iy", window.stride_h, window.in_h)}) {{
      continue;
    }}
    for (int kx = 0; kx < {window.kernel_w}; kx++) {{
      const int ix = {offset("x", window.pad_w)} - kx;
      if ({_misses("ix", window.stride_w, window.in_w)}) {{
        continue;
      }}
      const int8_t *const w = {weights} + (c * {taps} + ky * {window.kernel_w} + kx) * {layer.channels_in};
      const int at = ({_part("iy", window.stride_h)} * {window.in_w} + {_part("ix", window.stride_w)}) * {layer.channels_in};
      for (int i = 0; i < {layer.channels_in}; i++) {{
        sum += in[at + i] * w[i];
      }}
    }}
  }}
  *out++ = {result};
}}"""
        body = f"""
{unit.source(layer.inputs[0])}
{unit.target(layer.output)}
{pixels(window, inner)}"""
        unit.layer(layer, position, body, products_note(layer))


def _part(name: str, stride: int) -> str:
    return name if stride == 1 else f"{name} / {stride}"


def _misses(name: str, stride: int, size: int) -> str:
    """C that tells whether no input lies where a tap of a transposed kernel reaches."""
    between = f"{name} % {stride} != 0 || " if stride > 1 else ""
    return f"{name} < 0 || {between}{_part(name, stride)} >= {size}"
