"""Convolutions and dense layers for the Cortex-M0+: four pixels, as two words of two, times one channel at a time.

The innermost loop takes two products of each of the four pixels in 16 instructions. What the pixels see lies as words in
the order they are read (LDMIA), and since the pointer to them moves by 8 bytes a product, it also is the index of the
weights, which lie eight channels side by side: no instruction is spent on addresses.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from thermo_quantize.compiler.emit.blocks import block_layer
from thermo_quantize.compiler.emit.common import term
from thermo_quantize.compiler.emit.costs import pixels_inside, taps_inside
from thermo_quantize.compiler.emit.kernel import ConvOrder, Kernel
from thermo_quantize.compiler.emit.packed import (
    FAST_OUTPUT,
    SLOW_OUTPUT,
    PackedRequant,
    exactly,
    packed_requant,
    pairs_fit,
)
from thermo_quantize.compiler.emit.packed_dense import PackedDense
from thermo_quantize.compiler.emit.packed_function import UNROLL, WEIGHTS, Body, at, function, limits, output
from thermo_quantize.compiler.emit.packed_patch import packed_patch
from thermo_quantize.compiler.emit.patch import is_direct, pixel
from thermo_quantize.compiler.emit.unit import Unit
from thermo_quantize.compiler.ir import Conv
from thermo_quantize.compiler.memory import Overlap

PIXELS = 4
_TOGETHER = 8
"""Channels whose weights lie side by side: 8 bytes, as the inputs' pointer moves."""
_WORD = ["muls r2, r4", "muls r3, r5", "adds r2, r3", "add {s}, r2", "asrs r2, r2, #16", "adcs {h}, r2"]
_RUN = [
    "ldrsb r4, [r1, r0]",
    "ldmia r0!, {r2, r3}",
    "ldrsb r5, [r1, r0]",
    *(line.replace("{s}", "r8").replace("{h}", "r6") for line in _WORD),
    "ldmia r0!, {r2, r3}",
    *(line.replace("{s}", "r9").replace("{h}", "r7") for line in _WORD),
]
"""Two products of four pixels: r0 inputs, r1 weights less inputs, r6, r7 upper halves, r8, r9 words."""


def _product() -> str:
    """C of the function."""
    outputs: list[str] = ["lsls r5, r7, #16", "mov r3, r9", "subs r3, r3, r5"]
    sides: list[str] = []
    # With a step of 0 an earlier pixel, written later, remains.
    for name, value, step in (("2", "r7", "step_3"), ("3", "r3", "step_2"), ("4", "r6", "step_1"), ("5", "r3", "")):
        if name == "4":
            outputs += ["lsls r5, r6, #16", "mov r3, r8", "subs r3, r3, r5"]
        store = [f"ldr r5, {at(step)}", "strb r0, [r2, r5]"] if step else ["strb r0, [r2]"]
        straight, aside = output(name, value, store)
        outputs += straight
        sides += aside
    weights = [
        # Eight channels' lie side by side.
        f"ldr r1, {WEIGHTS}",
        "adds r1, #1",
        "lsls r2, r1, #29",
        "bne 15f",
        f"ldr r2, {at('jump')}",
        "add r1, r2",
        "15:",
        f"str r1, {WEIGHTS}",
    ]
    start = ["movs r7, r6", "lsls r3, r6, #16", "adds r3, r6", "mov r8, r3", "mov r9, r3"]
    about = "Four pixels, two a word, times all weights, a channel at a time; outputs `step` bytes after that of the first pixel."
    return function("product", about, Body(["subs r1, r1, r0"], start, _RUN, weights, outputs, sides))


_PACK = """
/* Two pixels as words: a run of two products takes four words, of which each pair of pixels has two. */
static inline void pack(word_t *to, const int8_t *low, const int8_t *high, int count) {
  for (; count > 1; count -= 2, to += 4, low += 2, high += 2) {
    to[0] = (uint32_t)low[0] + ((uint32_t)high[0] << 16);
    to[1] = (uint32_t)low[1] + ((uint32_t)high[1] << 16);
  }
  if (count != 0) {
    to[0] = (uint32_t)low[0] + ((uint32_t)high[0] << 16);
    to[1] = 0;
  }
}
"""


