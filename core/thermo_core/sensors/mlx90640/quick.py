"""The short way from two subpages to a picture, for scenes without extremes.

With x = IR / (alpha * emissivity) and all fourth powers in kelvin, the datasheet gives a pixel of the second range as

    To^4 = x * r + TaTr    where r = 1 / (1 + slope * To), from To of an earlier pass

x is a sum of products: what a frame says (gain, Ta, Vdd) times what the EEPROM says (offset, kta, kv, alpha). So one
matrix product gives x of a whole picture. r depends on x alone, and hardly: computed for the least, the middle and the
largest x of the picture, it becomes a parabola, and To^4 a polynomial of x. What is left of the time is NumPy's cost a
call, so the calls are few, in float32, and their operands are prepared.
"""

import struct
from math import sqrt
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from thermo_core.sensors.mlx90640.auxiliary import Readings
from thermo_core.sensors.mlx90640.constants import Constants
from thermo_core.sensors.mlx90640.equations import OPEN_AIR_K, Array, background_terms
from thermo_core.sensors.mlx90640.frames import COLUMNS, FRAME_WORDS, PIXELS, ROWS, Celsius
from thermo_core.sensors.mlx90640.limits import OBJECT_CELSIUS
from thermo_core.sensors.mlx90640.registers import INVALID_WORD, subpage_mask
from thermo_core.units import KELVIN

TOLERANCE_K = 5e-4
"""Largest error of the interpolation; where it could be more, the short way is not taken."""
MAX_SLOPE = 1e-3
"""Slope, 1/K, and TaTr, K^4, up to which no step below leaves the positive numbers for objects above 0 degC."""
MAX_TATR = 2.5e10

FRAME_BYTES = 2 * FRAME_WORDS
_NUMBERS, _POLYNOMIAL = struct.Struct("=11f"), struct.Struct("=4f")

_ZERO_DTA = 25 + KELVIN
_ZERO_DTA_OPEN_AIR = _ZERO_DTA - OPEN_AIR_K
_multiply, _subtract, _sqrt = np.multiply, np.subtract, np.sqrt

Floats = NDArray[np.float32]


class Range:
    """Where the short way may be taken.

    Args:
        constants: constants of the sensor.

    Attributes:
        tolerance: largest error of the temperature that r is made of, times how far it is from the surroundings, K^2.
    """

    def __init__(self, constants: Constants) -> None:
        slope = constants.ks_to[1]
        self._coldest = (constants.ct[1] + KELVIN) ** 4
        hottest = min(constants.ct[2], OBJECT_CELSIUS[1])
        self._hottest_gain = 1 + slope * hottest
        self._hottest = (hottest + KELVIN) ** 4 * self._hottest_gain
        self._most_tatr = MAX_TATR if abs(slope) <= MAX_SLOPE else 0.0
        self.tolerance = TOLERANCE_K / max(abs(slope), 1e-9)

    def floor(self, constants: Constants) -> float:
        """Where gain times the largest reading exceeds this, a saturated pixel is certain to leave the range."""
        background = np.abs(background_terms(constants, True)).max(axis=(1, 2)) @ (1.0, 105.0, 0.9, 105.0 * 0.9)
        span = (1 + 105 * abs(constants.ks_ta)) * self._hottest
        return float(span * constants.alpha.max() + background + 100)

    def holds(self, low: float, high: float, dim: float, bright: float) -> bool:
        """Whether all pixels lie in the second range: x from low to high, TaTr from dim to bright, K^4."""
        return (
            dim > 0
            and bright < self._most_tatr
            and low > self._coldest - dim
            and high < self._hottest - bright * self._hottest_gain
        )


