"""The short way (`quick_law`) for one picture as it comes.

What is left of the time is NumPy's cost a call, so the calls are few, in float32, and their operands are prepared.
"""

import struct
from collections.abc import Callable
from functools import partial
from threading import Lock

import numpy as np

from thermo_core.sensors.mlx90640.auxiliary import Readings
from thermo_core.sensors.mlx90640.frames import COLUMNS, FRAME_WORDS, PIXELS, ROWS, Celsius
from thermo_core.sensors.mlx90640.quick_law import Floats, Law, passes
from thermo_core.units import KELVIN

FRAME_BYTES = 2 * FRAME_WORDS
_multiply, _subtract, _sqrt = np.multiply, np.subtract, np.sqrt


class QuickPicture:
    """Solves pictures whose pixels all lie in the second temperature range.

    Args:
        law: of the sensor.

    Any number of threads may use it; they take turns with its buffers.
    """

    def __init__(self, law: Law) -> None:
        self._law = law
        rows = 10 if law.mapped else 11
        self._patterns = tuple((one.terms[:rows], one.terms[:2], one.sensitivity, one.around) for one in law.patterns)
        self._lock = Lock()
        # One block a kind of memory that a C-speed copy or pack fills; what NumPy computes with are views of it.
        frames = bytearray(2 * FRAME_BYTES)
        self._halves = memoryview(frames)[:FRAME_BYTES], memoryview(frames)[FRAME_BYTES:]
        self._counts = np.frombuffer(frames, dtype=np.int16).reshape(2, FRAME_WORDS)[:, :PIXELS]
        self._sums, self._coefficients = _packed(rows)
        self._surroundings, self._fourths = _packed(4)
        self._polynomial, self._weights = _packed(6 if law.mapped else 4)
        self._slope, self._unit = np.array(law.slope, np.float32), np.array(law.unit, np.float32)
        self._kelvin = np.array(KELVIN, dtype=np.float32)
        self._to = np.zeros(PIXELS, dtype=np.float32)
        self._powers = np.ones((6 if law.mapped else 4, PIXELS), dtype=np.float32)
        self._tatr, self._x, self._square, self._cube, *self._mixed = self._powers
        self._picture = self._to.reshape(ROWS, COLUMNS)

    def solve(self, first: Readings, second: Readings) -> Celsius | None:
        """Temperatures of both subpages, (24, 32) float32, degC; None where only the long way is exact.

        Args:
            first: subpage 0.
            second: subpage 1 in the same reading pattern.
        """
        _, chess, dta0, dv0, gain0, cp0, data0 = first
        _, _, dta1, dv1, gain1, cp1, data1 = second
        law = self._law
        if not law.readable(gain0, cp0, gain1, cp1):
            return None
        sums, surroundings = law.coefficients(dta0, dv0, gain0, dta1, dv1, gain1)
        terms, scaled, sensitivity, around = self._patterns[chess]
        x, to = self._x, self._to
        with self._lock:
            self._halves[0][:] = data0
            self._halves[1][:] = data1
            scaled[...] = self._counts
            if cp0 or cp1:
                scaled[0] -= cp0 / gain0
                scaled[1] -= cp1 / gain1
            _multiply(scaled, sensitivity, scaled)
            self._sums(*sums)
            self._coefficients.dot(terms, x)
            low, high = x.item(x.argmin()), x.item(x.argmax())
            if self._mixed:
                tatr = self._tatr
                self._surroundings(*surroundings)
                self._fourths.dot(around, tatr)
                surroundings = tatr.item(tatr.argmin()), tatr.item(tatr.argmax())
            dim, bright = surroundings
            if not law.holds(low, high, dim, bright):
                return None
            fits, sound, weights = law.polynomial(low, high, dim, bright)
            if fits:
                self._polynomial(*weights)
                _multiply(x, x, self._square)
                _multiply(self._square, x, self._cube)
                if self._mixed:
                    _multiply(self._tatr, x, self._mixed[0])
                    _multiply(self._tatr, self._square, self._mixed[1])
                self._weights.dot(self._powers, to)
            elif sound:
                passes(x, self._tatr if self._mixed else np.float32(dim), self._slope, self._unit, to, self._square)
            else:
                return None
            _sqrt(to, to)
            _sqrt(to, to)
            return _subtract(self._picture, self._kelvin)


def _packed(count: int) -> tuple[Callable[..., None], Floats]:
    """What puts float32 numbers into memory, and a view of it."""
    memory, layout = bytearray(4 * count), struct.Struct(f"={count}f")
    return partial(layout.pack_into, memory, 0), np.frombuffer(memory, dtype=np.float32)
