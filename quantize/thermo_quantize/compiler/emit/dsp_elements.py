"""ADD, SUB and MUL for the M4: the reference's roundings in a few instructions, constants known."""

from thermo_quantize.compiler.emit.common import offset
from thermo_quantize.compiler.emit.dsp import FastRequant, finish, literal
from thermo_quantize.compiler.emit.kernel import Kernel
from thermo_quantize.compiler.emit.plain_elements import PlainBinary, nest, walk
from thermo_quantize.compiler.emit.unit import Unit
from thermo_quantize.compiler.fixed_point import wrap32
from thermo_quantize.compiler.ir import Binary

_RAISE = 20
_HALF = 1 << 30


class DspBinary(PlainBinary):
    """The plain layer's loops around shorter arithmetic."""

    @property
    def instructions(self) -> int:
        """17 an element for sums, 11 for products."""
        return (11 if self.layer.operation == "MUL" else 17) * self.layer.output.elements

    def emit(self, unit: Unit, position: int) -> None:
        """Raise by 2^20 and scale each input (one shift for the one of the larger scale), add, requantise."""
        layer = self.layer
        multiplier, exponent = layer.multipliers[-1]
        last = FastRequant(
            (wrap32(2 * multiplier),), (1 << (32 + exponent),), 0, layer.zero_points[2], layer.low, layer.high
        )
        values = [offset(f"in{n}[{walk(layer.strides[n])}]", -layer.zero_points[n]) for n in (0, 1)]
        if layer.operation == "MUL":
            text = f"int32_t sum = ({values[0]}) * ({values[1]});\n"
        else:
            names = ("first", "second")
            scaled = zip(names, values, layer.multipliers, strict=False)
            text = "".join(_scaled(name, value, pair) for name, value, pair in scaled)
            text += f"int32_t sum = first {'+' if layer.operation == 'ADD' else '-'} second;\n"
        text += finish(unit, last, "sum", literal(last.factors[0]), literal(last.powers[0]))
        text += "\n*out++ = (int8_t)sum;"
        sources = "\n".join(unit.source(value, f"in{n}") for n, value in enumerate(layer.inputs))
        body = nest(layer.sizes, text)
        unit.layer(layer, position, f"{sources}\n{unit.target(layer.output)}\n{body}")


def _scaled(name: str, value: str, pair: tuple[int, int]) -> str:
    multiplier, exponent = pair
    if pair == (_HALF, 0):
        return f"const int32_t {name} = ({value}) * (1 << {_RAISE - 1});\n"
    factor = literal(wrap32(2 * multiplier))
    text = f"int32_t {name} = ({value}) * (1 << {_RAISE});\n{name} = multiply_high({name}, {factor}, {name});\n"
    if exponent:
        half = 1 << (-exponent - 1)
        text += f"{name} = ({name} - ({name} < 0) + {half}) >> {-exponent};\n"
    return text


def dsp_binary(layer: Binary) -> Kernel[Binary] | None:
    """The M4 kernel of an element-wise layer, or None where its scales are out of the ordinary."""
    if layer.operation not in ("ADD", "SUB", "MUL"):
        return None
    if any(multiplier < _HALF or exponent > 0 for multiplier, exponent in layer.multipliers):
        return None
    return DspBinary(layer) if layer.multipliers[-1][1] <= -2 else None
