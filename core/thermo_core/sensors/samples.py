"""Lossless packing of what a FIFO held: many samples of a few channels, predicted, then Rice-coded. Little-endian.

    size  field
    1     samples less one in the six lowest bits; 64: some were lost; 128: the chip has a status
    3     microseconds from one sample to the next, as the device measured them
    1     where said: samples the chip lost before the first one; 255: that many or more
    1     where said: status of the chip, as its kind has it
    then, channel by channel:
    1     predictor in the two highest bits, Rice parameter in the five lowest; parameter 31: not coded
    w     first value, two's complement
    n     the differences of all others to what is predicted: both planes (`rice`), or w bytes for each value

A value is predicted as the first one (0), as the one before (1), or on the line through the two before (2); the second
value always as the first. The predictor with the fewest bits is taken, the simpler of equals, so that noise around a level,
a wandering level and a smooth wave each cost little more than their noise. A block refers to no other: a lost one costs itself.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from thermo_core import rice
from thermo_core.errors import CountsError

MAX_SAMPLES = 64
MAX_LOST = 255
MAX_PERIOD_US = (1 << 24) - 1

_SOME_LOST, _HAS_STATUS = 64, 128
_PERIOD_BYTES = 3
_LONGEST_HEAD = 1 + _PERIOD_BYTES + 2
_RAW = 31
_PREDICTORS = 3
_SPREAD = 2
"""Bits by which a difference may be longer than a value."""

Counts = NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Format:
    """What the values of a kind are.

    Attributes:
        channels: of a sample.
        low, high: least and greatest value.
    """

    channels: int
    low: int
    high: int

    @property
    def width(self) -> int:
        """Bytes of a value that is not coded."""
        return (max(self.high, -self.low - 1).bit_length() + (self.low < 0) + 7) // 8

    @property
    def largest(self) -> int:
        """Greatest Rice parameter."""
        return (self.high - self.low).bit_length() + _SPREAD

    def longest(self, samples: int) -> int:
        """Bytes of the longest block of so many samples."""
        return _LONGEST_HEAD + self.channels * (1 + self.width * samples)


@dataclass(frozen=True, eq=False, slots=True)
class Samples:
    """What a FIFO held.

    Attributes:
        values: (n, channels) int32.
        period_us: from one sample to the next, microseconds.
        lost: samples that the chip lost before these.
        status: of the chip, as its kind has it.
    """

    values: Counts
    period_us: int
    lost: int = 0
    status: int = 0


def pack(samples: Samples, form: Format) -> bytes:
    """A block's data.

    Raises:
        CountsError: there are none or too many, or one is out of range.
    """
    values = np.asarray(samples.values, np.int64)
    count = len(values)
    if values.shape != (count, form.channels) or not 1 <= count <= MAX_SAMPLES:
        raise CountsError(f"A block holds (1 to {MAX_SAMPLES}, {form.channels}) samples, not {values.shape}.")
    if not 1 <= samples.period_us <= MAX_PERIOD_US or not 0 <= samples.status <= 0xFF or samples.lost < 0:
        raise CountsError(f"A block of samples every {samples.period_us} us, {samples.lost} lost, is impossible.")
    if values.min() < form.low or values.max() > form.high:
        raise CountsError(f"A sample is outside {form.low} to {form.high}; check the chip's settings.")
    head = bytes((count - 1 | _SOME_LOST * (samples.lost > 0) | _HAS_STATUS * (samples.status > 0),))
    head += samples.period_us.to_bytes(_PERIOD_BYTES, "little")
    head += bytes(one for one in (min(samples.lost, MAX_LOST), samples.status) if one)
    return head + b"".join(_pack_channel(values[:, channel], form) for channel in range(form.channels))


def unpack(data: bytes, form: Format) -> Samples:
    """Inverse of `pack`.

    Raises:
        CountsError: the data are no encoder's.
    """
    first = rice.part(data, 0, 1)[0]
    count = (first & MAX_SAMPLES - 1) + 1
    if len(data) > form.longest(count):
        raise CountsError(f"Packed counts of {len(data)} bytes are no block of {count} samples; drop the record.")
    period_us = int.from_bytes(rice.part(data, 1, _PERIOD_BYTES), "little")
    at = 1 + _PERIOD_BYTES
    extra = []
    for said in (first & _SOME_LOST, first & _HAS_STATUS):
        extra.append(rice.part(data, at, 1)[0] if said else 0)
        at += bool(said)
        if bool(said) != bool(extra[-1]):
            raise CountsError("Packed counts have a 0 where something was said to be; drop the record.")
    lost, status = extra
    if not period_us:
        raise CountsError("Packed counts have no time from one sample to the next; drop the record.")
    values = np.empty((count, form.channels), np.int32)
    for channel in range(form.channels):
        values[:, channel], at = _unpack_channel(data, at, count, form)
    if at != len(data):
        raise CountsError(f"Packed counts go on for {len(data) - at} bytes after their end; drop the record.")
    return Samples(values, period_us, lost, status)


def _pack_channel(values: NDArray[np.int64], form: Format) -> bytes:
    first = _raw(values[:1], form)
    others = values[1:]
    residuals = [_fold(_residual(values, predictor)) for predictor in range(_PREDICTORS)]
    bits = [int(rice.costs(one, form.largest).min()) for one in residuals]
    predictor = bits.index(min(bits))
    k, planes = rice.encode(residuals[predictor], form.largest)
    if len(planes) >= form.width * len(others):
        return bytes((_RAW,)) + first + _raw(others, form)
    return bytes((predictor << 6 | k,)) + first + planes


def _unpack_channel(data: bytes, at: int, count: int, form: Format) -> tuple[NDArray[np.int64], int]:
    head = rice.part(data, at, 1)[0]
    predictor, k = head >> 6, head & 0x3F
    first, at = _unraw(data, at + 1, 1, form)
    if head == _RAW:
        others, at = _unraw(data, at, count - 1, form)
    elif k <= form.largest and predictor < _PREDICTORS:
        folded, at = rice.decode(data, at, count - 1, k, form.largest)
        others = _predicted(int(first[0]), _unfold(folded), predictor)
    else:
        raise CountsError(f"Packed counts begin a channel with {head:#04x}, which means nothing; drop the record.")
    values = np.concatenate([first, others])
    if values.min() < form.low or values.max() > form.high:
        raise CountsError(f"Packed counts hold a value outside {form.low} to {form.high}; drop the record.")
    return values, at


def _residual(values: NDArray[np.int64], predictor: int) -> NDArray[np.int64]:
    if predictor == 0:
        return np.asarray(values[1:] - values[0], np.int64)
    steps = np.diff(values)
    return steps if predictor == 1 else np.diff(steps, prepend=0)


def _predicted(first: int, residual: NDArray[np.int64], predictor: int) -> NDArray[np.int64]:
    for _ in range(predictor):
        residual = np.cumsum(residual)
    return np.asarray(first + residual, np.int64)


def _fold(residual: NDArray[np.int64]) -> NDArray[np.uint32]:
    """0, -1, 1, -2, ... to 0, 1, 2, 3, ..."""
    return ((residual << 1) ^ (residual >> 63)).astype(np.uint32)


def _unfold(folded: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.asarray((folded >> 1) ^ -(folded & 1), np.int64)


def _raw(values: NDArray[np.int64], form: Format) -> bytes:
    return values.astype("<i8").view(np.uint8).reshape(-1, 8)[:, : form.width].tobytes()


def _unraw(data: bytes, at: int, count: int, form: Format) -> tuple[NDArray[np.int64], int]:
    size = form.width * count
    octets = np.frombuffer(rice.part(data, at, size), np.uint8).reshape(count, form.width).astype(np.int64)
    values = octets @ (np.int64(1) << 8 * np.arange(form.width))
    if form.low < 0:
        sign = 1 << 8 * form.width - 1
        values = (values ^ sign) - sign
    return values, at + size
