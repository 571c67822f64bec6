"""Cortex-M55 and M85: vector kernels (MVE), four outputs at a time in the lanes of a vector.

VQRDMULH is the reference's high multiply. Its rounding shift rounds halves away from zero, VRSHL rounds them up: one is
taken from negative numbers first, as long as there is a shift at all.

Fences. GCC 12.2 expands `vstrbq_s32(a, v)` to a store of `MEM[(signed char[1] *)&a] S1` (see -fdump-rtl-expand): its
builtins take "memory mode differs from register mode" for an access to one lane, so all widening loads and narrowing
stores seem to touch their first element only. At -O3, with a network's layers inlined, the scheduler then moved softmax's
loads of bytes 9 to 11 above the VSTRB.32 of the dense layer that writes bytes 8 to 11, and results were wrong. A compiler
barrier on both sides of every such store costs no instruction; loads of constants may still cross it.
tests/quantize/test_compiler_models.py runs that network with its layers inlined; without the barriers it fails.
"""

import numpy as np

from thermo_quantize.compiler.emit.common import offset, products_note, term
from thermo_quantize.compiler.emit.costs import is_uniform, pixels_inside, taps_inside
from thermo_quantize.compiler.emit.kernel import ConvOrder, Kernel, window_lag
from thermo_quantize.compiler.emit.mve_taps import LANES, gathers, is_paired, steps, straight, tap
from thermo_quantize.compiler.emit.patch import emit_patch, is_direct, pixel
from thermo_quantize.compiler.emit.unit import Unit, indent
from thermo_quantize.compiler.ir import Conv, Depthwise, Requant
from thermo_quantize.compiler.memory import Overlap

_BLOCK = 16

GUARD = """
#if !defined(__ARM_FEATURE_MVE)
#error "This file is for Cortex-M55 and M85: compile it for one of them."
#endif
#include <arm_mve.h>

/* Between accesses that must keep their order. GCC 12 describes VLDRB.S32 and VSTRB.32 to its alias analysis as touching one
   byte instead of four, and VSTRB.32 under a predicate as writing all lanes: it would move other accesses across them. */
#if defined(__GNUC__)
#define FENCE() __asm__ volatile("" ::: "memory")
#else
#define FENCE()
#endif
"""

_REQUANTIZE = """
/* Four products of accumulators and multipliers to int8: shift (negative: to the right) of each. */
static inline int32x4_t requantize(int32x4_t sums, int32x4_t shift, int32_t zero_point, int32_t low, int32_t high) {
  sums = vaddq_s32(sums, vshrq_n_s32(vandq_s32(sums, shift), 31));
  sums = vaddq_n_s32(vrshlq_s32(sums, shift), zero_point);
  return vminq_s32(vmaxq_s32(sums, vdupq_n_s32(low)), vdupq_n_s32(high));
}
"""

_PRODUCT = """
/* Four channels of one pixel, `blocks` times 16 products; weights come 16 of each channel at a time. */
static inline int32x4_t product(const int8_t *in, const int8_t *weights, int blocks, int32x4_t sums) {
  int32_t a = 0, b = 0, c = 0, d = 0;
  /* Unrolled, it would spill vectors. */
#pragma GCC unroll 1
  for (int i = 0; i < blocks; i++, in += 16, weights += 64) {
    const int8x16_t values = vldrbq_s8(in);
    a = vmladavaq_s8(a, values, vldrbq_s8(weights));
    b = vmladavaq_s8(b, values, vldrbq_s8(weights + 16));
    c = vmladavaq_s8(c, values, vldrbq_s8(weights + 32));
    d = vmladavaq_s8(d, values, vldrbq_s8(weights + 48));
  }
  const int32x4_t products = {a, b, c, d};
  return vaddq_s32(sums, products);
}
"""


def _padded(values: list[int], count: int) -> list[int]:
    return [*values, *[0] * (count - len(values))]


