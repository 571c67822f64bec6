"""What calibration found out about thermistors: the curve of each.

The body: Steinhart-Hart a, b, c, float64, of each channel; all zero keeps the profile's curve.
"""

import struct
from dataclasses import dataclass, field
from typing import ClassVar

from thermo_core.errors import CorrectionError, ThermistorError
from thermo_core.sensors.ads1115_ntc.settings import MAX_CHANNELS
from thermo_core.sensors.ads1115_ntc.thermistor import SteinhartHart
from thermo_core.sensors.correction import Stamp

_CURVE = struct.Struct("<3d")


@dataclass(frozen=True)
class CurveCorrection:
    """Curves that were fitted to measured points.

    Attributes:
        curves: of each channel in order; None keeps the profile's.
        stamp: whose it is.

    Raises:
        CorrectionError: more curves than a chip has channels.
    """

    kind: ClassVar[str] = "ads1115-ntc"

    curves: tuple[SteinhartHart | None, ...]
    stamp: Stamp = field(default_factory=Stamp)

    def __post_init__(self) -> None:
        if not 1 <= len(self.curves) <= MAX_CHANNELS:
            raise CorrectionError(
                f"A correction has the curves of 1 to {MAX_CHANNELS} thermistors, not {len(self.curves)}."
            )

    @property
    def is_identity(self) -> bool:
        """Whether it keeps every curve."""
        return all(curve is None for curve in self.curves)

    def body(self) -> bytes:
        """As it is stored."""
        return b"".join(
            _CURVE.pack(0, 0, 0) if curve is None else _CURVE.pack(curve.a, curve.b, curve.c) for curve in self.curves
        )

    @classmethod
    def from_body(cls, stamp: Stamp, body: bytes) -> "CurveCorrection":
        """Inverse of `body`.

        Raises:
            CorrectionError: no whole number of curves, or one that no NTC has.
        """
        if len(body) % _CURVE.size:
            raise CorrectionError("The correction's curves do not fill its length; calibrate the thermistors again.")
        try:
            curves = tuple(
                SteinhartHart(*constants) if any(constants) else None for constants in _CURVE.iter_unpack(body)
            )
        except ThermistorError as error:
            raise CorrectionError(f"The correction holds an impossible thermistor curve: {error}") from None
        return cls(curves, stamp)
