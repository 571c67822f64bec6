"""Dense layers for the Cortex-M0+: one row of inputs, spread to words, times each row of weights, four of which are a word."""

import numpy as np

from thermo_quantize.compiler.emit.common import products_note
from thermo_quantize.compiler.emit.kernel import Kernel
from thermo_quantize.compiler.emit.packed import FAST_OUTPUT, SLOW_OUTPUT, PackedRequant, exactly
from thermo_quantize.compiler.emit.packed_function import UNROLL, WEIGHTS, Body, function, limits, output
from thermo_quantize.compiler.emit.packed_patch import packed_patch
from thermo_quantize.compiler.emit.patch import is_direct
from thermo_quantize.compiler.emit.unit import Unit
from thermo_quantize.compiler.ir import Conv
from thermo_quantize.compiler.memory import ANYWHERE, Overlap

_RUN = [
    "ldmia r1!, {r6}",
    "ldmia r0!, {r2, r3, r4, r5}",
    "sxtb r7, r6",
    "muls r2, r7",
    "asrs r6, r6, #8",
    "sxtb r7, r6",
    "muls r3, r7",
    "asrs r6, r6, #8",
    "sxtb r7, r6",
    "muls r4, r7",
    "asrs r6, r6, #8",
    "muls r5, r6",
    "adds r2, r3",
    "adds r4, r5",
    "adds r2, r4",
    "add r8, r2",
]
"""Four products: r8 their sum."""

_SPREAD = """
static inline void spread(word_t *to, const int8_t *from, int count) {
  for (int i = 0; i < count; i++) {
    to[i] = (word_t)(int32_t)from[i];
  }
}
"""


def _dense() -> str:
    outputs, sides = output("2", "r7", ["strb r0, [r2]"])
    about = "One row of inputs, a word each, times all weights, a channel at a time."
    return function(
        "dense", about, Body([], ["mov r8, r6"], _RUN, [f"str r1, {WEIGHTS}"], ["mov r7, r8", *outputs], sides)
    )


class PackedDense(Kernel[Conv]):
    """FULLY_CONNECTED of one row, and convolutions of one output pixel."""

    def __init__(self, layer: Conv, fast: PackedRequant) -> None:
        super().__init__(layer)
        self._fast = fast
        self._runs = -(-layer.depth // 4)

    @property
    def scratch(self) -> int:
        """A word an input; a patch of bytes where the pixel sees more than its own place."""
        return 16 * self._runs + (0 if is_direct(self.layer) else self.layer.depth)

    def overlap(self, number: int) -> Overlap:
        """Inputs are spread before the first output is written."""
        return ANYWHERE

    @property
    def instructions(self) -> int:
        """16 for four products, about 45 an output, 5 an input."""
        many, rest = divmod(self._runs, UNROLL)
        channel = many * (len(_RUN) * UNROLL + 2) + rest * (len(_RUN) + 2) + 30 + FAST_OUTPUT
        return round(self.layer.channels_out * (channel + self._fast.slow * SLOW_OUTPUT) + 5 * self.layer.depth + 60)

    def emit(self, unit: Unit, position: int) -> None:
        """Inputs to words, and a call."""
        layer, fast = self.layer, self._fast
        prefix = unit.prefix(position)
        exactly(unit)
        unit.helper("dense", _dense())
        unit.helper("spread", _SPREAD)
        padded = np.zeros((layer.channels_out, 4 * self._runs), np.int8)
        padded[:, : layer.depth] = layer.weights.reshape(layer.channels_out, -1)
        weights = unit.table(f"{prefix}_weights", "int8_t", padded)
        constants = unit.table(f"{prefix}_constants", "int32_t", [number for row in fast.rows for number in row])
        if is_direct(layer):
            collect = f"{unit.source(layer.inputs[0])}\nspread(inputs, in, {layer.depth});"
        else:
            call = packed_patch(unit, layer, position)
            collect = f"""
int8_t *const patch = (int8_t *){unit.scratch(position)} + {16 * self._runs};
{call}patch, {unit.row("0")}, 0);
spread(inputs, patch, {layer.depth});""".strip()
        many = self._runs // UNROLL * UNROLL
        ends = f"inputs + {4 * many}, inputs + {4 * self._runs}, out + {layer.channels_out}"
        body = f"""
{unit.target(layer.output).replace("*out", "*const out", 1)}
word_t *const inputs = (word_t *)(void *){unit.scratch(position)};
{collect}
dense(inputs, {weights}, {constants}, out, 0, 0, 0, {ends}, 0, {limits(fast)});"""
        unit.layer(layer, position, body.strip(), products_note(layer))
