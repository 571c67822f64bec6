"""Convolutions and dense layers for the M4's SIMD."""

from collections.abc import Callable

from thermo_quantize.compiler.emit.blocks import block_layer
from thermo_quantize.compiler.emit.common import term
from thermo_quantize.compiler.emit.costs import pixels_inside, taps_inside
from thermo_quantize.compiler.emit.dsp import EXPAND, FILL, FastRequant, both_halves, fast_requant, finish, literal
from thermo_quantize.compiler.emit.dsp_dense import DspDense
from thermo_quantize.compiler.emit.dsp_gemm import (
    PIXELS,
    STEP_WORDS,
    gemm,
    gemm_constants,
    gemm_name,
    gemm_weights,
    pair_instructions,
)
from thermo_quantize.compiler.emit.kernel import ConvOrder, Kernel
from thermo_quantize.compiler.emit.patch import (
    each_tap,
    emit_patch,
    first_tap,
    is_direct,
    pixel,
    pixel_runs,
)
from thermo_quantize.compiler.emit.unit import Unit, indent
from thermo_quantize.compiler.ir import Conv
from thermo_quantize.compiler.memory import Overlap

_SINGLE = """
/* One more channel of three pixels, for an odd number of channels. */
static int32_t product_single(const word_t *inputs, const int8_t *weights, int runs, int32_t sum) {
  for (int i = 0; i < runs; i++, inputs += STEP, weights += 4) {
    const uint32_t word = *(const word_t *)weights;
    sum = __smlad((int16x2_t)even_bytes(word), (int16x2_t)inputs[0], sum);
    sum = __smlad((int16x2_t)odd_bytes(word), (int16x2_t)inputs[1], sum);
  }
  return sum;
}
"""


