"""Per-pixel calibration of one sensor, as both ends apply it and as it is stored and sent.

The blob, little-endian, 9 444 bytes with four thermistors:

    offset  size  field
    0       4     magic "TCOR"
    4       1     version, 2
    5       1     length of the sensor's identity, bytes
    6       1     number of thermistors
    7       1     0
    8       8     sensor's identity, padded with zero bytes
    16      8     created, Unix seconds, unsigned
    24      4     residual RMS, float32, K
    28      4     fingerprint of the EEPROM it was made with, CRC-32; 0 where that was not kept
    32      3072  offset a, 768 float32, degC, row by row
    3104    3072  gain b, 768 float32
    6176    3072  slope c with die temperature, 768 float32, K/K
    9248    96    bad pixels, one bit a pixel, least significant bit first
    9344    24 n  Steinhart-Hart a, b, c, float64, of each thermistor; all zero keeps the profile's curve
    end-4   4     CRC-32 (zlib) of everything before it
"""

import struct
import zlib
from dataclasses import dataclass, field

import numpy as np

from thermo_core.errors import CorrectionError, ThermistorError
from thermo_core.frames import COLUMNS, PIXELS, ROWS, Celsius, Mask
from thermo_core.interpolate import fill_invalid
from thermo_core.thermistor import SteinhartHart

MAGIC = b"TCOR"
VERSION = 2
REFERENCE_TA = 25.0
"""Die temperature at which the slope adds nothing, degC."""
MAX_IDENTITY = 8
MAX_THERMISTORS = 16
MAX_BAD_PIXELS = PIXELS // 2
LARGEST_OFFSET_C = 1000.0
LARGEST_SLOPE = 10.0
GAIN_RANGE = (0.1, 10.0)
LATEST_UNIX_S = 253_402_300_799
"""The end of the year 9999, the last that calendars know."""

_HEADER = struct.Struct("<4sBBBx8sQfI")
_CURVE = struct.Struct("<3d")
_CRC = struct.Struct("<I")
_SHAPE = (ROWS, COLUMNS)
_MAP_BYTES = 4 * PIXELS
_FIXED_BYTES = _HEADER.size + 3 * _MAP_BYTES + PIXELS // 8
MAX_BYTES = _FIXED_BYTES + MAX_THERMISTORS * _CURVE.size + _CRC.size


