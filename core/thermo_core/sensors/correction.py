"""What our own calibration found out about a sensor, as it is stored and sent, whatever the kind of the sensor.

The blob, little-endian:

    offset  size  field
    0       4     magic "TCOR"
    4       1     version, 2
    5       1     kind, see `KINDS`
    6       1     length of the sensor's identity, bytes
    7       1     0
    8       8     sensor's identity, padded with zero bytes
    16      8     created, Unix seconds, unsigned
    24      4     residual RMS, float32, in the unit of the sensor's main signal
    28      4     CRC-32 (zlib) of the constants it was made with, as they travel; 0 where the kind has none, or it is not known
    32      n     body, as the kind has it
    end-4   4     CRC-32 (zlib) of everything before it
"""

import math
import struct
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Protocol

from thermo_core.errors import CorrectionError

MAGIC = b"TCOR"
VERSION = 2
MAX_IDENTITY = 8
MAX_BODY = 16_384
LATEST_UNIX_S = 253_402_300_799
"""End of the year 9999, the last that calendars know."""

KINDS: Mapping[str, int] = {
    "mlx90640": 1,
    "ads1115-ntc": 2,
    "mlx90632": 3,
    "mlx90614": 4,
    "tmp117": 5,
    "sht4x": 6,
    "lis3dh": 7,
}
"""Number of each kind of sensor that can be corrected; never used again for another."""

HEADER = struct.Struct("<4sBBBx8sQfI")
_CRC = struct.Struct("<I")


@dataclass(frozen=True, slots=True)
class Stamp:
    """Whose correction it is, and how good.

    Attributes:
        sensor_id: identity of the sensor it was measured on, at most 8 bytes.
        created_unix_s: when, Unix seconds, UTC.
        residual_rms: RMS error on points that were not fitted, in the unit of the sensor's main signal.
        constants_crc32: `fingerprint` of the constants it was made with; 0 holds it to none.

    Raises:
        CorrectionError: a value cannot be.
    """

    sensor_id: bytes = b""
    created_unix_s: int = 0
    residual_rms: float = 0.0
    constants_crc32: int = 0

    def __post_init__(self) -> None:
        if len(self.sensor_id) > MAX_IDENTITY:
            raise CorrectionError(
                f"A correction holds a sensor's identity of at most {MAX_IDENTITY} bytes; check what it was made from."
            )
        if not 0 <= self.created_unix_s <= LATEST_UNIX_S or not 0 <= self.residual_rms < math.inf:
            raise CorrectionError("A correction has an impossible date or residual; calibrate the sensor again.")
        if not 0 <= self.constants_crc32 < 1 << 32:
            raise CorrectionError("A correction has an impossible CRC-32 of constants; calibrate the sensor again.")

    def fits(self, sensor_id: bytes, constants: bytes) -> bool:
        """Whether it was made with the sensor of this identity, and with these constants as they travel."""
        return self.sensor_id == sensor_id and self.constants_crc32 in (0, fingerprint(constants))


def fingerprint(constants: bytes) -> int:
    """What tells one content of a chip's constants from another: their CRC-32, 0 of none."""
    return zlib.crc32(constants)


class Correction(Protocol):
    """A correction of some kind of sensor.

    Attributes:
        kind: of the sensor.
        stamp: whose it is.
    """

    kind: ClassVar[str]

    @property
    def stamp(self) -> Stamp:
        """Whose it is."""

    @property
    def is_identity(self) -> bool:
        """Whether it changes nothing."""

    def body(self) -> bytes:
        """All but the stamp, as it is stored."""

    @classmethod
    def from_body(cls, stamp: Stamp, body: bytes) -> "Correction":
        """Inverse of `body`; raises CorrectionError."""


def to_bytes(correction: Correction) -> bytes:
    """The blob; equal corrections give equal bytes."""
    stamp = correction.stamp
    head = HEADER.pack(
        MAGIC,
        VERSION,
        KINDS[correction.kind],
        len(stamp.sensor_id),
        stamp.sensor_id,
        stamp.created_unix_s,
        stamp.residual_rms,
        stamp.constants_crc32,
    )
    data = head + correction.body()
    return data + _CRC.pack(zlib.crc32(data))


def unpack(data: bytes) -> tuple[str, Stamp, bytes]:
    """Kind, stamp and body of a blob.

    Raises:
        CorrectionError: cut short, damaged, of another version, or with impossible values.
    """
    if len(data) < HEADER.size + _CRC.size or data[:4] != MAGIC:
        raise CorrectionError(f"These {len(data)} bytes are no correction of a sensor; calibrate it again.")
    if data[4] == 1:
        raise CorrectionError("The correction has format 1, which was never released; calibrate the sensor again.")
    if zlib.crc32(data[: -_CRC.size]) != _CRC.unpack(data[-_CRC.size :])[0]:
        raise CorrectionError("The correction is damaged (its CRC-32 does not hold); write it again or roll back.")
    _, version, number, length, identity, created, residual, constants_crc32 = HEADER.unpack_from(data)
    if version != VERSION:
        raise CorrectionError(
            f"The correction has format {version} and this software reads {VERSION}; update the older of the two."
        )
    kinds = [kind for kind, code in KINDS.items() if code == number]
    if not kinds or length > MAX_IDENTITY or identity[length:].strip(b"\0") or data[7]:
        raise CorrectionError("The correction's header contradicts itself; calibrate the sensor again.")
    stamp = Stamp(identity[:length], created, float(residual), constants_crc32)
    return kinds[0], stamp, data[HEADER.size : -_CRC.size]
