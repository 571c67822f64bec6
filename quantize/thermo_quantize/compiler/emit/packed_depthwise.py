"""Depthwise convolutions for the Cortex-M0+: one channel at a time, as a plane of words with its padding around it.

A word holds two input rows that are as far apart as the two halves of a band of outputs, so that one multiplication makes a
product of two outputs. A channel's outputs may overwrite its inputs: the layer runs in place.
"""

from dataclasses import dataclass

from thermo_quantize.compiler.emit.kernel import Kernel, window_lag
from thermo_quantize.compiler.emit.packed import (
    FAST_OUTPUT,
    SLOW_OUTPUT,
    PackedRequant,
    assembler,
    exactly,
    packed_requant,
    pairs_fit,
)
from thermo_quantize.compiler.emit.unit import Unit, indent
from thermo_quantize.compiler.ir import Depthwise, Window
from thermo_quantize.compiler.memory import NONE, Overlap

_PLANE_BYTES = 2048
_MAX_TAPS, _MAX_COLUMN = 25, 31
"""Taps whose weights an address reaches; the furthest column of a row that one does."""

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


@dataclass(frozen=True)
class _Geometry:
    """A band: output rows of each of its halves, rows of words, and their width."""

    half: int
    rows: int
    width: int

    @property
    def bytes(self) -> int:
        return 4 * self.rows * self.width

    @property
    def rows_out(self) -> int:
        return 2 * self.half


