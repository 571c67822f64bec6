"""The taps of a depthwise pixel in M55 assembler: GCC 12 computes every address ahead, and runs out of registers for them."""

from thermo_quantize.compiler.emit.common import offset
from thermo_quantize.compiler.ir import Depthwise

LANES = 4
_NEAR = 127
"""Bytes that a vector load of single bytes reaches from its address."""
_FAR = 4095
"""Bytes that an addition of a constant, or a load of one byte, reaches."""
_FEW = 4
"""Taps of one channel up to which compilers do as well."""


def gathers(layer: Depthwise) -> bool:
    """Lanes gather the inputs they share."""
    return layer.channels_in > 1 and layer.multiplier > 1


def is_paired(layer: Depthwise) -> bool:
    """Eight channels at a time, which have the one input channel in common: `more` are the sums of the last four."""
    taps = layer.window.kernel_h * layer.window.kernel_w
    return layer.channels_in == 1 and taps > _FEW and -(-layer.channels_out // LANES) % 2 == 0


def tap(layer: Depthwise, source: str, weight: str, zero_point: int) -> str:
    """C that adds one tap of four channels to `sums`."""
    if layer.channels_in == 1:
        return f"sums = vmlaq_n_s32(sums, vldrbq_s32({weight}), {offset(f'*({source})', -zero_point)});"
    values = f"vldrbq_gather_offset_s32({source}, places)" if gathers(layer) else f"vldrbq_s32({source} + c)"
    if zero_point:
        values = f"vaddq_n_s32({values}, {-zero_point})"
    return f"sums = vaddq_s32(sums, vmulq_s32({values}, vldrbq_s32({weight})));"


def straight(layer: Depthwise) -> str:
    """C that adds all taps of four channels to `sums`: from `at`, channels from c on; weights lie together by four channels.

    Inputs and weights of a tap are loaded while those of the tap before are multiplied and added.
    """
    places = _places(layer)
    if len(places) <= (_FEW if layer.channels_in == 1 else 1):
        return "\n".join(tap(layer, f"at + {place}", f"weight + {n * LANES}", 0) for n, place in enumerate(places))
    shared, gathered, paired = layer.channels_in == 1, gathers(layer), is_paired(layer)
    reach = _reach(layer)
    lines: list[str] = []
    behind: list[str] = []
    at = weight_at = 0
    for number, place in enumerate(places):
        value, weight = (f"q{2 * (number % 2) + n}" for n in (0, 1))
        if place - at > reach:
            lines += _forward("tap", place - at)
            at = place
        if shared:
            lines.append(f"ldrsb %[byte{number % 2}], [%[tap], #{place - at}]")
        else:
            lines.append(f"vldrb.s32 {value}, [%[tap], {'%q[places]' if gathered else f'#{place - at}'}]")
        lines += behind[:1]
        if number * LANES - weight_at > _NEAR:
            step = number * LANES - weight_at
            lines += _forward("weight", step) + (_forward("other", step) if paired else [])
            weight_at = number * LANES
        lines.append(f"vldrb.s32 {weight}, [%[weight], #{number * LANES - weight_at}]")
        if paired:
            lines.append(f"vldrb.s32 {value}, [%[other], #{number * LANES - weight_at}]")
        lines += behind[1:]
        behind = [f"vmul.i32 {value}, {value}, {weight}", f"vadd.i32 %q[sums], %q[sums], {value}"]
        if shared:
            behind = [f"vmla.s32 %q[sums], {weight}, %[byte{number % 2}]"]
        if paired:
            behind.append(f"vmla.s32 %q[more], {value}, %[byte{number % 2}]")
    text = "\n".join(f'    "{line}\\n"' for line in lines + behind)
    before = f"const int8_t *tap = {'at' if shared or gathered else 'at + c'};\n"
    out = f'[sums] "+w"(sums), [weight] "+l"(weight), [tap] "+{"r" if shared or gathered else "l"}"(tap)'
    if paired:
        before += f"const int8_t *other = weight + {len(places) * LANES};\n"
        out += ', [more] "+w"(more), [other] "+l"(other)'
    if shared:
        before += "int32_t byte0, byte1;\n"
        out += ', [byte0] "=&r"(byte0), [byte1] "=&r"(byte1)'
    inputs = '[places] "w"(places)' if gathered else ""
    return f"""{before}__asm__ volatile(
{text}
    : {out}
    : {inputs}
    : "q0", "q1", "q2", "q3", "memory");"""


def steps(layer: Depthwise) -> int:
    """How often the pointer to inputs is moved on the way through the taps."""
    at = count = 0
    for place in _places(layer):
        if place - at > _reach(layer):
            at, count = place, count + 1
    return count


def _reach(layer: Depthwise) -> int:
    return _FAR if layer.channels_in == 1 else 0 if gathers(layer) else _NEAR


def _places(layer: Depthwise) -> list[int]:
    """Where taps lie from the first one."""
    window = layer.window
    rows = (ky * window.dilation_h * window.in_w for ky in range(window.kernel_h))
    return [(row + kx * window.dilation_w) * layer.channels_in for row in rows for kx in range(window.kernel_w)]


def _forward(pointer: str, by: int) -> list[str]:
    steps = [min(_FAR, by - done) for done in range(0, by, _FAR)]
    return [f"addw %[{pointer}], %[{pointer}], #{step}" for step in steps]
