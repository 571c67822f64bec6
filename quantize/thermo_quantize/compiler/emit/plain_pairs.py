"""MAXIMUM, MINIMUM, PRELU and SQUARED_DIFFERENCE in plain C."""

from collections.abc import Callable

from thermo_quantize.compiler.emit.common import clamping, offset, scaling
from thermo_quantize.compiler.emit.plain_elements import PlainBinary, nest, walk
from thermo_quantize.compiler.emit.unit import Unit
from thermo_quantize.compiler.ir import Binary
from thermo_quantize.compiler.lower.elements import SQUARE_SHIFT


def _compared(sign: str) -> Callable[[Binary, str, str], str]:
    def text(layer: Binary, first: str, second: str) -> str:
        return f"const int8_t a = {first}, b = {second};\n*out++ = a {sign} b ? a : b;"

    return text


def _finished(layer: Binary, value: str) -> str:
    return f"*out++ = (int8_t)clamp({offset(value, layer.zero_points[2])}, {layer.low}, {layer.high});"


def _prelu(layer: Binary, first: str, second: str) -> str:
    (m1, e1), (m2, e2) = layer.multipliers
    value = f"(x >= 0 ? scale(x, {m1}, {e1}) : scale(x * ({offset(second, -layer.zero_points[1])}), {m2}, {e2}))"
    return f"const int32_t x = {offset(first, -layer.zero_points[0])};\n{_finished(layer, value)}"


def _squared_difference(layer: Binary, first: str, second: str) -> str:
    (m1, e1), (m2, e2), (m3, e3) = layer.multipliers
    zero1, zero2, _ = layer.zero_points
    left = f"scale(({offset(first, -zero1)}) * (1 << {SQUARE_SHIFT}), {m1}, {e1})"
    difference = f"{left} - scale(({offset(second, -zero2)}) * (1 << {SQUARE_SHIFT}), {m2}, {e2})"
    return f"const int32_t d = {difference};\n{_finished(layer, f'scale(d * d, {m3}, {e3})')}"


PAIRS: dict[str, tuple[Callable[[Binary, str, str], str], int]] = {
    "MAXIMUM": (_compared(">"), 7),
    "MINIMUM": (_compared("<"), 7),
    "PRELU": (_prelu, 19),
    "SQUARED_DIFFERENCE": (_squared_difference, 46),
}
"""Operation -> statements that make an output of two inputs, and about how many instructions they are."""


class PlainPairs(PlainBinary):
    """The loops of PlainBinary around other arithmetic."""

    @property
    def instructions(self) -> int:
        """As many an element as PAIRS says."""
        return PAIRS[self.layer.operation][1] * self.layer.output.elements

    def emit(self, unit: Unit, position: int) -> None:
        """One element after the other."""
        layer = self.layer
        if layer.multipliers:
            scaling(unit)
            clamping(unit)
        reads = [f"in{n}[{walk(layer.strides[n])}]" for n in (0, 1)]
        statement = PAIRS[layer.operation][0](layer, *reads)
        sources = "\n".join(unit.source(value, f"in{n}") for n, value in enumerate(layer.inputs))
        unit.layer(layer, position, f"{sources}\n{unit.target(layer.output)}\n{nest(layer.sizes, statement)}")
