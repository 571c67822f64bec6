"""What travels to pages, as bytes and as JSON.

A picture is binary, little-endian: `u8` 1, `u64` nanoseconds since 1970 UTC of its capture, `u16` number of the stream, then its pixels
row by row as `i16` hundredths of its unit, -32768 where there is no value. Which wearable and signal a stream is of, and its rows and
columns, stands in the wearable's `session` message. Everything else is JSON with a `type`.
"""

import json
import math
import struct
from typing import Any

import numpy as np

from thermo_core.signals import Values

PICTURE = 1
HEAD = struct.Struct("<BQH")
STEPS = 100
"""Steps of a unit."""
NO_VALUE = -32768
LARGEST = 32767


def picture_frame(stream: int, utc_ns: int, values: Values) -> bytes:
    """A picture as it travels.

    Args:
        stream: its number, u16.
        utc_ns: of its capture.
        values: (rows, columns); NaN where there is no value, beyond +-327.67 held there.
    """
    with np.errstate(invalid="ignore"):
        steps = np.clip(np.rint(values.astype(np.float64) * STEPS), -LARGEST, LARGEST)
    steps[~np.isfinite(values)] = NO_VALUE
    pixels: bytes = steps.astype("<i2").tobytes()
    return HEAD.pack(PICTURE, utc_ns, stream) + pixels


def message(kind: str, **content: Any) -> str:
    """A JSON message; numbers that JSON does not know are null."""
    return json.dumps({"type": kind, **_plain(content)}, allow_nan=False, separators=(",", ":"))


def milliseconds(utc_ns: int) -> float:
    """As pages count time: milliseconds since 1970."""
    return round(utc_ns / 1e6, 1)


def rounded(value: float, digits: int = 3) -> float | None:
    """A number for JSON; None where there is none."""
    return round(float(value), digits) if math.isfinite(value) else None


def _plain(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return value
