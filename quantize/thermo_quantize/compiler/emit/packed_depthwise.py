"""Depthwise convolutions for the Cortex-M0+: one channel at a time, as a plane of words with its padding around it.

A word holds two input rows that are as far apart as the two halves of a band of outputs, so that one multiplication makes a
product of two outputs. A channel's outputs may overwrite its inputs: the layer runs in place.
"""

from dataclasses import dataclass

from thermo_quantize.compiler.emit.kernel import Kernel
from thermo_quantize.compiler.emit.packed import (
    FAST_OUTPUT,
    SLOW_OUTPUT,
    PackedRequant,
    exactly,
    packed_requant,
    pairs_fit,
)
from thermo_quantize.compiler.emit.packed_taps import function_name, products, taps_function
from thermo_quantize.compiler.emit.plane import MAX_TAPS, MOST_PLANE_BYTES, PLANE_BYTES, in_place, plane_layer
from thermo_quantize.compiler.emit.unit import Unit
from thermo_quantize.compiler.ir import Depthwise, Window
from thermo_quantize.compiler.memory import Overlap

_MAX_COLUMN = 31
"""The furthest column of a row that an address reaches."""


@dataclass(frozen=True)
class _Geometry:
    """A band: output rows of each of its halves, rows of words, and their width."""

    half: int
    rows: int
    width: int

    @property
    def bytes(self) -> int:
        return 4 * self.rows * self.width

    @property
    def rows_out(self) -> int:
        return 2 * self.half


