"""The short way from two subpages to a picture where emissivity or what is reflected differ from pixel to pixel.

As `quick`, but TaTr has a value for each pixel: a product of what a frame says (Ta^4, Tr^4) with maps that are computed once. r is a
parabola of x at the middle TaTr, plus a slope along TaTr that is a line of x:

    To^4 = TaTr + x (a + b x + c x^2 + (d + e x) TaTr)
"""

import struct
from math import sqrt
from threading import Lock

import numpy as np

from thermo_core.sensors.mlx90640.auxiliary import Readings
from thermo_core.sensors.mlx90640.constants import Constants
from thermo_core.sensors.mlx90640.equations import OPEN_AIR_K, Array
from thermo_core.sensors.mlx90640.frames import COLUMNS, FRAME_WORDS, PIXELS, ROWS, Celsius
from thermo_core.sensors.mlx90640.quick import FRAME_BYTES, Range, terms_of
from thermo_core.sensors.mlx90640.registers import INVALID_WORD, subpage_mask
from thermo_core.units import KELVIN

_NUMBERS, _SURROUNDINGS, _POLYNOMIAL = struct.Struct("=10f"), struct.Struct("=4f"), struct.Struct("=6f")
_ZERO_DTA = 25 + KELVIN
_multiply, _subtract, _sqrt = np.multiply, np.subtract, np.sqrt


class QuickMaps:
    """Solves pictures whose pixels all lie in the second temperature range.

    Args:
        constants: constants of the sensor.
        emissivity: a number or (24, 32).
        reflected: degC, a number or (24, 32), or None for 8 K below the die.

    Any number of threads may use it; they take turns with its buffers.
    """

    def __init__(self, constants: Constants, emissivity: Array, reflected: Array | None) -> None:
        inverse = 1 / np.broadcast_to(emissivity, (ROWS, COLUMNS)).ravel()
        self._ks_ta, self._slope = constants.ks_ta, constants.ks_to[1]
        self._range = Range(constants)
        self._unit = 1 - self._slope * KELVIN
        self._floor = self._range.floor(constants)
        self._open_air = reflected is None
        mirror = 1 - inverse
        fixed = mirror if reflected is None else mirror * (np.ravel(reflected) + KELVIN) ** 4
        self._patterns = []
        for chess in (False, True):
            terms, scaled, sensitivity = terms_of(constants, chess, inverse)
            masks = np.stack([subpage_mask(number, chess).ravel() for number in (0, 1)])
            around = np.vstack((fixed * masks, inverse * masks)).astype(np.float32)
            self._patterns.append((terms[:10], scaled, sensitivity, around))
        self._lock = Lock()
        frames = bytearray(2 * FRAME_BYTES)
        self._halves = memoryview(frames)[:FRAME_BYTES], memoryview(frames)[FRAME_BYTES:]
        self._counts = np.frombuffer(frames, dtype=np.int16).reshape(2, FRAME_WORDS)[:, :PIXELS]
        self._numbers, self._polynomial = bytearray(_NUMBERS.size), bytearray(_POLYNOMIAL.size)
        self._coefficients = np.frombuffer(self._numbers, dtype=np.float32)
        self._weights = np.frombuffer(self._polynomial, dtype=np.float32)
        self._around = bytearray(_SURROUNDINGS.size)
        self._fourth = np.frombuffer(self._around, dtype=np.float32)
        self._kelvin = np.array(KELVIN, dtype=np.float32)
        self._to = np.zeros(PIXELS, dtype=np.float32)
        self._powers = np.ones((6, PIXELS), dtype=np.float32)
        self._tatr, self._x, self._square, self._cube, self._product, self._bent = self._powers
        self._picture = self._to.reshape(ROWS, COLUMNS)

    def solve(self, first: Readings, second: Readings) -> Celsius | None:
        """As `QuickPicture.solve`."""
        _, chess, dta0, dv0, gain0, cp0, data0 = first
        _, _, dta1, dv1, gain1, cp1, data1 = second
        if gain0 * INVALID_WORD - cp0 < self._floor or gain1 * INVALID_WORD - cp1 < self._floor:
            return None
        scale0, scale1 = 1 / (1 + self._ks_ta * dta0), 1 / (1 + self._ks_ta * dta1)
        mirrored0 = mirrored1 = 1.0
        if self._open_air:
            mirrored0, mirrored1 = (dta0 + _ZERO_DTA - OPEN_AIR_K) ** 4, (dta1 + _ZERO_DTA - OPEN_AIR_K) ** 4
        terms, scaled, sensitivity, around = self._patterns[chess]
        x, tatr, to = self._x, self._tatr, self._to
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
            )
            self._coefficients.dot(terms, x)
            die0, die1 = (dta0 + _ZERO_DTA) ** 4, (dta1 + _ZERO_DTA) ** 4
            _SURROUNDINGS.pack_into(self._around, 0, mirrored0, mirrored1, die0, die1)
            self._fourth.dot(around, tatr)
            extremes = x.item(x.argmin()), x.item(x.argmax()), tatr.item(tatr.argmin()), tatr.item(tatr.argmax())
            if not self._fit(*extremes):
                return None
            _multiply(x, x, self._square)
            _multiply(self._square, x, self._cube)
            _multiply(tatr, x, self._product)
            _multiply(tatr, self._square, self._bent)
            self._weights.dot(self._powers, to)
            _sqrt(to, to)
            _sqrt(to, to)
            return _subtract(self._picture, self._kelvin)

    def _fit(self, low: float, high: float, dim: float, bright: float) -> bool:
        """Set the polynomial; False where a pixel could be off by more than the tolerance.

        Args:
            low: least x of the picture.
            high: largest.
            dim: least TaTr, K^4.
            bright: largest.
        """
        if not self._range.holds(low, high, dim, bright):
            return False
        slope, unit = self._slope, self._unit
        tatr, half = (dim + bright) / 2, (bright - dim) / 2
        middle, width = (low + high) / 2, (high - low) / 2 or 1.0
        (cold, by_cold), (mild, _), (hot, by_hot) = (self._second_pass(x, tatr) for x in (low, middle, high))
        coldest, hottest = self._second_pass(low, dim)[0], self._second_pass(high, bright)[0]
        reach = max(hottest - sqrt(sqrt(dim)), sqrt(sqrt(bright)) - coldest)
        span, aside = hot - cold, half / (4 * coldest**3)
        error = 0.11 * span**3 / mild**2 + 3 * aside * (span / coldest) ** 2 + 2 * aside**2 / coldest
        if error * reach > self._range.tolerance:
            return False
        least, most, centre = 1 / (unit + slope * cold), 1 / (unit + slope * hot), 1 / (unit + slope * mild)
        quadratic = (least + most - 2 * centre) / (2 * width * width)
        linear = (most - least) / (2 * width) - 2 * quadratic * middle
        constant = centre - (linear + quadratic * middle) * middle
        first, last = -slope * least * least * by_cold, -slope * most * most * by_hot
        bend = (last - first) / (2 * width)
        along = first - bend * low
        _POLYNOMIAL.pack_into(
            self._polynomial, 0, 1.0, constant - along * tatr, linear - bend * tatr, quadratic, along, bend
        )
        return True

    def _second_pass(self, x: float, tatr: float) -> tuple[float, float]:
        """To of the second pass, K, and how it changes with TaTr, 1/K^3."""
        once = sqrt(sqrt(x + tatr))
        near = 1 / (self._unit + self._slope * once)
        to = sqrt(sqrt(x * near + tatr))
        return to, (1 - self._slope * x * near * near / (4 * once**3)) / (4 * to**3)
