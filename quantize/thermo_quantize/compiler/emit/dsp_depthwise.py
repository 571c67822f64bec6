"""Depthwise convolutions for the M4's SIMD: one channel at a time, as a plane of 16-bit numbers with its padding around it.

In a plane neighbours in a row share a word, so SMLAD multiplies two taps at once, borders need no tests, and a channel's
outputs may overwrite its inputs: the layer runs in place. Planes larger than `PLANE_BYTES` go through in bands of rows.
"""

from dataclasses import dataclass

from thermo_quantize.compiler.emit.dsp import FastRequant, both_halves, fast_requant, finish
from thermo_quantize.compiler.emit.kernel import Kernel
from thermo_quantize.compiler.emit.plane import MAX_TAPS, MOST_PLANE_BYTES, PLANE_BYTES, in_place, plane_layer
from thermo_quantize.compiler.emit.unit import Unit, indent
from thermo_quantize.compiler.ir import Depthwise, Window
from thermo_quantize.compiler.memory import Overlap

_COSTS = ((1.1, 4.9, 6.2, 2.6, 3.0, 4.6), (1.8, 2.4, 0.0, 3.2, 3.5, 2.8), (1.34, 6.2, 0.0, 0.9, 2.4, 5.1))
"""Instructions of a load or product, an output, a row, a tap's weights, an input, a word of the plane: of small windows, of steps
of one column, of larger steps."""

_PAIR = """
static inline int16x2_t pair(int32_t low, int32_t high) {
  return (int16x2_t)(((uint32_t)low & 0xFFFFU) | (uint32_t)high << 16);
}
"""

_LOAD = """
static inline int16x2_t load(const half_t *at) {
  return (int16x2_t)(*(const word_t *)at);
}
"""

_LOAD_LOOSE = """
static inline int16x2_t load_loose(const half_t *at) {
  return (int16x2_t)(*(const loose_word_t *)at);
}
"""


@dataclass(frozen=True)
class _Geometry:
    """A band: output rows at a time, its rows and their width in elements (even), and rows kept for the next band."""

    rows_out: int
    rows: int
    width: int

    @property
    def bytes(self) -> int:
        return 2 * self.rows * self.width