class QuickPicture:
    """Solves pictures whose pixels all lie in the second temperature range.

    Args:
        constants: constants of the sensor.
        emissivity: of all pixels.
        reflected: degC, or None for 8 K below the die.

    Any number of threads may use it; they take turns with its buffers.
    """

    def __init__(self, constants: Constants, emissivity: float, reflected: float | None) -> None:
        self._ks_ta, self._slope = constants.ks_ta, constants.ks_to[1]
        self._emissivity = emissivity
        self._mirror = 1 - 1 / emissivity
        self._mirrored = None if reflected is None else (reflected + KELVIN) ** 2
        self._unit = 1 - self._slope * KELVIN
        self._range = Range(constants)
        self._floor = self._range.floor(constants)
        self._patterns = tuple(terms_of(constants, chess) for chess in (False, True))
        self._lock = Lock()
        # One block a kind of memory that a C-speed copy or pack fills; what NumPy computes with are views of it.
        frames = bytearray(2 * FRAME_BYTES)
        self._halves = memoryview(frames)[:FRAME_BYTES], memoryview(frames)[FRAME_BYTES:]
        self._counts = np.frombuffer(frames, dtype=np.int16).reshape(2, FRAME_WORDS)[:, :PIXELS]
        self._numbers = bytearray(_NUMBERS.size)
        numbers = np.frombuffer(self._numbers, dtype=np.float32)
        self._coefficients = numbers[:11]
        self._polynomial = bytearray(_POLYNOMIAL.size)
        self._weights = np.frombuffer(self._polynomial, dtype=np.float32)
        self._kelvin = np.array(KELVIN, dtype=np.float32)
        self._to = np.zeros(PIXELS, dtype=np.float32)
        self._powers = np.ones((4, PIXELS), dtype=np.float32)
        _, self._x, self._square, self._cube = self._powers
        self._picture = self._to.reshape(ROWS, COLUMNS)

    def solve(self, first: Readings, second: Readings) -> Celsius | None:
        """Temperatures of both subpages, (24, 32) float32, degC; None where only the long way is exact.

        Args:
            first: subpage 0.
            second: subpage 1 in the same reading pattern.
        """
        _, chess, dta0, dv0, gain0, cp0, data0 = first
        _, _, dta1, dv1, gain1, cp1, data1 = second
        ks_ta, emissivity, floor = self._ks_ta, self._emissivity, self._floor
        if gain0 * INVALID_WORD - cp0 < floor or gain1 * INVALID_WORD - cp1 < floor:
            return None
        die0, die1 = (dta0 + _ZERO_DTA) ** 2, (dta1 + _ZERO_DTA) ** 2
        if self._mirrored is None:
            mirrored0, mirrored1 = (dta0 + _ZERO_DTA_OPEN_AIR) ** 2, (dta1 + _ZERO_DTA_OPEN_AIR) ** 2
        else:
            mirrored0 = mirrored1 = self._mirrored
        tatr0 = mirrored0 * mirrored0 * self._mirror + die0 * die0 / emissivity
        tatr1 = mirrored1 * mirrored1 * self._mirror + die1 * die1 / emissivity
        tatr = (tatr0 + tatr1) / 2
        # The difference between the subpages' surroundings goes into x; r there is taken to be what it is at Ta.
        rest = (tatr0 - tatr) * (1 + self._slope * (dta0 + 25))
        scale0 = 1 / (emissivity * (1 + ks_ta * dta0))
        scale1 = 1 / (emissivity * (1 + ks_ta * dta1))
        terms, scaled, sensitivity = self._patterns[chess]
        x, to = self._x, self._to
        with self._lock:
            self._halves[0][:] = data0
            self._halves[1][:] = data1
            scaled[...] = self._counts
            if cp0 or cp1:
                scaled[0] -= cp0 / gain0
                scaled[1] -= cp1 / gain1
            _multiply(scaled, sensitivity, scaled)
            _NUMBERS.pack_into(
                self._numbers,
                0,
                gain0 * scale0,
                gain1 * scale1,
                scale0,
                dta0 * scale0,
                dv0 * scale0,
                dta0 * dv0 * scale0,
                scale1,
                dta1 * scale1,
                dv1 * scale1,
                dta1 * dv1 * scale1,
                rest,
            )
            self._coefficients.dot(terms, x)
            if not self._fit(x.item(x.argmin()), x.item(x.argmax()), tatr, abs(rest)):
                return None
            _multiply(x, x, self._square)
            _multiply(self._square, x, self._cube)
            self._weights.dot(self._powers, to)
            _sqrt(to, to)
            _sqrt(to, to)
            return _subtract(self._picture, self._kelvin)

    def _fit(self, low: float, high: float, tatr: float, spread: float) -> bool:
        """Set the polynomial that To^4 is of x; False where a pixel could be off by more than the tolerance.

        Args:
            low: least x of the picture.
            high: largest.
            tatr: mean of the subpages' surroundings, K^4.
            spread: how far each is from it.
        """
        if not self._range.holds(low, high, tatr, tatr):
            return False
        slope, unit = self._slope, self._unit
        middle, width = (low + high) / 2, (high - low) / 2 or 1.0
        cold = sqrt(sqrt(low / (unit + slope * sqrt(sqrt(low + tatr))) + tatr))
        mild = sqrt(sqrt(middle / (unit + slope * sqrt(sqrt(middle + tatr))) + tatr))
        hot = sqrt(sqrt(high / (unit + slope * sqrt(sqrt(high + tatr))) + tatr))
        dark = sqrt(sqrt(tatr))
        reach = hot - dark if hot + cold > 2 * dark else dark - cold
        span = hot - cold
        error = 0.11 * span * span * span / (mild * mild) + spread / (4 * cold * cold * cold)
        if error * reach > self._range.tolerance:
            return False
        least, most, centre = 1 / (unit + slope * cold), 1 / (unit + slope * hot), 1 / (unit + slope * mild)
        quadratic = (least + most - 2 * centre) / (2 * width * width)
        linear = (most - least) / (2 * width) - 2 * quadratic * middle
        _POLYNOMIAL.pack_into(
            self._polynomial, 0, tatr, centre - (linear + quadratic * middle) * middle, linear, quadratic
        )
        return True


def terms_of(constants: Constants, chess: bool, over_emissivity: float | Array = 1.0) -> tuple[Floats, Floats, Floats]:
    """Terms (11, 768) of x; their first two rows, which receive the counts; the sensitivities for those, (2, 768).

    A subpage's rows are 0 in the pixels of the other. OpenBLAS hands products from 12 rows on to threads, which costs
    more than it saves.
    """
    masks = np.stack([subpage_mask(number, chess).ravel() for number in (0, 1)])
    bad = list(constants.bad)
    alpha = constants.alpha.ravel().copy()
    alpha[bad] = 1.0
    sensitivity = masks / alpha * over_emissivity
    sensitivity[:, bad] = 0.0
    background = -background_terms(constants, chess).reshape(4, PIXELS)
    terms = np.vstack(
        (np.zeros((2, PIXELS)), background * sensitivity[0], background * sensitivity[1], masks[0] - 1.0 * masks[1])
    ).astype(np.float32)
    return terms, terms[:2], sensitivity.astype(np.float32)
