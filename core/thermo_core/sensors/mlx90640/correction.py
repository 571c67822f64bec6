"""What calibration found out about a camera: T = a + b x + c (Ta - 25) for each pixel, with x the decoded temperature.

The body: offset a, 768 float32, degC, row by row; gain b, 768 float32; slope c with die temperature, 768 float32, K/K; bad pixels, one
bit a pixel, least significant bit first, 96 bytes.
"""

from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from thermo_core.errors import CorrectionError
from thermo_core.sensors.correction import Stamp
from thermo_core.sensors.mlx90640.frames import COLUMNS, PIXELS, ROWS
from thermo_core.sensors.mlx90640.interpolate import fill_invalid

Celsius = NDArray[np.float32]
Mask = NDArray[np.bool_]

REFERENCE_TA = 25.0
"""Die temperature at which the slope adds nothing, degC."""
MAX_BAD_PIXELS = PIXELS // 2
LARGEST_OFFSET_C = 1000.0
LARGEST_SLOPE = 10.0
GAIN_RANGE = (0.1, 10.0)
BODY_BYTES = 3 * 4 * PIXELS + PIXELS // 8

_SHAPE = (ROWS, COLUMNS)


@dataclass(frozen=True, eq=False)
class PixelCorrection:
    """A correction of each pixel.

    Attributes:
        offset: a, (24, 32) float32, degC.
        gain: b, (24, 32) float32.
        ta_slope: c, (24, 32) float32, K per K of die temperature.
        bad: (24, 32) bool, pixels that are interpolated from their neighbours.
        stamp: whose it is.

    Raises:
        CorrectionError: a shape is wrong or a value is impossible.
    """

    kind: ClassVar[str] = "mlx90640"

    offset: Celsius
    gain: Celsius
    ta_slope: Celsius
    bad: Mask
    stamp: Stamp = field(default_factory=Stamp)
    _valid: Mask = field(init=False, repr=False)

    def __post_init__(self) -> None:
        for name, limits in (
            ("offset", (-LARGEST_OFFSET_C, LARGEST_OFFSET_C)),
            ("gain", GAIN_RANGE),
            ("ta_slope", (-LARGEST_SLOPE, LARGEST_SLOPE)),
        ):
            values = getattr(self, name)
            if values.shape != _SHAPE or values.dtype != np.float32:
                raise CorrectionError(f"The {name} of a correction must be float32 of shape {_SHAPE}; make it anew.")
            if not ((values >= limits[0]) & (values <= limits[1])).all():
                raise CorrectionError(
                    f"The {name} of a correction must lie within {limits[0]:g} to {limits[1]:g} everywhere; "
                    "calibrate the sensor again."
                )
        if self.bad.shape != _SHAPE or self.bad.dtype != np.bool_ or int(self.bad.sum()) > MAX_BAD_PIXELS:
            raise CorrectionError(
                f"A correction marks at most {MAX_BAD_PIXELS} bad pixels in a {_SHAPE} mask; calibrate the sensor again."
            )
        object.__setattr__(self, "_valid", ~self.bad)

    @classmethod
    def identity(cls, stamp: Stamp) -> "PixelCorrection":
        """The correction that changes nothing."""
        zero = np.zeros(_SHAPE, np.float32)
        return cls(zero, np.ones(_SHAPE, np.float32), zero, np.zeros(_SHAPE, np.bool_), stamp)

    @property
    def is_identity(self) -> bool:
        """Whether it changes no picture."""
        return not (self.offset.any() or self.ta_slope.any() or self.bad.any() or (self.gain != 1).any())

    def apply(self, celsius: Celsius, ta: float) -> Celsius:
        """Correct one picture.

        Args:
            celsius: (24, 32) float32, decoded temperatures, degC.
            ta: die temperature, degC.

        Returns:
            A new (24, 32) float32 picture; bad pixels are filled from their neighbours.
        """
        corrected: Celsius = self.gain * celsius
        corrected += self.offset
        corrected += self.ta_slope * np.float32(ta - REFERENCE_TA)
        if not self._valid.all():
            fill_invalid(corrected, self._valid)
        return corrected

    def body(self) -> bytes:
        """As it is stored."""
        maps = b"".join(values.astype("<f4").tobytes() for values in (self.offset, self.gain, self.ta_slope))
        return maps + np.packbits(self.bad.ravel(), bitorder="little").tobytes()

    @classmethod
    def from_body(cls, stamp: Stamp, body: bytes) -> "PixelCorrection":
        """Inverse of `body`.

        Raises:
            CorrectionError: another length, or impossible values.
        """
        if len(body) != BODY_BYTES:
            raise CorrectionError(
                f"A camera's correction has {BODY_BYTES} bytes beside its stamp, not {len(body)}; calibrate the sensor again."
            )
        maps = np.frombuffer(body, "<f4", 3 * PIXELS).astype(np.float32).reshape(3, *_SHAPE)
        bits = np.frombuffer(body, np.uint8, PIXELS // 8, 12 * PIXELS)
        bad = np.unpackbits(bits, bitorder="little").astype(np.bool_).reshape(_SHAPE)
        return cls(maps[0], maps[1], maps[2], bad, stamp)