def _geometry(window: Window) -> _Geometry:
    pairs = -(-window.out_w // 2)
    # The last pair of outputs reads whole words, perhaps one element further than its taps.
    needed = (2 * pairs - 1) * window.stride_w + window.reach_w + 1
    width = max(needed, window.in_w + window.pad_w)
    width += width % 2
    rows_out = window.out_h
    while rows_out > 1 and 2 * width * ((rows_out - 1) * window.stride_h + window.reach_h) > PLANE_BYTES:
        rows_out -= 1
    return _Geometry(rows_out, (rows_out - 1) * window.stride_h + window.reach_h, width)


class DspDepthwise(Kernel[Depthwise]):
    """DEPTHWISE_CONV_2D, and CONV_2D of one input channel."""

    def __init__(self, layer: Depthwise, fast: FastRequant) -> None:
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
        """Loads and products by twos, two an input for its plane, and what rows and channels take."""
        layer, window, band = self.layer, self.layer.window, self._band
        rows, pairs, single = layer.channels_out * window.out_h, window.out_w // 2, window.out_w % 2
        halves = -(-window.kernel_w // 2)
        if window.dilation_w > 1:
            both, one, taps = 4 * window.kernel_h * window.kernel_w, 2 * window.kernel_h * window.kernel_w, 0
        elif window.stride_w == 1:
            both = window.kernel_h * (-(-(window.kernel_w + 1) // 2) + halves + 1 + window.kernel_w // 2)
            one, taps = 2 * window.kernel_h * halves, window.kernel_h * window.kernel_w
        else:
            both, one, taps = 4 * window.kernel_h * halves, 2 * window.kernel_h * halves, window.kernel_h * halves
        sums = rows * (pairs * both + single * one)
        bands = -(-window.out_h // band.rows_out)
        loads = layer.channels_in * window.in_h * min(window.in_w, band.width - window.pad_w)
        costs = _COSTS[0 if window.kernel_h * window.kernel_w < 6 else 1 if window.stride_w == 1 else 2]
        counted = (
            sums,
            layer.output.elements,
            rows,
            layer.channels_out * bands * taps,
            loads,
            band.rows * band.width // 2,
        )
        clamps = 4 * layer.output.elements if self._fast.clamps else 0
        return round(sum(cost * count for cost, count in zip(costs, counted, strict=True))) + clamps

    def emit(self, unit: Unit, position: int) -> None:
        """Channels, bands, rows, pairs of outputs."""
        layer, window, band, fast = self.layer, self.layer.window, self._band, self._fast
        prefix = unit.prefix(position)
        if window.dilation_w == 1:
            unit.helper("pair", _PAIR)
            loose = window.stride_w % 2 and window.stride_w > 1
            unit.helper(*(("load_loose", _LOAD_LOOSE) if loose else ("load", _LOAD)))
        weights = unit.table(f"{prefix}_weights", "int8_t", layer.weights)
        rows = zip(layer.folded_bias.tolist(), fast.factors, fast.powers, strict=True)
        constants = unit.table(f"{prefix}_constants", "int32_t", [list(row) for row in rows])
        taps = window.kernel_h * window.kernel_w
        single = band.rows_out == window.out_h
        count = (
            window.out_h
            if single
            else f"(y0 + {band.rows_out} > {window.out_h} ? {window.out_h} - y0 : {band.rows_out})"
        )
        channel = f"""
{self._taps("c", weights, taps)}
const int32_t bias = {constants}[3 * c], factor = {constants}[3 * c + 1], power = {constants}[3 * c + 2];"""
        each_row = f"""
const half_t *from = plane;
#pragma GCC unroll 1
for (int y = {count}; y > 0; y--, from += {window.stride_h * band.width}) {{
  const half_t *at = from;
{indent(self._row(unit))}
}}"""
        setup = f"""
half_t *const plane = (half_t *)(void *){unit.scratch(position)};
for (int n = 0; n < {band.rows * band.width // 2}; n++) {{
  ((word_t *)plane)[n] = {both_halves(layer.input_zero_point)};
}}"""
        plane_layer(
            unit,
            layer,
            position,
            band.rows_out,
            setup=setup.strip(),
            load=self._load(window, band, single),
            channel=channel.strip(),
            rows=each_row.strip(),
        )

    def _load(self, window: Window, band: _Geometry, single: bool) -> str:
        """Fill the plane with channel i: all of it, or the rows a band adds to those it keeps."""
        channels = self.layer.channels_in
        copy = f"""
#pragma GCC unroll 8
for (int x = 0; x < {{w}}; x++) {{{{
  to_row[x] = row[x * {channels}];
}}}}""".format(w=min(window.in_w, band.width - window.pad_w))
        if single:
            used = min(window.in_h, band.rows - window.pad_h)
            return f"""
const int8_t *row = in + i;
half_t *to_row = plane + {window.pad_h * band.width + window.pad_w};
#pragma GCC unroll 1
for (int y = 0; y < {used}; y++, row += {window.in_w * channels}, to_row += {band.width}) {{
{indent(copy)}
}}"""
        kept = max(window.reach_h - window.stride_h, 0)
        step = band.rows_out * window.stride_h
        zero = self.layer.input_zero_point
        return f"""
half_t *to_row = plane + {window.pad_w};
int first = y0 == 0 ? 0 : {kept};
if (y0 != 0) {{
  for (int n = 0; n < {kept * band.width // 2}; n++) {{
    ((word_t *)plane)[n] = ((const word_t *)plane)[n + {step * band.width // 2}];
  }}
  to_row += {kept * band.width};
}}
for (; first < {band.rows}; first++, to_row += {band.width}) {{
  const int iy = y0 * {window.stride_h} - {window.pad_h} + first;
  const int8_t *const row = in + iy * {window.in_w * channels} + i;
  if (iy < 0 || iy >= {window.in_h}) {{
    for (int x = 0; x < {window.in_w}; x++) {{
      to_row[x] = {zero};
    }}
    continue;
  }}
{indent(copy)}
}}"""

    def _taps(self, channel: str, weights: str, taps: int) -> str:
        """Pairs of weights: e from even taps on, and, for a step of one column, o from odd taps on; k alone if spread."""
        window = self.layer.window
        text = [f"const int8_t *const w = {weights} + {channel} * {taps};"]

        def weight(row: int, column: int) -> str:
            return f"w[{row * window.kernel_w + column}]" if 0 <= column < window.kernel_w else "0"

        if window.dilation_w > 1:
            return "\n".join([*text, *(f"const int32_t k{n} = w[{n}];" for n in range(taps))])
        for row in range(window.kernel_h):
            for column in range(0, window.kernel_w, 2):
                text.append(f"const int16x2_t e{row}{column} = pair({weight(row, column)}, {weight(row, column + 1)});")
            if window.stride_w == 1 and window.out_w > 1:
                for column in range(1, window.kernel_w, 2):
                    low, high = weight(row, column), weight(row, column + 1)
                    text.append(f"const int16x2_t o{row}{column} = pair({low}, {high});")
        return "\n".join(text)

    def _row(self, unit: Unit) -> str:
        """Outputs of a row, two at a time; a last one alone."""
        window, layer, fast = self.layer.window, self.layer, self._fast
        both = self._sums(True)
        ends = "\n".join(finish(unit, fast, name, "factor", "power") for name in ("a", "b"))
        channels = layer.channels_out
        text = f"""
#pragma GCC unroll 1
for (int x = {window.out_w // 2}; x > 0; x--, at += {2 * window.stride_w}, to += {2 * channels}) {{
  int32_t a = bias, b = bias;
{indent(both)}
{indent(ends)}
  to[0] = (int8_t)a;
  to[{channels}] = (int8_t)b;
}}"""
        if window.out_w == 1:
            text = ""
        if window.out_w % 2:
            text += f"""
int32_t a = bias;
{self._sums(False)}
{finish(unit, fast, "a", "factor", "power")}
to[0] = (int8_t)a;
to += {channels};"""
        return text

    def _sums(self, both: bool) -> str:
        window, width = self.layer.window, self._band.width
        text = []
        if window.dilation_w > 1:
            # Taps of a row are not neighbours: one product an instruction.
            return "\n".join(
                f"{name} += at[{row * window.dilation_h * width + column * window.dilation_w + shift}] * "
                f"k{row * window.kernel_w + column};"
                for row in range(window.kernel_h)
                for column in range(window.kernel_w)
                for name, shift in ((("a", 0), ("b", window.stride_w)) if both else (("a", 0),))
            )
        for row in range(window.kernel_h):
            line = row * window.dilation_h * width
            if window.stride_w == 1:
                words = -(-(window.kernel_w + (1 if both else 0)) // 2)
                for n in range(words):
                    text.append(f"const int16x2_t v{row}{n} = load(at + {line + 2 * n});")
                text += [
                    _multiply("a", f"v{row}{n}", f"e{row}{2 * n}", 2 * n + 1 < window.kernel_w)
                    for n in range(-(-window.kernel_w // 2))
                ]
                if both:
                    text.append(f"b = __smlatb(v{row}0, e{row}0, b);")
                    text += [
                        _multiply("b", f"v{row}{n}", f"o{row}{2 * n - 1}", 2 * n < window.kernel_w)
                        for n in range(1, window.kernel_w // 2 + 1)
                    ]
            else:
                for name, shift in (("a", 0), ("b", window.stride_w)) if both else (("a", 0),):
                    for n in range(-(-window.kernel_w // 2)):
                        word = "load" if window.stride_w % 2 == 0 else "load_loose"
                        value = f"{word}(at + {line + shift + 2 * n})"
                        text.append(_multiply(name, value, f"e{row}{2 * n}", 2 * n + 1 < window.kernel_w))
        return "\n".join(text)


def _multiply(total: str, value: str, weights: str, two: bool) -> str:
    return f"{total} = __smla{'d' if two else 'bb'}({value}, {weights}, {total});"


def dsp_depthwise(layer: Depthwise) -> Kernel[Depthwise] | None:
    """The M4 kernel of a depthwise layer, or None where plain C must do."""
    window = layer.window
    fast = fast_requant(layer.requant, layer.weights, layer.bias)
    if fast is None:
        return None
    if window.kernel_h * window.kernel_w > MAX_TAPS or _geometry(window).bytes > MOST_PLANE_BYTES:
        return None
    return DspDepthwise(layer, fast)
