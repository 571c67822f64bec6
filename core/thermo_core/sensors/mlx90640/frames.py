"""What flows through the product: raw subpages, decoded subpages, pictures. Shapes, units and nothing else."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from thermo_core.errors import SensorError, UsageError

ROWS = 24
COLUMNS = 32
PIXELS = ROWS * COLUMNS
AUXILIARY_WORDS = 64
RAM_WORDS = PIXELS + AUXILIARY_WORDS
CONTROL = RAM_WORDS
"""Index of the control register (0x800D) in the words of a subpage."""
SUBPAGE = RAM_WORDS + 1
"""Index of the subpage number in the words of a subpage."""
FRAME_WORDS = RAM_WORDS + 2

Words = NDArray[np.uint16]
Celsius = NDArray[np.float32]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Subpage:
    """One subpage as the sensor said it.

    Attributes:
        words: (834,) uint16: RAM 0x0400-0x073F, control register, subpage number.
        index: running number of the subpage at the device; a gap is a loss.
        time_us: device's monotonic clock at the end of the capture, microseconds.
        sensor: number of the sensor within the wearable.
        constants: number of the constants that the sensor had; 0 where nobody counted.
    """

    words: Words
    index: int
    time_us: int
    sensor: int = 0
    constants: int = 0

    @property
    def number(self) -> int:
        """0 or 1."""
        return int(self.words[SUBPAGE])


@dataclass(frozen=True, slots=True)
class DecodedSubpage:
    """One subpage as temperatures.

    Attributes:
        celsius: (24, 32) float32, degC; only pixels in `measured` belong to this subpage, all others are 0.
        measured: (24, 32) bool, the pixels this subpage carries.
        valid: (24, 32) bool, measured and neither broken nor outlier.
        ta: ambient (die) temperature, degC.
        vdd: supply, V.
        number: 0 or 1.
    """

    celsius: Celsius
    measured: Mask
    valid: Mask
    ta: float
    vdd: float
    number: int


@dataclass(frozen=True, slots=True)
class Picture:
    """A full (24, 32) picture.

    Attributes:
        celsius: (24, 32) float32, degC, row 0 at the top as the sensor reports it; never NaN.
        valid: (24, 32) bool; False where the value is interpolated from neighbours.
        ta: ambient (die) temperature of the newer subpage, degC.
        vdd: supply of the newer subpage, V.
        index: index of the newer subpage.
        time_us: end of the newer capture, device clock, microseconds.
    """

    celsius: Celsius
    valid: Mask
    ta: float
    vdd: float
    index: int = 0
    time_us: int = 0


@dataclass(frozen=True, slots=True)
class Pictures:
    """Many pictures of one sensor.

    Attributes:
        celsius: (n, 24, 32) float32, degC, as of `Picture`; 0 where there is an error.
        valid: (n, 24, 32) bool.
        ta: (n,) float64, degC.
        vdd: (n,) float64, V.
        errors: why a picture is none, by its place.
    """

    celsius: Celsius
    valid: Mask
    ta: NDArray[np.float64]
    vdd: NDArray[np.float64]
    errors: Mapping[int, SensorError | UsageError]
