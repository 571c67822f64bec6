"""Corrections that are a straight line for each number a sensor says: y = offset + gain x + slope (ta - 25).

The body, little-endian: offset, gain, slope, float32, of each number in turn. Applied in float32, in the order of the formula;
`device/firmware/sensors/linear_correction.c` gives the same bytes.
"""

import struct
from dataclasses import dataclass, field
from typing import ClassVar, NamedTuple, Self

import numpy as np

from thermo_core.errors import CorrectionError
from thermo_core.sensors.correction import Stamp
from thermo_core.signals import Values

REFERENCE_TA = 25.0
"""Temperature of the sensor at which the slope adds nothing, degC."""
LARGEST_OFFSET = 100.0
GAIN_RANGE = (0.5, 2.0)
LARGEST_SLOPE = 2.0

_LINE = struct.Struct("<3f")


class Line(NamedTuple):
    """One number's correction; rounded to float32 when it is stored.

    Attributes:
        offset: in the unit of the number.
        gain: of the number.
        slope: in the unit of the number for each K of the sensor's own temperature; 0 where it has none.
    """

    offset: float = 0.0
    gain: float = 1.0
    slope: float = 0.0

    def apply(self, x: Values | np.float32, ta: Values | np.float32 | None = None) -> Values:
        """Corrected numbers, float32.

        Args:
            x: float32.
            ta: temperature of the sensor, degC, float32; None adds no slope.
        """
        y = np.float32(self.offset) + np.float32(self.gain) * x
        if ta is not None:
            y = y + np.float32(self.slope) * (ta - np.float32(REFERENCE_TA))
        return np.asarray(y, np.float32)


@dataclass(frozen=True)
class LinearCorrection:
    """Base of the corrections of kinds that need no more.

    Attributes:
        lines: one for each of `numbers`.
        stamp: whose it is.

    Raises:
        CorrectionError: too few or too many lines, or one beyond what a sound sensor needs.
    """

    kind: ClassVar[str]
    numbers: ClassVar[tuple[str, ...]]
    """What is corrected, in words, in the order of the lines."""

    lines: tuple[Line, ...]
    stamp: Stamp = field(default_factory=Stamp)

    def __post_init__(self) -> None:
        if len(self.lines) != len(self.numbers):
            raise CorrectionError(
                f"A correction of {self.kind} has {len(self.numbers)} lines ({', '.join(self.numbers)}), "
                f"not {len(self.lines)}; make it anew."
            )
        for name, line in zip(self.numbers, self.lines, strict=True):
            if not (
                abs(line.offset) <= LARGEST_OFFSET
                and GAIN_RANGE[0] <= line.gain <= GAIN_RANGE[1]
                and abs(line.slope) <= LARGEST_SLOPE
            ):
                raise CorrectionError(
                    f"The correction of the {name} is {line.offset:g} + {line.gain:g} x + {line.slope:g} (ta - 25), beyond "
                    "what a sound sensor needs; calibrate it again."
                )
        object.__setattr__(self, "lines", tuple(Line(*np.array(line, np.float32).tolist()) for line in self.lines))

    @property
    def is_identity(self) -> bool:
        """Whether it changes nothing."""
        return all(line == Line() for line in self.lines)

    def body(self) -> bytes:
        """As it is stored."""
        return b"".join(_LINE.pack(*line) for line in self.lines)

    @classmethod
    def from_body(cls, stamp: Stamp, body: bytes) -> Self:
        """Inverse of `body`.

        Raises:
            CorrectionError: not as many lines as the kind has, or impossible ones.
        """
        if len(body) != _LINE.size * len(cls.numbers):
            raise CorrectionError(
                f"A correction of {cls.kind} holds {_LINE.size * len(cls.numbers)} bytes, not {len(body)}; calibrate the "
                "sensor again."
            )
        return cls(tuple(Line(*values) for values in _LINE.iter_unpack(body)), stamp)
