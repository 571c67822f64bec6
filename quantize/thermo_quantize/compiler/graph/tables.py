"""C tables in the making: constants by name, and numbers as C writes them."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from thermo_quantize.compiler.emit.unit import lines


def real(value: float | np.float32) -> str:
    """The nearest float32, exactly."""
    return f"{float(np.float32(value)).hex()}f"


def whole(value: int) -> str:
    """A whole number of up to 64 bits."""
    return str(value) if abs(value) < 1 << 31 else f"INT64_C({value})"


def boolean(value: bool) -> str:
    """true or false."""
    return "true" if value else "false"


@dataclass
class Tables:
    """Constants of one file.

    Attributes:
        texts: their definitions, in order.
        bytes: of flash that they take.
    """

    texts: list[str] = field(default_factory=list)
    bytes: int = 0

    def reals(self, name: str, values: NDArray[np.float32]) -> str:
        """A table of float32; gives its name."""
        return self._table("float", name, [real(value) for value in values.ravel().tolist()], 4)

    def places(self, name: str, values: Sequence[int]) -> str:
        """A table of uint16; gives its name."""
        return self._table("uint16_t", name, [str(value) for value in values], 2)

    def _table(self, kind: str, name: str, items: list[str], size: int) -> str:
        self.texts.append(f"static const {kind} {name}[{len(items)}] = {{\n{lines(items)}\n}};")
        self.bytes += size * len(items)
        return name