class PackedConv(Kernel[Conv]):
    """Blocks of four pixels packed into words, then a product with all weights; the last block may be of fewer."""

    def __init__(self, layer: Conv, fast: PackedRequant) -> None:
        super().__init__(layer)
        self._fast = fast
        self._runs = -(-layer.depth // 2)
        self._order = ConvOrder(layer, PIXELS)
        self._packed = 16 * self._runs

    @property
    def scratch(self) -> int:
        """Words of four pixels; two patches of bytes where pixels see more than their own place."""
        return self._packed + (0 if is_direct(self.layer) else 2 * self.layer.depth)

    def overlap(self, number: int) -> Overlap:
        """Outputs follow the pixels they were computed from, or go before them."""
        return self._order.overlap(number)

    @property
    def instructions(self) -> int:
        """16 for eight products, about 75 a channel of four pixels, 4 an input that is packed."""
        layer, window = self.layer, self.layer.window
        blocks = -(-window.pixels // PIXELS)
        many, rest = divmod(self._runs, UNROLL)
        channel = many * (16 * UNROLL + 2) + 18 * rest + 38 + 4 * (FAST_OUTPUT + 1 + self._fast.slow * SLOW_OUTPUT)
        total = blocks * (layer.channels_out * channel + 60 + 8 * layer.depth)
        if not is_direct(layer):
            outside = window.pixels - pixels_inside(window)
            each = 5 if any(source.channels % 4 for source in layer.sources) else 1
            total += window.pixels * (each * layer.depth + 30 * window.kernel_h) + 60 * outside * window.kernel_h
            if window.dilation_w > 1 or len(layer.sources) > 1:
                total += 20 * taps_inside(window)
        return round(total)

    def emit(self, unit: Unit, position: int) -> None:
        """A loop over whole blocks, and the pixels that are left at the end."""
        layer, fast, window = self.layer, self._fast, self.layer.window
        prefix = unit.prefix(position)
        exactly(unit)
        unit.helper("product", _product())
        unit.helper("pack", _PACK)
        flat = layer.weights.reshape(layer.channels_out, -1)
        weights = unit.table(f"{prefix}_weights", "int8_t", _weights(flat))
        constants = unit.table(f"{prefix}_constants", "int32_t", [number for row in fast.rows for number in row])
        many = self._runs // UNROLL * UNROLL
        shared = f"inputs + {4 * many}, inputs + {4 * self._runs}, out + {layer.channels_out}, {16 * self._runs - 8}, {limits(fast)}"
        collect = self._collect(unit, position)
        count, rest = window.pixels // PIXELS * PIXELS, window.pixels % PIXELS

        def body(pixels: int) -> str:
            steps = ", ".join(str(n * layer.channels_out if n < pixels else 0) for n in (1, 2, 3))
            return f"{collect(pixels)}\nproduct(inputs, {weights}, {constants}, out, {steps}, {shared});"

        ranges = [(PIXELS, 0, count)] * (count > 0) + [(rest, count, window.pixels)] * (rest > 0)
        block_layer(unit, layer, position, self._order, ranges, body)

    def _collect(self, unit: Unit, position: int) -> Callable[[int], str]:
        """A function from a number of pixels to statements that pack so many from p on; what is not there is repeated."""
        layer, depth = self.layer, self.layer.depth
        call = "" if is_direct(layer) else packed_patch(unit, layer, position)
        patches = f"(int8_t *){unit.scratch(position)} + {self._packed}"

        def pair(low: int, high: int, to: int) -> str:
            if is_direct(layer):
                first, second = (f"in + {term(f'(p + {n})', depth)}" for n in (low, high))
                return f"pack(inputs + {to}, {first}, {second}, {depth});"
            seen = [f"{call}patches + {n * depth}, {pixel(unit, f'(p + {at})', layer.window.out_w)});"
                    for n, at in enumerate(dict.fromkeys((low, high)))]  # fmt: skip
            second = f"patches + {depth}" if high != low else "patches"
            return "\n".join([*seen, f"pack(inputs + {to}, patches, {second}, {depth});"])

        def block(pixels: int) -> str:
            text = [] if is_direct(layer) else [f"int8_t *const patches = {patches};"]
            text.append(pair(0, min(1, pixels - 1), 0))
            if pixels > 2:
                text.append(pair(2, pixels - 1, 2))
            return "\n".join(text)

        return block


def _weights(flat: NDArray[np.int8]) -> NDArray[np.int8]:
    """(channels, products) weights as (group, product, channel of 8), padded with zeros."""
    channels, depth = flat.shape
    padded = np.zeros((-(-channels // _TOGETHER) * _TOGETHER, -(-depth // 2) * 2), np.int8)
    padded[:channels, :depth] = flat
    return padded.reshape(-1, _TOGETHER, padded.shape[1]).transpose(0, 2, 1)


def packed_conv(layer: Conv) -> Kernel[Conv] | None:
    """The M0+ kernel of a convolution, or None where plain C must do."""
    flat = layer.weights.reshape(layer.channels_out, -1)
    fast = packed_requant(layer.requant, flat, layer.folded_bias)
    if fast is None:
        return None
    if layer.window.pixels == 1:
        return PackedDense(layer, fast)
    return PackedConv(layer, fast) if pairs_fit(flat) else None
