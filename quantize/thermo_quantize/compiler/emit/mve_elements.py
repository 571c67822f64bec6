"""Element-wise layers for the M55: ADD, SUB and MUL four at a time, tables sixteen at a time."""

from thermo_quantize.compiler.emit.common import offset
from thermo_quantize.compiler.emit.costs import UNROLLED
from thermo_quantize.compiler.emit.kernel import Kernel
from thermo_quantize.compiler.emit.mve_taps import LANES
from thermo_quantize.compiler.emit.plain_elements import PlainBinary, PlainLookup, nest, walk
from thermo_quantize.compiler.emit.plain_pairs import PAIRS, PlainPairs
from thermo_quantize.compiler.emit.plain_reduce import PlainPool
from thermo_quantize.compiler.emit.unit import Unit, indent
from thermo_quantize.compiler.ir import Binary

_BYTES = 16
_RAISE = 20
_HALF = 1 << 30


class MveBinary(PlainBinary):
    """The innermost loop in vectors; an input that is the same along it is spread over the lanes."""

    @property
    def instructions(self) -> int:
        """21 for four sums, 13 for four products."""
        inner = self.layer.sizes[-1]
        vectors = self.layer.output.elements // inner * -(-inner // LANES)
        return (13 if self.layer.operation == "MUL" else 21) * vectors

    def emit(self, unit: Unit, position: int) -> None:
        """Raise by 2^20 and scale each input, add, requantise; products directly."""
        layer = self.layer
        inner = layer.sizes[-1]
        whole = inner % LANES == 0
        reads = [self._read(number, whole) for number in (0, 1)]
        if layer.operation == "MUL":
            text = f"int32x4_t sums = vmulq_s32({reads[0]}, {reads[1]});\n"
        else:
            word = "vaddq_s32" if layer.operation == "ADD" else "vsubq_s32"
            text = "".join(
                f"int32x4_t {name} = vshlq_n_s32({read}, {_RAISE - (pair == (_HALF, 0))});\n" + _scaled(name, pair)
                for name, read, pair in zip(("first", "second"), reads, layer.multipliers, strict=False)
            )
            text += f"int32x4_t sums = {word}(first, second);\n"
        text += _scaled("sums", layer.multipliers[-1], shortcut=False)
        if layer.zero_points[2]:
            text += f"sums = vaddq_n_s32(sums, {layer.zero_points[2]});\n"
        text += f"sums = vminq_s32(vmaxq_s32(sums, vdupq_n_s32({layer.low})), vdupq_n_s32({layer.high}));\nFENCE();\n"
        text += "vstrbq_s32(out + i, sums);\n" if whole else "vstrbq_p_s32(out + i, sums, lanes);\n"
        lanes = "" if whole else f"const mve_pred16_t lanes = vctp32q((uint32_t)({inner} - i));\n"
        loop = (
            f"for (int i = 0; i < {inner}; i += {LANES}) {{\n{indent(lanes + text + 'FENCE();')}\n}}\nout += {inner};"
        )
        sources = "\n".join(unit.source(value, f"in{n}") for n, value in enumerate(layer.inputs))
        body = nest(layer.sizes[:-1], loop) if len(layer.sizes) > 1 else loop
        unit.layer(layer, position, f"{sources}\n{unit.target(layer.output)}\n{body}")

    def _read(self, number: int, whole: bool) -> str:
        layer = self.layer
        strides = layer.strides[number]
        zero = -layer.zero_points[number]
        outer = walk(strides[:-1])
        if strides[-1] == 0:
            return f"vdupq_n_s32({offset(f'in{number}[{outer}]', zero)})"
        place = f"in{number} + i" if outer == "0" else f"in{number} + {outer} + i"
        value = f"vldrbq_s32({place})" if whole else f"vldrbq_z_s32({place}, lanes)"
        return f"vaddq_n_s32({value}, {zero})" if zero else value


def _scaled(name: str, pair: tuple[int, int], shortcut: bool = True) -> str:
    """Statements of one multiplication by multiplier * 2^(exponent - 31), rounded twice; half is a shift less before."""
    multiplier, exponent = pair
    if shortcut and pair == (_HALF, 0):
        return ""
    text = f"{name} = vqrdmulhq_n_s32({name}, {multiplier});\n"
    if exponent:
        text += f"{name} = vrshrq_n_s32(vaddq_s32({name}, vshrq_n_s32({name}, 31)), {-exponent});\n"
    return text


class MveLookup(PlainLookup):
    """A table of 256 bytes, read by sixteen lanes at once."""

    @property
    def instructions(self) -> int:
        """4 for sixteen elements."""
        return 4 * (self.layer.output.elements // _BYTES) + 10

    def emit(self, unit: Unit, position: int) -> None:
        """Gathered loads; the last elements under a predicate."""
        layer = self.layer
        table = unit.table(f"{unit.prefix(position)}_table", "uint8_t", list(layer.table))
        count = layer.output.elements
        body = f"""
{unit.source(layer.inputs[0])}
{unit.target(layer.output)}
for (int i = 0; i < {count // _BYTES * _BYTES}; i += {_BYTES}) {{
  const uint8x16_t at = vldrbq_u8((const uint8_t *)in + i);
  vstrbq_u8((uint8_t *)out + i, vldrbq_gather_offset_u8({table}, at));
}}"""
        rest = count % _BYTES
        if count < _BYTES:
            body = f"{unit.source(layer.inputs[0])}\n{unit.target(layer.output)}"
        if rest:
            body += f"""
const mve_pred16_t lanes = vctp8q({rest});
const uint8x16_t last = vldrbq_z_u8((const uint8_t *)in + {count - rest}, lanes);
FENCE();
vstrbq_p_u8((uint8_t *)out + {count - rest}, vldrbq_gather_offset_u8({table}, last), lanes);
FENCE();"""
        unit.layer(layer, position, body, ", a table")


class MvePool(PlainPool):
    """Plain C, which GCC turns into vectors for maxima of small whole windows."""

    @property
    def instructions(self) -> int:
        """A twelfth where lanes are full."""
        layer, window = self.layer, self.layer.window
        scalar = super().instructions
        if layer.average or not self.is_whole or window.kernel_h * window.kernel_w > UNROLLED:
            return scalar
        if (layer.low, layer.high) != (-128, 127):
            return scalar
        rest = layer.channels % _BYTES
        return scalar * (12 * rest + layer.channels - rest) // (12 * layer.channels)


class MvePairs(PlainPairs):
    """Plain C, which GCC turns into vectors for larger and smaller ones."""

    @property
    def instructions(self) -> int:
        """A twenty-fifth without arithmetic."""
        return super().instructions // (1 if self.layer.multipliers else 25)


def mve_binary(layer: Binary) -> Kernel[Binary] | None:
    """The M55 kernel of an element-wise layer, or None where plain C must do."""
    if layer.operation in PAIRS:
        return MvePairs(layer)
    if any(multiplier < _HALF or not -31 <= exponent <= 0 for multiplier, exponent in layer.multipliers):
        return None
    if any(strides[-1] not in (0, 1) for strides in layer.strides) or layer.sizes[-1] < LANES:
        return None
    return MveBinary(layer)