def _geometry(window: Window) -> _Geometry:
    width = (window.out_w - 1) * window.stride_w + window.reach_w
    half = -(-window.out_h // 2)
    while half > 1 and 4 * width * ((half - 1) * window.stride_h + window.reach_h) > _PLANE_BYTES:
        half -= 1
    return _Geometry(half, (half - 1) * window.stride_h + window.reach_h, width)


def _near(name: str) -> str:
    return f"[r7, #{4 * _NEAR.index(name)}]"


def _far(name: str) -> str:
    return f"[r1, #{4 * _FAR.index(name)}]"


def _name(window: Window) -> str:
    name = f"taps_{window.kernel_h}x{window.kernel_w}"
    return name + (f"_{window.dilation_w}" if window.dilation_w > 1 and window.kernel_w > 1 else "")


def _products(window: Window) -> list[str]:
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


def _function(window: Window) -> str:
    taps = window.kernel_h * window.kernel_w
    name = _name(window)
    upper, aside_upper = _output(taps, "3", "r5", ["mov r1, lr", f"ldr r4, {_near('across')}", "strb r5, [r1, r4]"])
    lower, aside_lower = _output(taps, "4", "r6", ["mov r1, lr", "strb r6, [r1]"])
    lines = [
        "push {r4-r7, lr}",
        "mov r4, r8",
        "mov r5, r9",
        "mov r6, r10",
        "mov r7, r11",
        "push {r4-r7}",
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
        *_products(window),
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
        "pop {r4-r7}",
        "mov r8, r4",
        "mov r9, r5",
        "mov r10, r6",
        "mov r11, r7",
        "pop {r4-r7, pc}",
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
    parameters = ",\n    ".join(f"{argument} __attribute__((unused))" for argument in arguments)
    return f"""
/* A channel's weights and constants; outputs are `next` bytes apart, and those of the lower half `across` from the upper. */
struct {name} {{
{fields}
}};

/* A row of outputs of each half: in the plane `to_row` bytes lie from a row's last tap to the next row, `back` from the last
   to the first of the next output. */
__attribute__((naked, noinline, unused)) static void {name}(
    {parameters}) {{
  __asm__ volatile(
{assembler(lines)}
  );
}}
"""


class PackedDepthwise(Kernel[Depthwise]):
    """DEPTHWISE_CONV_2D, and CONV_2D of one input channel."""

    def __init__(self, layer: Depthwise, fast: PackedRequant) -> None:
        super().__init__(layer)
        self._fast = fast
        self._band = _geometry(layer.window)

    @property
    def scratch(self) -> int:
        """One band of one channel."""
        return self._band.bytes

    def overlap(self, number: int) -> Overlap:
        """In place, since a channel's outputs lie on that channel's inputs, read before."""
        layer, window, band = self.layer, self.layer.window, self._band
        if layer.channels_in > 1 and layer.multiplier > 1:
            return NONE
        lag = None
        if band.rows_out < window.out_h:
            lag = window_lag(window, layer.channels_in, layer.channels_out, band.rows_out * window.out_w)
        return Overlap(lag=lag, step=layer.channels_in)

    @property
    def instructions(self) -> int:
        """About 4 a tap of two outputs, 16 an output, 8 a word of the plane, and what rows and channels take."""
        layer, window, band = self.layer, self.layer.window, self._band
        taps = window.kernel_h * window.kernel_w
        pairs = layer.channels_out * window.out_w * -(-window.out_h // band.rows_out) * band.half
        each = len(_products(window)) + 12 + 2 * (FAST_OUTPUT + 4 + self._fast.slow * SLOW_OUTPUT)
        rows = layer.channels_out * -(-window.out_h // band.rows_out) * band.half
        bands = -(-window.out_h // band.rows_out)
        plane = layer.channels_in * bands * band.rows * (9 * min(band.width, window.in_w) + 30)
        return round(
            pairs * each + 70 * rows + layer.channels_out * (5 * taps + 60) + plane + 3 * band.rows * band.width
        )

    def emit(self, unit: Unit, position: int) -> None:
        """Channels, bands, rows."""
        layer, window, band, fast = self.layer, self.layer.window, self._band, self._fast
        prefix, name = unit.prefix(position), _name(window)
        exactly(unit)
        unit.helper(name, _function(window))
        weights = unit.table(f"{prefix}_weights", "int8_t", layer.weights)
        constants = unit.table(f"{prefix}_constants", "int32_t", [number for row in fast.rows for number in row])
        taps, channels = window.kernel_h * window.kernel_w, layer.channels_out
        single = band.rows_out >= window.out_h
        column = 4 * band.width
        run = 4 * (window.kernel_w if window.dilation_w == 1 else 0)
        to_row = column * window.dilation_h - run
        back = 4 * window.stride_w - run - column * window.dilation_h * (window.kernel_h - 1)
        many = layer.multiplier > 1
        start = "out" if single else f"out + y0 * {window.out_w * channels}"
        across = band.half * window.out_w * channels
        # Of an odd number of rows the last of the lower half is not there: the upper's, written later, remains.
        last = f"y0 + {band.half} + y < {window.out_h} ? {across}U : 0U" if not single else (
            f"{band.half} + y < {window.out_h} ? {across}U : 0U"
        )  # fmt: skip
        rows = band.half if single else f"(y0 + {band.half} > {window.out_h} ? {window.out_h} - y0 : {band.half})"
        across_text = f"{across}U" if single and window.out_h % 2 == 0 else last
        run_text = f"""
const int c = {f"i * {layer.multiplier} + j" if many else "i"};
const int32_t *const row = {constants} + 5 * c;
for (int n = 0; n < {taps}; n++) {{
  channel.weights[n] = {weights}[{taps} * c + n];
}}
channel.bias = row[0];
channel.start = (uint32_t)row[0] * 65537U;
channel.low_end = row[1];
channel.coarse = (uint32_t)row[3];
channel.multiplier = row[4];
int8_t *to = {start} + c;
const word_t *from = plane;
for (int y = 0; y < {rows}; y++, from += {window.stride_h * band.width}, to += {window.out_w * channels}) {{
  channel.across = {across_text};
  channel.end = to + {window.out_w * channels};
  {name}(from, to, &channel, {to_row}, {back}, row[2], {fast.base}U, {fast.window}U);
}}""".strip()
        if many:
            run_text = f"for (int j = 0; j < {layer.multiplier}; j++) {{\n{indent(run_text)}\n}}"
        body = f"{self._load()}\n{run_text}"
        if not single:
            body = f"for (int y0 = 0; y0 < {window.out_h}; y0 += {band.rows_out}) {{\n{indent(body)}\n}}"
        whole = f"""
{unit.source(layer.inputs[0])}
{unit.target(layer.output).replace("*out", "*const out")}
word_t *const plane = (word_t *)(void *){unit.scratch(position)};
struct {name} channel = {{.span = {fast.high - fast.low}, .high = {fast.high}, .zero_point = {fast.zero_point}, .next = {channels},
  .precise = exact}};
{self._border() if single else ""}
for (int i = 0; i < {layer.channels_in}; i++) {{
{indent(body)}
}}"""
        unit.layer(layer, position, whole, f", {window.kernel_h}x{window.kernel_w} kernel, {layer.macs} MACs")

    @property
    def _padding(self) -> str:
        zero = self.layer.input_zero_point
        return f"{(zero + (zero << 16)) % (1 << 32)}U"

    def _border(self) -> str:
        """All words as what lies outside of the image; the image's own stay where they are from channel to channel."""
        band = self._band
        return f"for (int n = 0; n < {band.rows * band.width}; n++) {{\n  plane[n] = {self._padding};\n}}"

    def _load(self) -> str:
        """Fill the plane with channel i: row y of it holds input rows `first` and `first + apart`."""
        layer, window, band = self.layer, self.layer.window, self._band
        channels, apart = layer.channels_in, band.half * window.stride_h
        single = band.rows_out >= window.out_h
        inside = min(window.in_w, band.width - window.pad_w)
        line = window.in_w * channels
        top = f"y - {window.pad_h}" if single else f"y0 * {window.stride_h} + y - {window.pad_h}"
        fill = "" if single else f"""
  for (int x = 0; x < {band.width}; x++) {{
    to_row[x] = {self._padding};
  }}"""  # fmt: skip
        zero = layer.input_zero_point
        return f"""
word_t *to_row = plane;
for (int y = 0; y < {band.rows}; y++, to_row += {band.width}) {{
  const int first = {top}, second = first + {apart};
  const int8_t *const upper = in + first * {line} + i, *const lower = in + second * {line} + i;
  word_t *const words = to_row + {window.pad_w};{fill}
  if (first >= 0 && second < {window.in_h}) {{
    for (int x = 0; x < {inside}; x++) {{
      words[x] = (uint32_t)upper[x * {channels}] + ((uint32_t)lower[x * {channels}] << 16);
    }}
  }} else if (first >= 0 && first < {window.in_h}) {{
    for (int x = 0; x < {inside}; x++) {{
      words[x] = (uint32_t)upper[x * {channels}] + {(zero << 16) % (1 << 32)}U;
    }}
  }} else if (second >= 0 && second < {window.in_h}) {{
    for (int x = 0; x < {inside}; x++) {{
      words[x] = {zero % (1 << 32)}U + ((uint32_t)lower[x * {channels}] << 16);
    }}
  }}
}}""".strip()


def packed_depthwise(layer: Depthwise) -> Kernel[Depthwise] | None:
    """The M0+ kernel of a depthwise layer, or None where plain C must do."""
    window = layer.window
    flat = layer.weights.reshape(layer.channels_out, -1)
    if window.kernel_h * window.kernel_w > _MAX_TAPS or window.dilation_w * (window.kernel_w - 1) > _MAX_COLUMN:
        return None
    if _geometry(window).bytes > 4 * _PLANE_BYTES:
        return None
    fast = packed_requant(layer.requant, flat, layer.folded_bias)
    if fast is None or not pairs_fit(flat):
        return None
    return PackedDepthwise(layer, fast)