@dataclass(frozen=True, eq=False)
class Correction:
    """T = a + b x + c (Ta - 25) for each pixel, with x the decoded temperature.

    Attributes:
        offset: a, (24, 32) float32, degC.
        gain: b, (24, 32) float32.
        ta_slope: c, (24, 32) float32, K per K of die temperature.
        bad: (24, 32) bool, pixels that are interpolated from their neighbours.
        thermistors: curve of each thermistor; None keeps the profile's.
        sensor_id: identity of the sensor it was measured on, at most 8 bytes.
        created_unix_s: when, Unix seconds, UTC.
        residual_rms_k: RMS error on points that were not fitted, K.
        fingerprint: of the EEPROM it was measured with (`mlx90640.identity`); 0 where that was not kept.

    Raises:
        CorrectionError: a shape is wrong or a value is impossible.
    """

    offset: Celsius
    gain: Celsius
    ta_slope: Celsius
    bad: Mask
    thermistors: tuple[SteinhartHart | None, ...] = ()
    sensor_id: bytes = b""
    created_unix_s: int = 0
    residual_rms_k: float = 0.0
    fingerprint: int = 0
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
        if len(self.sensor_id) > MAX_IDENTITY or len(self.thermistors) > MAX_THERMISTORS:
            raise CorrectionError(
                f"A correction holds a sensor identity of at most {MAX_IDENTITY} bytes and at most {MAX_THERMISTORS} "
                "thermistors; check what it was made from."
            )
        if (
            not 0 <= self.created_unix_s <= LATEST_UNIX_S
            or not 0 <= self.residual_rms_k < np.inf
            or not 0 <= self.fingerprint < 1 << 32
        ):
            raise CorrectionError(
                "A correction has an impossible date, residual or fingerprint; calibrate the sensor again."
            )
        object.__setattr__(self, "_valid", ~self.bad)

    @classmethod
    def identity(cls, sensor_id: bytes) -> "Correction":
        """The correction that changes nothing."""
        zero = np.zeros(_SHAPE, np.float32)
        return cls(zero, np.ones(_SHAPE, np.float32), zero, np.zeros(_SHAPE, np.bool_), (), sensor_id)

    @property
    def is_identity(self) -> bool:
        """Whether it changes no picture."""
        return not (self.offset.any() or self.ta_slope.any() or self.bad.any() or (self.gain != 1).any())

    def fits(self, sensor_id: bytes, fingerprint: int) -> bool:
        """Whether it was made with the sensor of this identity and with an EEPROM of this fingerprint."""
        return self.sensor_id == sensor_id and self.fingerprint in (0, fingerprint)

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

    def to_bytes(self) -> bytes:
        """The blob; equal corrections give equal bytes."""
        header = _HEADER.pack(
            MAGIC,
            VERSION,
            len(self.sensor_id),
            len(self.thermistors),
            self.sensor_id,
            self.created_unix_s,
            self.residual_rms_k,
            self.fingerprint,
        )
        maps = b"".join(values.astype("<f4").tobytes() for values in (self.offset, self.gain, self.ta_slope))
        bad = np.packbits(self.bad.ravel(), bitorder="little").tobytes()
        curves = b"".join(
            _CURVE.pack(0, 0, 0) if curve is None else _CURVE.pack(curve.a, curve.b, curve.c)
            for curve in self.thermistors
        )
        body = header + maps + bad + curves
        return body + _CRC.pack(zlib.crc32(body))

    @classmethod
    def from_bytes(cls, data: bytes) -> "Correction":
        """Inverse of `to_bytes`.

        Raises:
            CorrectionError: cut short, damaged, of another version, or with impossible values.
        """
        if len(data) < _FIXED_BYTES + _CRC.size or data[:4] != MAGIC:
            raise CorrectionError(
                f"These {len(data)} bytes are no calibration of a thermal sensor; calibrate the sensor again."
            )
        if zlib.crc32(data[: -_CRC.size]) != _CRC.unpack(data[-_CRC.size :])[0]:
            raise CorrectionError("The calibration is damaged (its CRC-32 does not hold); write it again or roll back.")
        _, version, identity_length, channels, identity, created, residual, fingerprint = _HEADER.unpack_from(data)
        if version != VERSION:
            raise CorrectionError(
                f"The calibration has format {version} and this software reads {VERSION}; update the older of the two."
            )
        if (
            identity_length > MAX_IDENTITY
            or identity[identity_length:].strip(b"\0")
            or data[7]
            or channels > MAX_THERMISTORS
            or len(data) != _FIXED_BYTES + channels * _CURVE.size + _CRC.size
        ):
            raise CorrectionError("The calibration's header contradicts its length; calibrate the sensor again.")
        maps = np.frombuffer(data, "<f4", 3 * PIXELS, _HEADER.size).astype(np.float32).reshape(3, *_SHAPE)
        bits = np.frombuffer(data, np.uint8, PIXELS // 8, _HEADER.size + 3 * _MAP_BYTES)
        bad = np.unpackbits(bits, bitorder="little").astype(np.bool_).reshape(_SHAPE)
        try:
            curves = tuple(
                SteinhartHart(*constants) if any(constants) else None
                for constants in _CURVE.iter_unpack(data[_FIXED_BYTES : -_CRC.size])
            )
        except ThermistorError as error:
            raise CorrectionError(f"The calibration holds an impossible thermistor curve: {error}") from None
        identity = identity[:identity_length]
        return cls(maps[0], maps[1], maps[2], bad, curves, identity, created, float(residual), fingerprint)
