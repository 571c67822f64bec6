"""Dense layers for the M4's SIMD: a row times all weights, each of which is read once.

Four output channels at a time: their sums, a word of four weights of each, and the four inputs these belong to fill all
fourteen registers, so that 20 instructions make 16 products. No C compiler allocates all fourteen, hence assembler.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from thermo_quantize.compiler.emit.dsp import FastRequant, finish, literal
from thermo_quantize.compiler.emit.kernel import Kernel
from thermo_quantize.compiler.emit.unit import Unit, indent
from thermo_quantize.compiler.ir import Conv
from thermo_quantize.compiler.memory import NONE, Overlap

CHANNELS = 4
_UNROLL = 4
_SUMS = ("r4", "r5", "r6", "r7")
_RUN = [
    "ldr r3, [r0], #4",
    "ldmia r1!, {r8-r11}",
    "sxtb16 lr, r3, ror #8",
    "sxtb16 r3, r3",
    *(
        line
        for total, word in zip(_SUMS, ("r8", "r9", "r10", "r11"), strict=True)
        for line in (
            f"sxtb16 r12, {word}, ror #8",
            f"sxtb16 {word}, {word}",
            f"smlad {total}, r12, lr, {total}",
            f"smlad {total}, {word}, r3, {total}",
        )
    ),
]
# Where arguments lie once thirteen registers are pushed: those of r0, r2 and r3, then those that came on the stack.
_IN, _CONSTANTS, _OUT = "[sp]", "[sp, #8]", "[sp, #12]"
_IN_MANY, _IN_END, _WEIGHTS_END, _ZERO_POINT, _LOW, _HIGH, _FACTOR, _POWER = (f"[sp, #{52 + 4 * n}]" for n in range(8))


def _name(fast: FastRequant, uniform: bool) -> str:
    return f"dense{'_uniform' * uniform}" + (f"_lift{fast.lift}" if fast.lift else "") + "_clamped" * fast.clamps


def _finish(fast: FastRequant, uniform: bool) -> Iterator[str]:
    """Four sums to four bytes."""
    yield f"ldr r3, {_ZERO_POINT}"
    if uniform:
        yield from (f"ldr r8, {_FACTOR}", f"ldr r9, {_POWER}")
        scales = [("r8", "r9")] * CHANNELS
    else:
        yield f"ldr r2, {_CONSTANTS}"
        scales = [("r8", "r9"), ("r10", "r11")] * 2
    for number, (total, (factor, power)) in enumerate(zip(_SUMS, scales, strict=True)):
        if not uniform and number % 2 == 0:
            yield "ldmia r2!, {r8-r11}"
        yield f"smmlar {total}, {total}, {factor}, {total}"
        if fast.lift:
            yield f"lsl {total}, {total}, #{fast.lift}"
        yield f"add {total}, {total}, {total}, asr #31"
        yield f"smmlar {total}, {total}, {power}, r3"
        yield f"ssat {total}, #8, {total}"
    if not uniform:
        yield f"str r2, {_CONSTANTS}"
    if fast.clamps:
        yield from (f"ldr r10, {_LOW}", f"ldr r11, {_HIGH}")
        for total in _SUMS:
            yield from (f"cmp {total}, r10", "it lt", f"movlt {total}, r10")
            yield from (f"cmp {total}, r11", "it gt", f"movgt {total}, r11")
    yield f"ldr r2, {_OUT}"
    yield from (f"strb {total}, [r2], #1" for total in _SUMS)
    yield f"str r2, {_OUT}"


def _function(fast: FastRequant, uniform: bool) -> str:
    lines = [
        "push {r0-r11, lr}",
        "1:",
        f"ldr r2, {_CONSTANTS}",
        "ldmia r2!, {r4-r7}",
        f"str r2, {_CONSTANTS}",
        f"ldr r0, {_IN}",
        f"ldr r2, {_IN_MANY}",
        "cmp r0, r2",
        "beq 3f",
        "2:",
        *_RUN * _UNROLL,
        "cmp r0, r2",
        "bne 2b",
        "3:",
        f"ldr r2, {_IN_END}",
        "cmp r0, r2",
        "beq 5f",
        "4:",
        *_RUN,
        "cmp r0, r2",
        "bne 4b",
        "5:",
        *_finish(fast, uniform),
        f"ldr r2, {_WEIGHTS_END}",
        "cmp r1, r2",
        "bne 1b",
        "add sp, #16",
        "pop {r4-r11, pc}",
    ]
    body = "\n".join(f'      "{line}\\n"' for line in lines)
    arguments = ["const int8_t *in", "const int8_t *weights", "const int32_t *constants", "int8_t *out"]
    arguments += ["const int8_t *in_many", "const int8_t *in_end", "const int8_t *weights_end", "int32_t zero_point"]
    arguments += ["int32_t low", "int32_t high", "int32_t factor", "int32_t power"]
    parameters = ",\n    ".join(f"{argument} __attribute__((unused))" for argument in arguments)
    return f"""
/* One row of bytes times weights, four channels at a time: in steps of {4 * _UNROLL} inputs to `in_many`, of 4 to `in_end`.
   Per group `constants` holds four biases{"" if uniform else ", then factor and power of each"}. */
