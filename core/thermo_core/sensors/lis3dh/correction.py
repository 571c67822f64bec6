"""What calibration in six positions found out about a LIS3DH: y = matrix (x - offset).

The body, little-endian: offset of x, y and z in g, then the matrix row by row, float32. Applied in float32, a row's products added
in the order of its columns.
"""

import struct
from dataclasses import dataclass, field
from typing import ClassVar, Self

import numpy as np

from thermo_core.errors import CorrectionError
from thermo_core.sensors.correction import Stamp
from thermo_core.signals import Values

LARGEST_OFFSET_G = 1.0
GAIN_RANGE = (0.75, 1.25)
LARGEST_SKEW = 0.25
"""Limits that float32 holds exactly, so that C has the same."""

_BODY = struct.Struct("<12f")
_UNIT = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)


@dataclass(frozen=True)
class AxesCorrection:
    """Offset, gain and skew of three axes.

    Attributes:
        offset_g: of x, y and z.
        matrix: nine numbers, row by row.
        stamp: whose it is.

    Raises:
        CorrectionError: beyond what a sound chip needs.
    """

    kind: ClassVar[str] = "lis3dh"

    offset_g: tuple[float, ...]
    matrix: tuple[float, ...] = _UNIT
    stamp: Stamp = field(default_factory=Stamp)

    def __post_init__(self) -> None:
        if len(self.offset_g) != 3 or len(self.matrix) != 9:
            raise CorrectionError("A correction of an accelerometer has three offsets and nine gains; make it anew.")
        sound = all(abs(offset) <= LARGEST_OFFSET_G for offset in self.offset_g)
        for place, gain in enumerate(self.matrix):
            sound &= GAIN_RANGE[0] <= gain <= GAIN_RANGE[1] if place % 4 == 0 else abs(gain) <= LARGEST_SKEW
        if not sound:
            raise CorrectionError(
                "The correction of the accelerometer is beyond what a sound chip needs; calibrate it again, at rest in each "
                "of the six positions."
            )
        object.__setattr__(self, "offset_g", _rounded(self.offset_g))
        object.__setattr__(self, "matrix", _rounded(self.matrix))

    @property
    def is_identity(self) -> bool:
        """Whether it changes nothing."""
        return not any(self.offset_g) and self.matrix == _UNIT

    def apply(self, g: Values) -> Values:
        """Corrected acceleration, (n, 3) float32 g."""
        x = g - np.array(self.offset_g, np.float32)
        rows = np.array(self.matrix, np.float32).reshape(3, 3)
        y: Values = np.zeros_like(x)
        for column in range(3):
            y = y + x[:, column, np.newaxis] * rows[np.newaxis, :, column]
        return y

    def body(self) -> bytes:
        """As it is stored."""
        return _BODY.pack(*self.offset_g, *self.matrix)

    @classmethod
    def from_body(cls, stamp: Stamp, body: bytes) -> Self:
        """Inverse of `body`.

        Raises:
            CorrectionError: another length, or impossible numbers.
        """
        if len(body) != _BODY.size:
            raise CorrectionError(
                f"A correction of an accelerometer holds {_BODY.size} bytes, not {len(body)}; calibrate it again."
            )
        numbers = _BODY.unpack(body)
        return cls(numbers[:3], numbers[3:], stamp)


def _rounded(numbers: tuple[float, ...]) -> tuple[float, ...]:
    """As float32 holds them."""
    return tuple(np.array(numbers, np.float32).tolist())
