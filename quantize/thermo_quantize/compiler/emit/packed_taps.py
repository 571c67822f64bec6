"""The Cortex-M0+'s function of a row of depthwise outputs: all taps of two outputs a word, then their requantisation."""

from thermo_quantize.compiler.emit.packed import RESTORE, SAVE, naked
from thermo_quantize.compiler.ir import Window

_NEAR = ("bias", "start", "low_end", "coarse", "across", "next", "end")
_FAR = ("span", "high", "multiplier", "zero_point", "precise")
"""What lies before a channel's weights, within reach of an address, and behind them."""
_C_TYPES = {
    "start": "uint32_t start",
    "coarse": "uint32_t coarse",
    "across": "uint32_t across",
    "next": "uint32_t next",
    "end": "const int8_t *end",
    "precise": "int32_t (*precise)(int32_t, int32_t, uint32_t, int32_t)",
}


def _near(name: str) -> str:
    return f"[r7, #{4 * _NEAR.index(name)}]"


def _far(name: str) -> str:
    return f"[r1, #{4 * _FAR.index(name)}]"


def function_name(window: Window) -> str:
    """Of the function of windows with this kernel."""
    name = f"taps_{window.kernel_h}x{window.kernel_w}"
    return name + (f"_{window.dilation_w}" if window.dilation_w > 1 and window.kernel_w > 1 else "")


def products(window: Window) -> list[str]:
    """All taps of two outputs: r0 place in the plane, r5 upper halves, r6 words, r11 from the end of a row to the next, r12 back."""
    text: list[str] = []
    waiting = ""
    left = window.kernel_h * window.kernel_w
    number = 0
    for row in range(window.kernel_h):
        column = 0
        while column < window.kernel_w:
            free = [name for name in ("r1", "r2", "r3") if name != waiting]
            count = min(window.kernel_w - column, len(free)) if window.dilation_w == 1 else 1
            loaded = free[:count]
            if window.dilation_w == 1:
                text.append(f"ldmia r0!, {{{', '.join(loaded)}}}")
            else:
                text.append(f"ldr {loaded[0]}, [r0, #{4 * window.dilation_w * column}]")
            column += count
            for name in loaded:
                text += [f"ldr r4, [r7, #{4 * (len(_NEAR) + number)}]", f"muls {name}, r4"]
                number += 1
                left -= 1
                if waiting:
                    text.append(f"adds {waiting}, {name}")
                elif left:
                    waiting = name
                    continue
                total = waiting or name
                text += [f"adds r6, {total}", f"asrs {total}, {total}, #16", f"adcs r5, {total}"]
                waiting = ""
        text.append("add r0, r11" if row + 1 < window.kernel_h else "add r0, r12")
    return text


def _output(taps: int, name: str, value: str, store: list[str]) -> tuple[list[str], list[str]]:
    """(an accumulator's way to its byte, what lies aside of it): r8 span, r9 base, r10 window."""
    straight = [
        f"ldr r2, {_near('low_end')}",
        f"ldr r3, {_near('coarse')}",
        f"subs r4, {value}, r2",
        "cmp r4, r8",
        f"bhi {name}1f",
        f"muls {value}, r3",
        f"add {value}, r9",
        f"lsls r1, {value}, #8",
        "cmp r1, r10",
        f"bls {name}2f",
        f"lsrs {value}, {value}, #24",
        f"{name}0:",
        *store,
    ]
    far = ["mov r1, r7", f"adds r1, #{4 * (len(_NEAR) + taps)}"]
    aside = [
        f"{name}1:",
        *far,
        "asrs r4, r4, #31",
        f"ldr r2, {_far('span')}",
        "ands r4, r2",
        f"ldr {value}, {_far('high')}",
        f"subs {value}, {value}, r4",
        f"b {name}0b",
        f"{name}2:",
        # The other output waits in r6. Five words more make the stack a multiple of eight bytes.
        "mov r1, r12",
        "push {r0, r1, r2, r3, lr}",
        "adds r0, r4, r2",
        *far,
        "mov r2, r3",
        f"ldr r3, {_far('zero_point')}",
        f"ldr r4, {_far('precise')}",
        f"ldr r1, {_far('multiplier')}",
        "blx r4",
        f"mov {value}, r0",
        "pop {r0, r1, r2, r3, r4}",
        "mov r12, r1",
        "mov lr, r4",
        f"b {name}0b",
    ]
    return straight, aside


def taps_function(window: Window) -> str:
    """C of the function, and of the struct of a channel that it takes."""
    taps = window.kernel_h * window.kernel_w
    name = function_name(window)
    upper, aside_upper = _output(taps, "3", "r5", ["mov r1, lr", f"ldr r4, {_near('across')}", "strb r5, [r1, r4]"])
    lower, aside_lower = _output(taps, "4", "r6", ["mov r1, lr", "strb r6, [r1]"])
    lines = [
        *SAVE,
        "mov r7, r2",
        "mov lr, r1",
        "mov r11, r3",
        "ldr r3, [sp, #36]",
        "mov r12, r3",
        "ldr r3, [sp, #40]",
        "mov r8, r3",
        "ldr r3, [sp, #44]",
        "mov r9, r3",
        "ldr r3, [sp, #48]",
        "mov r10, r3",
        "1:",
        f"ldr r5, {_near('bias')}",
        f"ldr r6, {_near('start')}",
        *products(window),
        "lsls r1, r5, #16",
        "subs r6, r6, r1",
        *upper,
        *lower,
        f"ldr r2, {_near('next')}",
        "adds r1, r2",
        "mov lr, r1",
        f"ldr r2, {_near('end')}",
        "cmp r1, r2",
        "beq 2f",
        "b 1b",
        "2:",
        *RESTORE,
        *aside_upper,
        *aside_lower,
    ]
    fields = "\n".join(f"  {_C_TYPES.get(field, f'int32_t {field}')};" for field in (*_NEAR, f"weights[{taps}]", *_FAR))
    arguments = [
        "const word_t *plane",
        "int8_t *out",
        f"const struct {name} *channel",
        "int32_t to_row",
        "int32_t back",
    ]
    arguments += ["int32_t within", "uint32_t base", "uint32_t unsure"]
    return f"""
/* A channel's weights and constants; outputs are `next` bytes apart, and those of the lower half `across` from the upper. */
struct {name} {{
{fields}
}};

/* A row of outputs of each half: in the plane `to_row` bytes lie from a row's last tap to the next row, `back` from the last
   to the first of the next output. */
{naked(name, arguments, lines)}"""