__attribute__((naked, noinline, unused)) static void {_name(fast, uniform)}(
    {parameters}) {{
  __asm__ volatile(
      ".syntax unified\\n"
{body}
  );
}}
"""


def _rest(unit: Unit, count: int) -> str:
    """Ask for the sums of the last one to three channels; gives the function's name."""
    name = f"dense_last_{count}"
    sums = "abc"[:count]
    steps = "\n".join(
        f"    {total} = __smlad((int16x2_t)even_bytes(w[{n}]), even, {total});\n"
        f"    {total} = __smlad((int16x2_t)odd_bytes(w[{n}]), odd, {total});"
        for n, total in enumerate(sums)
    )
    ends = "\n".join(f"  sums[{n}] = {total};" for n, total in enumerate(sums))
    unit.helper(
        name,
        f"""
/* Sums of {count} channel{"s" * (count > 1)} of one row; weights come four of each channel at a time. */
static inline void {name}(const int8_t *in, const int8_t *weights, int runs, int32_t *sums) {{
  int32_t {", ".join(f"{total} = sums[{n}]" for n, total in enumerate(sums))};
  const word_t *w = (const word_t *)weights;
#pragma GCC unroll 2
  for (int i = 0; i < runs; i++, in += 4, w += {count}) {{
    const uint32_t word = *(const loose_word_t *)in;
    const int16x2_t even = (int16x2_t)even_bytes(word), odd = (int16x2_t)odd_bytes(word);
{steps}
  }}
{ends}
}}
""",
    )
    return name


class DspDense(Kernel[Conv]):
    """A few rows times many weights: four channels at a time straight from the bytes, what is left of them in C."""

    def __init__(self, layer: Conv, fast: FastRequant) -> None:
        super().__init__(layer)
        self._fast = fast
        self._runs = -(-layer.depth // 4)
        self._groups, self._rest = divmod(layer.channels_out, CHANNELS)
        self._uniform = len(set(zip(fast.factors, fast.powers, strict=True))) == 1

    def overlap(self, number: int) -> Overlap:
        """Every output reads the whole row."""
        return NONE

    @property
    def instructions(self) -> int:
        """20 for 16 products, about 45 a group of four outputs."""
        many, rest = divmod(self._runs, _UNROLL)
        group = (
            many * (len(_RUN) * _UNROLL + 2)
            + rest * (len(_RUN) + 2)
            + len(list(_finish(self._fast, self._uniform)))
            + 13
        )
        last = (5 * self._rest + 5) * self._runs + 12 * self._rest + 15 if self._rest else 0
        return self.layer.window.pixels * (self._groups * group + (40 if self._groups else 0) + last)

    def emit(self, unit: Unit, position: int) -> None:
        """Groups of four channels, and the last channels."""
        layer, channels = self.layer, self.layer.channels_out
        prefix = unit.prefix(position)
        flat = layer.weights.reshape(channels, -1)
        parts = [self._whole(unit, prefix, flat)] if self._groups else []
        if self._rest:
            parts.append(self._last(unit, prefix, flat))
        body = "\n".join(parts)
        head = f"{unit.source(layer.inputs[0])}\n{unit.target(layer.output)}\n"
        rows = layer.window.pixels
        if rows > 1:
            head = head.replace("const int8_t *const in", "const int8_t *in")
            body = f"for (int r = 0; r < {rows}; r++, in += {layer.depth}, out += {channels}) {{\n{indent(body)}\n}}"
        unit.layer(layer, position, f"{head}{body}", f", {layer.macs} MACs")

    def _whole(self, unit: Unit, prefix: str, flat: NDArray[np.int8]) -> str:
        """A call for all groups of four."""
        fast, name = self._fast, _name(self._fast, self._uniform)
        unit.helper(name, _function(fast, self._uniform))
        weights = unit.table(
            f"{prefix}_weights", "int8_t", _weights(flat[: CHANNELS * self._groups], CHANNELS, self._runs)
        )
        constants = unit.table(f"{prefix}_constants", "int32_t", self._constants())
        scale = [literal(fast.factors[0]), literal(fast.powers[0])] if self._uniform else ["0", "0"]
        limits = ", ".join([str(fast.zero_point), str(fast.low), str(fast.high), *scale])
        ends = f"in + {self._runs // _UNROLL * _UNROLL * 4}, in + {4 * self._runs}, {weights} + sizeof {weights}"
        return f"{name}(in, {weights}, {constants}, out, {ends}, {limits});"

    def _last(self, unit: Unit, prefix: str, flat: NDArray[np.int8]) -> str:
        """The channels that fill no group."""
        fast, first = self._fast, CHANNELS * self._groups
        weights = unit.table(f"{prefix}_last_weights", "int8_t", _weights(flat[first:], self._rest, self._runs))
        biases = ", ".join(literal(int(bias)) for bias in self.layer.folded_bias[first:])
        text = [f"int32_t sums[{self._rest}] = {{{biases}}};"]
        text.append(f"{_rest(unit, self._rest)}(in, {weights}, {self._runs}, sums);")
        for n in range(self._rest):
            factor, power = literal(fast.factors[first + n]), literal(fast.powers[first + n])
            text += [finish(unit, fast, f"sums[{n}]", factor, power), f"out[{first + n}] = (int8_t)sums[{n}];"]
        return "\n".join(text)

    def _constants(self) -> list[int]:
        fast, found = self._fast, []
        for first in range(0, CHANNELS * self._groups, CHANNELS):
            here = slice(first, first + CHANNELS)
            found += self.layer.folded_bias[here].tolist()
            if not self._uniform:
                pairs = zip(fast.factors[here], fast.powers[here], strict=True)
                found += [number for pair in pairs for number in pair]
        return found


def _weights(weights: NDArray[np.int8], together: int, runs: int) -> NDArray[np.int8]:
    """(group, run, channel, 4), `together` channels a group: as the products read them."""
    padded = np.zeros((weights.shape[0], 4 * runs), np.int8)
    padded[:, : weights.shape[1]] = weights
    return padded.reshape(-1, together, runs, 4).transpose(0, 2, 1, 3)