class _Mve:
    """What both kernels write of requantisation."""

    def __init__(self, unit: Unit, prefix: str, requant: Requant, channels: int) -> None:
        unit.helper("requantize", _REQUANTIZE)
        self._count = -(-channels // LANES) * LANES
        self._uniform = len(set(zip(requant.multipliers, requant.exponents, strict=True))) == 1
        self._multipliers = self._spread(unit, f"{prefix}_multipliers", list(requant.multipliers))
        self._shifts = self._spread(unit, f"{prefix}_shifts", [min(e, 0) for e in requant.exponents])
        self._left = ""
        if any(e > 0 for e in requant.exponents):
            self._left = self._spread(unit, f"{prefix}_lifts", [max(e, 0) for e in requant.exponents])
        self._requant = requant
        self._rest = channels % LANES
        self._channels = channels

    def _spread(self, unit: Unit, name: str, values: list[int]) -> str:
        """A vector of channels c to c + 3; no table where the layer is quantised per tensor."""
        # Equal shifts alone are no reason: kept in a register through the loop they cost more than they save.
        if self._uniform:
            return f"vdupq_n_s32({values[0]})"
        return f"vldrwq_s32({unit.table(name, 'int32_t', _padded(values, self._count))} + c)"

    def store(self, to: str) -> str:
        """Statements that finish `sums` of channels c to c + 3 and store them at `to`."""
        q = self._requant
        text = f"sums = vshlq_s32(sums, {self._left});\n" if self._left else ""
        text += f"const int32x4_t shift = {self._shifts};\nsums = vqrdmulhq_s32(sums, {self._multipliers});\n"
        text += f"sums = requantize(sums, shift, {q.zero_point}, {q.low}, {q.high});\n"
        if self._rest:
            return f"{text}FENCE();\nvstrbq_p_s32({to}, sums, vctp32q((uint32_t)({self._channels} - c)));\nFENCE();"
        return f"{text}FENCE();\nvstrbq_s32({to}, sums);\nFENCE();"


class MveConv(Kernel[Conv]):
    """CONV_2D and FULLY_CONNECTED: a pixel's patch times four channels, 16 products an instruction."""

    def __init__(self, layer: Conv) -> None:
        super().__init__(layer)
        self._order = ConvOrder(layer, buffered=not is_direct(layer))

    @property
    def _blocks(self) -> int:
        return -(-self.layer.depth // _BLOCK)

    @property
    def scratch(self) -> int:
        """A patch; none where a pixel's inputs lie together."""
        return 0 if is_direct(self.layer) else self._blocks * _BLOCK

    def overlap(self, number: int) -> Overlap:
        """Pixels are written while their own inputs are still read, unless those are in a patch."""
        return self._order.overlap(number)

    @property
    def instructions(self) -> int:
        """13 for 64 products, 22 for four outputs, and 3 a word that is copied."""
        layer, window, blocks = self.layer, self.layer.window, self._blocks
        groups, pixels = -(-layer.channels_out // LANES), window.pixels
        total = pixels * groups * (13 * blocks + 20 + (0 if is_uniform(layer.requant) else 5))
        if is_direct(layer):
            return total + 3 * pixels * groups * (blocks > 1)
        if len(layer.sources) > 1 or window.dilation_w > 1 or layer.sources[0].up_h * layer.sources[0].up_w > 1:
            return total + 55 * pixels + taps_inside(window) * (12 + layer.channels_in * 3 // 16)
        inside = pixels_inside(window)
        return (
            total
            + 12 * pixels
            + inside * layer.depth * 3 // 4
            + (pixels - inside) * (78 * window.kernel_h + layer.depth // 2)
        )

    def emit(self, unit: Unit, position: int) -> None:
        """Pixels, groups of four channels."""
        layer, window = self.layer, self.layer.window
        prefix = unit.prefix(position)
        unit.helper("product", _PRODUCT)
        channels, groups, blocks = layer.channels_out, -(-layer.channels_out // LANES), self._blocks
        padded = np.zeros((groups * LANES, blocks * _BLOCK), np.int8)
        padded[:channels, : layer.depth] = layer.weights.reshape(channels, -1)
        table = padded.reshape(groups, LANES, blocks, _BLOCK).transpose(0, 2, 1, 3)
        weights = unit.table(f"{prefix}_weights", "int8_t", table)
        bias = unit.table(f"{prefix}_bias", "int32_t", _padded(layer.folded_bias.tolist(), groups * LANES))
        finish = _Mve(unit, prefix, layer.requant, channels)
        if is_direct(layer):
            head = unit.source(layer.inputs[0]).replace("*const in", "*in")
            collect, step = "", layer.depth
        else:
            patch = emit_patch(unit, layer, position)
            head = f"int8_t *const in = (int8_t *){unit.scratch(position)};"
            collect, step = f"{patch}in, {pixel(unit, 'p', window.out_w)});", 0
        if self._order.backward:
            start = f"out += {window.pixels * channels};" + f"\nin += {window.pixels * step};" * (step > 0)
            loop = f"for (int p = {window.pixels}; p-- > 0;) {{\n  out -= {channels};" + f"\n  in -= {step};" * (
                step > 0
            )
        else:
            start = ""
            advance = f"in += {step}, " if step else ""
            loop = f"for (int p = 0; p < {window.pixels}; p++, {advance}out += {channels}) {{"
        body = f"""
{head}
{unit.target(layer.output)}
{start}
{loop}
  {collect}
  for (int c = 0; c < {channels}; c += {LANES}) {{
    int32x4_t sums = product(in, {weights} + c * {blocks * _BLOCK}, {blocks}, vldrwq_s32({bias} + c));
{indent(finish.store("out + c"), "    ")}
  }}
}}""".replace("  \n", "").replace("\n\n", "\n")
        unit.layer(layer, position, body, products_note(layer))


class MveDepthwise(Kernel[Depthwise]):
    """DEPTHWISE_CONV_2D with an output channel a lane; with a multiplier, lanes gather the inputs they share."""

    def overlap(self, number: int) -> Overlap:
        """Pixels are written while their own inputs are still read."""
        layer = self.layer
        return Overlap(lag=window_lag(layer.window, layer.channels_in, layer.channels_out, buffered=False))

    @property
    def instructions(self) -> int:
        """4.5 for four products and 15 for four outputs; more at the edges."""
        layer, window = self.layer, self.layer.window
        groups, inside = -(-layer.channels_out // LANES), pixels_inside(window)
        taps, edge = window.kernel_h * window.kernel_w, window.pixels - inside
        cut = groups * (taps_inside(window) - inside * taps)
        if is_paired(layer):
            return round(inside * groups * (2.5 * taps + 14)) + 11 * cut + 220 * edge
        if layer.channels_in == 1:
            return round(inside * groups * (4.2 * taps + 10)) + 9 * cut
        each = 20 if layer.channels_out % LANES else 15
        return round(inside * (groups * (4.5 * taps + steps(layer) + each) + 5)) + 15 * cut + 12 * edge

    def emit(self, unit: Unit, position: int) -> None:
        """Pixels whose taps all lie inside take a straight run of taps; the others loop over those that do."""
        layer, window = self.layer, self.layer.window
        prefix = unit.prefix(position)
        channels, count = layer.channels_out, -(-layer.channels_out // LANES) * LANES
        taps = window.kernel_h * window.kernel_w
        padded = np.zeros((taps, count), np.int8)
        padded[:, :channels] = layer.weights.reshape(channels, taps).T
        grouped = padded.reshape(taps, -1, LANES).transpose(1, 0, 2)
        weights = unit.table(f"{prefix}_weights", "int8_t", np.ascontiguousarray(grouped))
        bias = unit.table(f"{prefix}_bias", "int32_t", _padded(layer.folded_bias.tolist(), count))
        raw = unit.table(f"{prefix}_border_bias", "int32_t", _padded(layer.bias.tolist(), count))
        if gathers(layer):
            places = [c // layer.multiplier for c in range(count)]
            self._places = unit.table(f"{prefix}_places", "uint32_t", [min(c, layer.channels_in - 1) for c in places])
        finish = _Mve(unit, prefix, layer.requant, channels)
        row = offset(term("y", window.stride_h), -window.pad_h)
        column = offset(term("x", window.stride_w), -window.pad_w)
        reach_h = (window.kernel_h - 1) * window.dilation_h
        reach_w = (window.kernel_w - 1) * window.dilation_w
        inside = f"iy >= 0 && iy < {window.in_h - reach_h} && ix >= 0 && ix < {window.in_w - reach_w}"
        place = f"((ky * {window.dilation_h}) * {window.in_w} + kx * {window.dilation_w}) * {layer.channels_in}"
        one = tap(layer, f"at + {place}", f"weight + (ky * {window.kernel_w} + kx) * {LANES}", layer.input_zero_point)
        pick = f"const int8_t *weight = {weights} + c * {taps};\n"
        if gathers(layer):
            pick += f"const uint32x4_t places = vldrwq_u32({self._places} + c);\n"
        pick = pick.strip()
        start, finish_all = f"int32x4_t sums = vldrwq_s32({bias} + c);", finish.store("out + c")
        if is_paired(layer):
            start = f"int32x4_t sums = vldrwq_s32({bias} + c), more = vldrwq_s32({bias} + c + {LANES});"
            finish_all = "\n".join(
                (f"{{\n{indent(finish_all)}\n}}", "sums = more;", f"c += {LANES};", f"{{\n{indent(finish_all)}\n}}")
            )
        inner = "\n".join((start, pick, straight(layer), finish_all))
        body = f"""
{unit.source(layer.inputs[0])}
{unit.target(layer.output)}
for (int y = 0; y < {window.out_h}; y++) {{
  const int iy = {row};
  for (int x = 0; x < {window.out_w}; x++, out += {channels}) {{
    const int ix = {column};
    const int8_t *const at = in + (iy * {window.in_w} + ix) * {layer.channels_in};
    if ({inside}) {{
      for (int c = 0; c < {channels}; c += {LANES}) {{
{indent(inner, "        ")}
      }}
      continue;
    }}
    const int top = iy < 0 ? {_first("iy", window.dilation_h)} : 0, left = ix < 0 ? {_first("ix", window.dilation_w)} : 0;
    int bottom = {_count("iy", window.in_h, window.dilation_h)}, right = {_count("ix", window.in_w, window.dilation_w)};
    bottom = bottom > {window.kernel_h} ? {window.kernel_h} : bottom;
    right = right > {window.kernel_w} ? {window.kernel_w} : right;
    for (int c = 0; c < {channels}; c += {LANES}) {{
      int32x4_t sums = vldrwq_s32({raw} + c);
{indent(pick, "      ")}
      for (int ky = top; ky < bottom; ky++) {{
        for (int kx = left; kx < right; kx++) {{
{indent(one, "          ")}
        }}
      }}
{indent(finish.store("out + c"), "      ")}
    }}
  }}
}}"""
        unit.layer(layer, position, body, products_note(layer))


def _first(position: str, gap: int) -> str:
    """First tap at or after the image's edge."""
    return f"-{position}" if gap == 1 else f"({gap - 1} - {position}) / {gap}"


def _count(position: str, size: int, gap: int) -> str:
    """Taps before the image's far edge."""
    return f"{size} - {position}" if gap == 1 else f"({size + gap - 1} - {position}) / {gap}"
