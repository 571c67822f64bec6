"""What calibration must know of a kind of sensor: a row that says what is averaged, what is fitted to it, and before what."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from thermo_core.sensors.correction import Correction, Stamp
from thermo_core.sensors.kind import Block, Moment
from thermo_core.sensors.settings import SensorSettings

Floats = NDArray[np.float64]
Constants = tuple[float, ...]
Apparatus = Literal["blackbody", "bath", "positions"]


class LeftAlone(Exception):
    """A number from which nothing can be fitted; the text says why, as a clause."""


@dataclass(frozen=True, slots=True)
class Procedure:
    """One kind.

    Attributes:
        apparatus: what it is held before, or put in.
        is_camera: it is fitted pixel by pixel, by `fit`; nothing below is used then.
        numbers: (settings) -> names of the numbers that are corrected.
        raw: (settings, block, moments) -> what is averaged of a block, vectors of one length, NaN where there is no value.
        shown: (settings, constants by number, (n, k) raw) -> (n, numbers) of what the sensor would say; constants None are the
            factory's, or the profile's.
        solve: (settings, number, (n, k) raw, (n,) truth) -> constants of a number, and how they were had, in words. Raises LeftAlone.
        make: (settings, constants by number, stamp) -> the correction. Raises CorrectionError.
        constants: (correction) -> constants by number, None where it leaves one as it is.
        ta: place of the sensor's own temperature within a raw vector; None where it says none.
    """

    apparatus: Apparatus
    is_camera: bool = False
    numbers: Callable[[Any], tuple[str, ...]] = lambda settings: ()
    raw: Callable[[Any, Block, Sequence[Moment]], list[Constants]] = lambda settings, block, moments: []
    shown: Callable[[Any, Sequence[Constants | None], Floats], Floats] = lambda settings, constants, raw: raw
    solve: Callable[[Any, int, Floats, Floats], tuple[Constants, str]] | None = None
    make: Callable[[Any, Sequence[Constants | None], Stamp], Correction] | None = None
    constants: Callable[[Any], tuple[Constants | None, ...]] = lambda correction: ()
    ta: int | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """What a sensor showed once, not corrected.

    Attributes:
        time_us: end of the capture, device clock, microseconds.
        celsius: float32, of the sensor's shape; where there is no value the median of the others, and `valid` is False.
        valid: of the same shape, False where a number is interpolated, or there is none.
        ta: temperature of the sensor itself, degC; the median of what it shows where it says none.
    """

    time_us: int
    celsius: NDArray[np.float32]
    valid: NDArray[np.bool_]
    ta: float


def readings(settings: SensorSettings, moments: Sequence[Moment], measured: NDArray[np.bool_] | None) -> list[Reading]:
    """Readings of a sensor's main signal.

    Args:
        settings: of the sensor.
        moments: as its reader gives them.
        measured: which numbers of them are no interpolated ones; None where none ever is.
    """
    found = []
    for moment in moments:
        sample = moment[settings.name]
        values = np.atleast_1d(sample.values)
        there = np.isfinite(values)
        if not there.any():
            continue
        own = moment.get(f"{settings.name}.ta")
        median = np.float32(np.median(values[there]))
        ta = float(median) if own is None else float(own.values)
        if not math.isfinite(ta):
            continue
        values = np.where(there, values, median)
        found.append(Reading(sample.time_us, values, there if measured is None else measured.copy(), ta))
    return found