class DspConv(Kernel[Conv]):
    """Blocks of three pixels spread to 16 bits, then a product with all weights."""

    def __init__(self, layer: Conv, fast: FastRequant) -> None:
        super().__init__(layer)
        self._fast = fast
        self._runs = -(-layer.depth // 4)
        self._order = ConvOrder(layer, PIXELS)
        self._bytewise = not is_direct(layer) and any(source.channels % 4 for source in layer.sources)

    @property
    def scratch(self) -> int:
        """Three spread patches, and one of bytes where channels come in odd numbers."""
        return 8 * PIXELS * self._runs + (4 * self._runs if self._bytewise else 0)

    def overlap(self, number: int) -> Overlap:
        """Outputs follow the pixels they were computed from, or go before them."""
        return self._order.overlap(number)

    @property
    def instructions(self) -> int:
        """What the product takes exactly, and about 9 a word of what it multiplies for collecting that."""
        layer, window = self.layer, self.layer.window
        pixels, runs, odd = window.pixels, self._runs, layer.channels_out % 2
        blocks = pixels // PIXELS + pixels % PIXELS
        total = blocks * (layer.channels_out // 2 * pair_instructions(runs, self._fast) + 4)
        total += odd * pixels * (9 * runs + 4)
        if is_direct(layer):
            return total + 7 * pixels * runs
        if not self._bytewise:
            words = layer.channels_in // 4
            inside = taps_inside(window)
            outside = pixels * window.kernel_h * window.kernel_w - inside
            return total + 8 * pixels + 9 * words * inside + words * outside
        if len(layer.sources) > 1 or window.dilation_w > 1:
            return total + 7 * pixels * layer.depth
        return total + 13 * pixels + 7 * pixels * runs + 24 * (pixels - pixels_inside(window)) * runs

    def emit(self, unit: Unit, position: int) -> None:
        """Blocks, and single pixels that are left at the end."""
        layer, fast, window = self.layer, self._fast, self.layer.window
        prefix = unit.prefix(position)
        pairs = layer.channels_out // 2 * 2
        flat = layer.weights.reshape(layer.channels_out, -1)
        name = gemm_name(self._runs, fast)
        call = ""
        if pairs:
            unit.helper(name, gemm(self._runs, fast))
            weights = unit.table(f"{prefix}_weights", "int8_t", gemm_weights(flat[:pairs]))
            constants = unit.table(f"{prefix}_constants", "int32_t", gemm_constants(layer.folded_bias[:pairs], fast))
            call = (
                f"{name}(inputs, {weights}, {constants}, out, STEP, {weights} + sizeof {weights}, "
                f"{fast.zero_point}, {fast.low}, {fast.high});"
            )
        block, rest = self._odd(unit, prefix, call, PIXELS), self._odd(unit, prefix, call, 1, emit=False)
        count = window.pixels // PIXELS * PIXELS
        collect = self._collect(unit, position)
        body = {
            PIXELS: "\n".join(collect(n) for n in range(PIXELS)) + "\n" + block,
            1: collect(0) + "\n" + rest,
        }
        ranges = [(PIXELS, 0, count)] * (count > 0) + [(1, count, window.pixels)] * (count != window.pixels)
        block_layer(unit, layer, position, self._order, ranges, body.__getitem__)

    def _odd(self, unit: Unit, prefix: str, call: str, pixels: int, emit: bool = True) -> str:
        """Statements of a block: the pairs of channels, and the last one."""
        layer, fast = self.layer, self._fast
        channels = layer.channels_out
        text = call.replace("STEP", str(channels) if pixels > 1 else "0")
        if channels % 2:
            unit.helper("product_single", _SINGLE.replace("STEP", str(STEP_WORDS)))
            last = channels - 1
            if emit:
                flat = layer.weights.reshape(channels, -1)[last]
                padded = [*flat.tolist(), *[0] * (4 * self._runs - flat.size)]
                unit.table(f"{prefix}_last_weights", "int8_t", padded)
            bias, factor, power = int(layer.folded_bias[last]), fast.factors[last], fast.powers[last]
            text += f"""
for (int i = 0; i < {pixels}; i++) {{
  int32_t sum = product_single(inputs + 2 * i, {prefix}_last_weights, {self._runs}, {bias});
{indent(finish(unit, fast, "sum", literal(factor), literal(power)))}
  out[i * {channels} + {last}] = (int8_t)sum;
}}"""
        return text

    def _collect(self, unit: Unit, position: int) -> Callable[[int], str]:
        """A function from n to the statement that spreads pixel p + n into slot n."""
        layer, window = self.layer, self.layer.window
        expand = self._expand(unit, aligned=layer.depth % 4 == 0 or self._bytewise)
        if is_direct(layer):
            return lambda n: f"{expand}(inputs + {2 * n}, in + {term(f'(p + {n})', layer.depth)}, {self._runs});"
        if self._bytewise:
            patch = emit_patch(unit, layer, position)
            pointer = f"(int8_t *){unit.scratch(position)} + {8 * PIXELS * self._runs}"
            return lambda n: (
                f"{patch}{pointer}, {pixel(unit, f'(p + {n})', window.out_w)});\n"
                f"{expand}(inputs + {2 * n}, {pointer}, {self._runs});"
            )
        patch = self._emit_spread(unit, position)
        return lambda n: f"{patch}inputs + {2 * n}, {pixel(unit, f'(p + {n})', window.out_w)});"

    def _expand(self, unit: Unit, aligned: bool) -> str:
        """Name of the helper that spreads bytes, from addresses that are multiples of four or from any."""
        name, word = ("expand", "word_t") if aligned else ("expand_loose", "loose_word_t")
        unit.helper(name, EXPAND.replace("STEP", str(STEP_WORDS)).replace("NAME", name).replace("WORD", word))
        return name

    def _emit_spread(self, unit: Unit, position: int) -> str:
        """Add a function that spreads what a pixel sees straight from the inputs."""
        layer = self.layer
        head, call = unit.patch(layer, position)
        pointers = [unit.source(layer.inputs[s.number], f"in{n}") for n, s in enumerate(layer.sources)]
        expand = self._expand(unit, aligned=True)
        unit.helper("fill", FILL.replace("STEP", str(STEP_WORDS)))
        runs = layer.channels_in // 4
        outside = f"fill(to, {both_halves(layer.input_zero_point)}, {runs});\nto += {STEP_WORDS * runs};"
        inside = "\n".join(
            f"{expand}(to, {place}, {channels // 4});\nto += {STEP_WORDS * channels // 4};"
            for place, channels in pixel_runs(layer)
        )
        body = each_tap(layer, *first_tap(layer), outside, inside)
        unit.functions.append(
            f"LAYER static void {head}word_t *to, int y, int x) {{\n{indent(chr(10).join(pointers))}\n{indent(body)}\n}}"
        )
        return call


def dsp_conv(layer: Conv) -> Kernel[Conv] | None:
    """The M4 kernel of a convolution or dense layer, or None where plain C must do."""
    fast = fast_requant(layer.requant, layer.weights, layer.bias)
    if fast is None:
        return None
    if is_direct(layer) and layer.window.pixels < PIXELS:
        return DspDense(layer, fast)
    return DspConv(layer, fast)