def _geometry(window: Window) -> _Geometry:
    width = (window.out_w - 1) * window.stride_w + window.reach_w
    half = -(-window.out_h // 2)
    while half > 1 and 4 * width * ((half - 1) * window.stride_h + window.reach_h) > PLANE_BYTES:
        half -= 1
    return _Geometry(half, (half - 1) * window.stride_h + window.reach_h, width)


class PackedDepthwise(Kernel[Depthwise]):
    """DEPTHWISE_CONV_2D, and CONV_2D of one input channel."""

    def __init__(self, layer: Depthwise, fast: PackedRequant) -> None:
        super().__init__(layer)
        self._fast = fast
        self._band = _geometry(layer.window)

    @property
    def scratch(self) -> int:
        """One band of one channel."""
        return self._band.bytes

    def overlap(self, number: int) -> Overlap:
        """In place, since a channel's outputs lie on that channel's inputs, read before."""
        return in_place(self.layer, self._band.rows_out)

    @property
    def instructions(self) -> int:
        """About 4 a tap of two outputs, 16 an output, 8 a word of the plane, and what rows and channels take."""
        layer, window, band = self.layer, self.layer.window, self._band
        taps = window.kernel_h * window.kernel_w
        pairs = layer.channels_out * window.out_w * -(-window.out_h // band.rows_out) * band.half
        each = len(products(window)) + 12 + 2 * (FAST_OUTPUT + 4 + self._fast.slow * SLOW_OUTPUT)
        rows = layer.channels_out * -(-window.out_h // band.rows_out) * band.half
        bands = -(-window.out_h // band.rows_out)
        plane = layer.channels_in * bands * band.rows * (9 * min(band.width, window.in_w) + 30)
        return round(
            pairs * each + 70 * rows + layer.channels_out * (5 * taps + 60) + plane + 3 * band.rows * band.width
        )

    def emit(self, unit: Unit, position: int) -> None:
        """Channels, bands, rows."""
        layer, window, band, fast = self.layer, self.layer.window, self._band, self._fast
        prefix, name = unit.prefix(position), function_name(window)
        exactly(unit)
        unit.helper(name, taps_function(window))
        weights = unit.table(f"{prefix}_weights", "int8_t", layer.weights)
        constants = unit.table(f"{prefix}_constants", "int32_t", [number for row in fast.rows for number in row])
        taps, channels = window.kernel_h * window.kernel_w, layer.channels_out
        single = band.rows_out >= window.out_h
        column = 4 * band.width
        run = 4 * (window.kernel_w if window.dilation_w == 1 else 0)
        to_row = column * window.dilation_h - run
        back = 4 * window.stride_w - run - column * window.dilation_h * (window.kernel_h - 1)
        across = band.half * window.out_w * channels
        # Of an odd number of rows the last of the lower half is not there: the upper's, written later, remains.
        last = f"y0 + {band.half} + y < {window.out_h} ? {across}U : 0U" if not single else (
            f"{band.half} + y < {window.out_h} ? {across}U : 0U"
        )  # fmt: skip
        rows = band.half if single else f"(y0 + {band.half} > {window.out_h} ? {window.out_h} - y0 : {band.half})"
        across_text = f"{across}U" if single and window.out_h % 2 == 0 else last
        channel = f"""
const int32_t *const row = {constants} + 5 * c;
for (int n = 0; n < {taps}; n++) {{
  channel.weights[n] = {weights}[{taps} * c + n];
}}
channel.bias = row[0];
channel.start = (uint32_t)row[0] * 65537U;
channel.low_end = row[1];
channel.coarse = (uint32_t)row[3];
channel.multiplier = row[4];"""
        each_row = f"""
const word_t *from = plane;
for (int y = 0; y < {rows}; y++, from += {window.stride_h * band.width}, to += {window.out_w * channels}) {{
  channel.across = {across_text};
  channel.end = to + {window.out_w * channels};
  {name}(from, to, &channel, {to_row}, {back}, row[2], {fast.base}U, {fast.window}U);
}}"""
        setup = f"""
word_t *const plane = (word_t *)(void *){unit.scratch(position)};
struct {name} channel = {{.span = {fast.high - fast.low}, .high = {fast.high}, .zero_point = {fast.zero_point}, .next = {channels},
  .precise = exact}};"""
        plane_layer(
            unit,
            layer,
            position,
            band.rows_out,
            setup=f"{setup.strip()}\n{self._border() if single else ''}",
            load=self._load(),
            channel=channel.strip(),
            rows=each_row.strip(),
        )

    @property
    def _padding(self) -> str:
        zero = self.layer.input_zero_point
        return f"{(zero + (zero << 16)) % (1 << 32)}U"

    def _border(self) -> str:
        """All words as what lies outside of the image; the image's own stay where they are from channel to channel."""
        band = self._band
        return f"for (int n = 0; n < {band.rows * band.width}; n++) {{\n  plane[n] = {self._padding};\n}}"

    def _load(self) -> str:
        """Fill the plane with channel i: row y of it holds input rows `first` and `first + apart`."""
        layer, window, band = self.layer, self.layer.window, self._band
        channels, apart = layer.channels_in, band.half * window.stride_h
        single = band.rows_out >= window.out_h
        inside = min(window.in_w, band.width - window.pad_w)
        line = window.in_w * channels
        top = f"y - {window.pad_h}" if single else f"y0 * {window.stride_h} + y - {window.pad_h}"
        fill = "" if single else f"""
  for (int x = 0; x < {band.width}; x++) {{
    to_row[x] = {self._padding};
  }}"""  # fmt: skip
        zero = layer.input_zero_point
        return f"""
word_t *to_row = plane;
for (int y = 0; y < {band.rows}; y++, to_row += {band.width}) {{
  const int first = {top}, second = first + {apart};
  const int8_t *const upper = in + first * {line} + i, *const lower = in + second * {line} + i;
  word_t *const words = to_row + {window.pad_w};{fill}
  if (first >= 0 && second < {window.in_h}) {{
    for (int x = 0; x < {inside}; x++) {{
      words[x] = (uint32_t)upper[x * {channels}] + ((uint32_t)lower[x * {channels}] << 16);
    }}
  }} else if (first >= 0 && first < {window.in_h}) {{
    for (int x = 0; x < {inside}; x++) {{
      words[x] = (uint32_t)upper[x * {channels}] + {(zero << 16) % (1 << 32)}U;
    }}
  }} else if (second >= 0 && second < {window.in_h}) {{
    for (int x = 0; x < {inside}; x++) {{
      words[x] = {zero % (1 << 32)}U + ((uint32_t)lower[x * {channels}] << 16);
    }}
  }}
}}""".strip()


def packed_depthwise(layer: Depthwise) -> Kernel[Depthwise] | None:
    """The M0+ kernel of a depthwise layer, or None where plain C must do."""
    window = layer.window
    flat = layer.weights.reshape(layer.channels_out, -1)
    if window.kernel_h * window.kernel_w > MAX_TAPS or window.dilation_w * (window.kernel_w - 1) > _MAX_COLUMN:
        return None
    if _geometry(window).bytes > MOST_PLANE_BYTES:
        return None
    fast = packed_requant(layer.requant, flat, layer.folded_bias)
    if fast is None or not pairs_fit(flat):
        return None
    return PackedDepthwise(layer, fast)
