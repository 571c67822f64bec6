"""C that kernels of every instruction set share: requantisation, limits, and tables of a layer's constants."""

from typing import Protocol

from thermo_quantize.compiler.emit.unit import Unit
from thermo_quantize.compiler.ir import Requant, Window

_SCALE = """
/* value * multiplier * 2^(exponent - 31), rounded to nearest twice: halves up, then halves away from zero. */
static inline int32_t scale(int32_t value, int32_t multiplier, int32_t exponent) {
  if (exponent > 0) {
    value = (int32_t)((uint32_t)value << exponent);
    exponent = 0;
  }
  const int32_t high = (int32_t)(((int64_t)value * multiplier + (1 << 30)) >> 31);
  const int32_t mask = (int32_t)((1U << -exponent) - 1U);
  return (high >> -exponent) + ((high & mask) > (mask >> 1) + (high < 0));
}
"""

_CLAMP = """
static inline int32_t clamp(int32_t value, int32_t low, int32_t high) {
  return value < low ? low : value > high ? high : value;
}
"""

_HIGH_MULTIPLY = """
static inline int32_t high_multiply(int32_t a, int32_t b) {
  return (int32_t)(((int64_t)a * b + (1 << 30)) >> 31);
}

static inline int32_t shift_left(int32_t value, int by) {
  const int64_t wide = (int64_t)value * (1 << by);
  return wide > INT32_MAX ? INT32_MAX : wide < INT32_MIN ? INT32_MIN : (int32_t)wide;
}
"""


def scaling(unit: Unit) -> None:
    """Ask for scale() and clamp()."""
    unit.helper("scale", _SCALE)
    clamping(unit)


def clamping(unit: Unit) -> None:
    """Ask for clamp()."""
    unit.helper("clamp", _CLAMP)


def multiplying(unit: Unit) -> None:
    """Ask for high_multiply() and shift_left(), as numbers of a fixed point are multiplied and made larger."""
    unit.helper("high_multiply", _HIGH_MULTIPLY)


def requant_tables(unit: Unit, prefix: str, requant: Requant) -> tuple[str, str]:
    """C expressions of multiplier and exponent of channel c; tables only where channels differ."""
    expressions = []
    for name, ctype, values in (
        ("multiplier", "int32_t", requant.multipliers),
        ("exponent", "int8_t", requant.exponents),
    ):
        if len(set(values)) == 1:
            expressions.append(str(values[0]))
        else:
            expressions.append(unit.table(f"{prefix}_{name}", ctype, list(values)) + "[c]")
    return expressions[0], expressions[1]


def finish(unit: Unit, prefix: str, requant: Requant, accumulator: str) -> str:
    """C expression of channel c's output from its accumulator."""
    scaling(unit)
    multiplier, exponent = requant_tables(unit, prefix, requant)
    return (
        f"(int8_t)clamp(scale({accumulator}, {multiplier}, {exponent}) + {requant.zero_point}, "
        f"{requant.low}, {requant.high})"
    )


def term(variable: str, factor: int) -> str:
    """`variable * factor` without what multiplies by one."""
    return variable if factor == 1 else f"{variable} * {factor}"


def offset(base: str, constant: int) -> str:
    """`base + constant` without adding zero."""
    return base if constant == 0 else f"{base} - {-constant}" if constant < 0 else f"{base} + {constant}"


class Windowed(Protocol):
    """A layer that slides a kernel over an image."""

    @property
    def window(self) -> Window:
        """What each pixel sees."""

    @property
    def macs(self) -> int:
        """Multiply-accumulates."""


def products_note(layer: Windowed, how: str = "") -> str:
    """What the comment above a layer says of its products."""
    return f", {layer.window.kernel_h}x{layer.window.kernel_w} kernel{how}, {layer.macs} MACs"
