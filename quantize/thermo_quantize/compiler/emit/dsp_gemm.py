"""The M4's matrix product: three pixels by two output channels in registers, a word of four weights a channel at a time.

For K bytes of depth the fourteen registers hold six sums, four pairs of weights, two pairs of inputs and two pointers, so
the innermost loop has no spills: 20 instructions for 24 products. No C compiler allocates all fourteen, hence assembler.
"""

import numpy as np
from numpy.typing import NDArray

from thermo_quantize.compiler.emit.dsp import FastRequant

PIXELS = 3
STEP_WORDS = 2 * PIXELS
_UNROLL = 4

_RUN = """ldrd r10, r12, [r1], #8
sxtb16 r11, r10, ror #8
sxtb16 r10, r10
sxtb16 lr, r12, ror #8
sxtb16 r12, r12
ldrd r2, r3, [r0], #8
smlad r4, r10, r2, r4
smlad r7, r12, r2, r7
smlad r4, r11, r3, r4
smlad r7, lr, r3, r7
ldrd r2, r3, [r0], #8
smlad r5, r10, r2, r5
smlad r8, r12, r2, r8
smlad r5, r11, r3, r5
smlad r8, lr, r3, r8
ldrd r2, r3, [r0], #8
smlad r6, r10, r2, r6
smlad r9, r12, r2, r9
smlad r6, r11, r3, r6
smlad r9, lr, r3, r9"""


def gemm_name(runs: int, fast: FastRequant) -> str:
    """Name of the product of depth 4 * runs."""
    return f"product_{4 * runs}" + (f"_lift{fast.lift}" if fast.lift else "") + ("_clamped" if fast.clamps else "")


def gemm(runs: int, fast: FastRequant) -> str:
    """C of the product function for depth 4 * runs."""
    looped = runs // _UNROLL * _UNROLL if runs >= 2 * _UNROLL else 0
    text = ["push {r0-r11, lr}"]
    if looped:
        # The slot of r1, whose value stays in its register, holds the end of the looped inputs.
        text += [f"movw r12, #{looped * 8 * PIXELS}", "add r12, r0, r12", "str r12, [sp, #4]"]
    text += [
        "1:",
        "ldr r2, [sp, #8]",
        "ldrd r4, r7, [r2], #8",
        "str r2, [sp, #8]",
        "mov r5, r4",
        "mov r6, r4",
        "mov r8, r7",
        "mov r9, r7",
    ]
    if looped:
        text += ["2:", *[_RUN] * _UNROLL, "ldr r2, [sp, #4]", "cmp r0, r2", "bne 2b"]
    text += [_RUN] * (runs - looped)
    text += [
        "ldr r0, [sp]",
        "ldr r2, [sp, #8]",
        "ldmia r2!, {r10, r11, r12, lr}",
        "str r2, [sp, #8]",
        "ldr r3, [sp, #60]",
    ]
    for sums, factor, power in (("456", "r10", "r11"), ("789", "r12", "lr")):
        for number in sums:
            sum_ = f"r{number}"
            text.append(f"smmlar {sum_}, {sum_}, {factor}, {sum_}")
            if fast.lift:
                text.append(f"lsl {sum_}, {sum_}, #{fast.lift}")
            text += [
                f"add {sum_}, {sum_}, {sum_}, asr #31",
                f"smmlar {sum_}, {sum_}, {power}, r3",
                f"ssat {sum_}, #8, {sum_}",
            ]
    if fast.clamps:
        text += ["ldr r10, [sp, #64]", "ldr r11, [sp, #68]"]
        for number in "456789":
            text += [f"cmp r{number}, r10", "it lt", f"movlt r{number}, r10"]
            text += [f"cmp r{number}, r11", "it gt", f"movgt r{number}, r11"]
    text += [
        "ldr r2, [sp, #12]",
        "ldr r3, [sp, #52]",
        # With a step of 0 the first pixel, written last, remains.
        "strb r6, [r2, r3, lsl #1]",
        "strb r5, [r2, r3]",
        "strb r4, [r2], #1",
        "strb r9, [r2, r3, lsl #1]",
        "strb r8, [r2, r3]",
        "strb r7, [r2], #1",
        "str r2, [sp, #12]",
        "ldr r2, [sp, #56]",
        "cmp r1, r2",
        "bne 1b",
        "add sp, #16",
        "pop {r4-r11, pc}",
    ]
    body = "\n".join(f'      "{line}\\n"' for block in text for line in block.split("\n"))
    return f"""
/* Three pixels of 16-bit inputs times all weights, two channels at a time; `step` bytes from pixel to pixel of the output
   (0: the first pixel alone). Per pair of channels `constants` holds two biases, then factor and power of each. */
__attribute__((naked, noinline, unused)) static void {gemm_name(runs, fast)}(
    const word_t *inputs __attribute__((unused)), const int8_t *weights __attribute__((unused)),
    const int32_t *constants __attribute__((unused)), int8_t *out __attribute__((unused)),
    uint32_t step __attribute__((unused)), const int8_t *weights_end __attribute__((unused)),
    int32_t zero_point __attribute__((unused)), int32_t low __attribute__((unused)),
    int32_t high __attribute__((unused))) {{
  __asm__ volatile(
      ".syntax unified\\n"
{body}
  );
}}
"""


def pair_instructions(runs: int, fast: FastRequant) -> int:
    """Instructions of two channels of three pixels."""
    turns = runs // _UNROLL if runs >= 2 * _UNROLL else 0
    return 48 + 20 * runs + 3 * turns + (6 if fast.lift else 0) + (38 if fast.clamps else 0)


def gemm_weights(weights: NDArray[np.int8]) -> NDArray[np.int8]:
    """(2n, depth) weights in the order the product reads them: per pair and run, four of one channel, four of the other."""
    channels, depth = weights.shape
    padded = np.zeros((channels, -(-depth // 4) * 4), np.int8)
    padded[:, :depth] = weights
    return padded.reshape(channels // 2, 2, -1, 4).transpose(0, 2, 1, 3).ravel()


def gemm_constants(bias: NDArray[np.int64], fast: FastRequant) -> list[int]:
    """Constants of the pairs of channels."""
    found: list[int] = []
    for c in range(0, len(bias) - 1, 2):
        found += [int(bias[c]), int(bias[c + 1])]
        found += [fast.factors[c], fast.powers[c], fast.factors[c + 1], fast.powers[c + 1]]
    return found
