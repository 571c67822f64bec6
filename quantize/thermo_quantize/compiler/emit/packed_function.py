"""The frame that the M0+'s assembler functions share: arguments, the loops over channels and products, requantisation.

Registers across a channel: r11 its row of constants, r12 and lr base and window of requantisation; r10 is the end of the
inputs, then the span of accumulators within the limits. r0 to r7 are free but for what a function's lines say of each other.
"""

from dataclasses import dataclass

from thermo_quantize.compiler.emit.packed import RESTORE, SAVE, PackedRequant, naked

UNROLL = 4

# Where arguments lie: those of registers are pushed last, above them nine registers, then what came on the stack.
IN, WEIGHTS, OUT = "[sp]", "[sp, #4]", "[sp, #12]"
_ARGUMENTS = {
    "step_1": "uint32_t step_1",
    "step_2": "uint32_t step_2",
    "step_3": "uint32_t step_3",
    "end_many": "const word_t *end_many",
    "end": "const word_t *end",
    "out_end": "const int8_t *out_end",
    "jump": "uint32_t jump",
    "base": "uint32_t base",
    "window": "uint32_t window",
    "span": "int32_t span",
    "high": "int32_t high",
    "zero": "int32_t zero_point",
    "exact": "int32_t (*precise)(int32_t, int32_t, uint32_t, int32_t)",
}
_STACK = {name: 52 + 4 * number for number, name in enumerate(_ARGUMENTS)}


def at(name: str, pushed: int = 0) -> str:
    """An argument's place, with so many bytes pushed beyond."""
    return f"[sp, #{_STACK[name] + pushed}]"


def output(name: str, value: str, store: list[str]) -> tuple[list[str], list[str]]:
    """(an accumulator's way to its byte, what lies aside of it): r1 low end, r4 coarse, r10 span, r12 base, lr window."""
    straight = [
        f"subs r5, {value}, r1",
        "cmp r5, r10",
        f"bhi {name}1f",
        f"muls {value}, r4",
        f"add {value}, r12",
        f"lsrs r0, {value}, #24",
        f"lsls {value}, {value}, #8",
        f"cmp {value}, lr",
        f"bls {name}2f",
        f"{name}0:",
        *store,
    ]
    aside = [
        f"{name}1:",
        # -1 or 0: below or above.
        "asrs r5, r5, #31",
        f"ldr r0, {at('span')}",
        "ands r5, r0",
        f"ldr r0, {at('high')}",
        "subs r0, r0, r5",
        f"b {name}0b",
        f"{name}2:",
        "adds r0, r5, r1",
        "push {r1, r2, r3}",
        "mov r1, r12",
        "mov r2, lr",
        "push {r1, r2}",
        f"ldr r3, {at('exact', 20)}",
        "mov r12, r3",
        "mov r3, r11",
        "subs r3, #4",
        "ldr r1, [r3]",
        "mov r2, r4",
        f"ldr r3, {at('zero', 20)}",
        "blx r12",
        "pop {r1, r2}",
        "mov r12, r1",
        "mov lr, r2",
        "pop {r1, r2, r3}",
        f"b {name}0b",
    ]
    return straight, aside


@dataclass(frozen=True)
class Body:
    """What a function does of its own.

    Attributes:
        begin: once, with the arguments in r0 to r3: inputs, weights, constants, out.
        start: of a channel, whose bias is in r6.
        run: some products: r0 inputs, which it moves on, r1 weights.
        weights: from r1, or from their place on the stack, those of the next channel to that place.
        outputs: sums to bytes at r2, with the low end in r1 and the coarse factor in r4.
        sides: what lies aside of the outputs.
    """

    begin: list[str]
    start: list[str]
    run: list[str]
    weights: list[str]
    outputs: list[str]
    sides: list[str]


def function(name: str, about: str, body: Body) -> str:
    """C of a function: products in steps of UNROLL runs to `end_many`, of one to `end`, then a channel's outputs."""
    lines = [
        *SAVE,
        *body.begin,
        "push {r0-r3}",
        "mov r11, r2",
        f"ldr r3, {at('base')}",
        "mov r12, r3",
        f"ldr r3, {at('window')}",
        "mov lr, r3",
        "10:",
        "mov r2, r11",
        "ldr r6, [r2]",
        *body.start,
        f"ldr r0, {IN}",
        f"ldr r1, {WEIGHTS}",
        f"ldr r3, {at('end_many')}",
        "mov r10, r3",
        "cmp r0, r10",
        "beq 12f",
        "11:",
        *body.run * UNROLL,
        "cmp r0, r10",
        "bne 11b",
        "12:",
        f"ldr r3, {at('end')}",
        "mov r10, r3",
        "b 14f",
        "13:",
        *body.run,
        "14:",
        "cmp r0, r10",
        "bne 13b",
        *body.weights,
        "mov r2, r11",
        "ldmia r2!, {r0, r1, r3, r4, r5}",
        "mov r11, r2",
        "mov r10, r3",
        f"ldr r2, {OUT}",
        *body.outputs,
        "adds r2, #1",
        f"str r2, {OUT}",
        f"ldr r3, {at('out_end')}",
        "cmp r2, r3",
        "beq 16f",
        "b 10b",
        "16:",
        "add sp, #16",
        *RESTORE,
        *body.sides,
    ]
    arguments = ["const word_t *inputs", "const int8_t *weights", "const int32_t *constants", "int8_t *out"]
    return f"\n/* {about} */\n{naked(name, [*arguments, *_ARGUMENTS.values()], lines)}"


def limits(fast: PackedRequant) -> str:
    """Arguments from `base` on."""
    return f"{fast.base}U, {fast.window}U, {fast.high - fast.low}, {fast.high}, {fast.zero_point}, exact"
