"""What a network keeps from run to run: an array beside the arena, of zeros at the start and after NAME_reset()."""

from collections.abc import Sequence
from typing import Any

from thermo_quantize.compiler.emit.kernel import Kernel
from thermo_quantize.compiler.memory import ALIGNMENT


def places(kernels: Sequence[Kernel[Any]]) -> tuple[dict[int, int], int]:
    """(byte of each layer's state by the layer's position, bytes of all)."""
    found, size = {}, 0
    for position, kernel in enumerate(kernels):
        if kernel.state:
            found[position] = size
            size += -(-kernel.state // ALIGNMENT) * ALIGNMENT
    return found, size


def macro(name: str, size: int) -> str:
    """The header's line on the state's size; nothing for a network without one."""
    return f"#define {name.upper()}_STATE_BYTES {size}\n" if size else ""


def prototype(name: str, size: int, parameter: str = "") -> str:
    """The header's declaration of NAME_reset()."""
    if not size:
        return ""
    return f"""
/* The network keeps a state: each run goes on where the one before ended. Forget it, as before the first run: wherever the
   input begins anew, or has a gap. */
void {name}_reset({parameter or "void"});
"""


def array(name: str, size: int, behind: int | None = None) -> str:
    """The array; behind an arena of so many bytes where it has no place of its own."""
    if size and behind is not None:
        return f"#define state (arena + {behind})"
    return f"static _Alignas(16) int8_t state[{name.upper()}_STATE_BYTES];" if size else ""


def reset(name: str, size: int, parameter: str = "") -> str:
    """NAME_reset(), which is told where the arena lies where there is a parameter for it."""
    if not size:
        return ""
    return f"void {name}_reset({parameter or 'void'}) {{\n  memset(state, 0, {name.upper()}_STATE_BYTES);\n}}"
