"""The short way (`quick_law`) for many pictures side by side: the bytes that `quick` gives, at NumPy's cost a call for all of them.

Products of a vector with a matrix are `matmul` of stacks, which calls the BLAS routine that `dot` of one vector calls.
"""

from dataclasses import dataclass
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from thermo_core.sensors.mlx90640.auxiliary import ManyReadings
from thermo_core.sensors.mlx90640.frames import PIXELS, Celsius, Mask, Words
from thermo_core.sensors.mlx90640.quick_law import Floats, Law, Pattern, passes
from thermo_core.units import KELVIN

AT_ONCE = 32
"""Pictures whose matrices are computed together: 48 kB each, which is a second-level cache or two."""


@dataclass(frozen=True, slots=True)
class Half:
    """The same subpage of many pictures.

    Attributes:
        words: (n, 834) uint16.
        readings: of them.
    """

    words: Words
    readings: ManyReadings

    def pick(self, places: NDArray[np.intp]) -> "Half":
        """Of some of the pictures."""
        if len(places) == len(self.words) and (np.diff(places) == 1).all():
            return self
        return Half(self.words[places], self.readings.pick(places))


class QuickPictures:
    """Solves pictures of one pattern whose pixels all lie in the second temperature range.

    Args:
        law: of the sensor.
        pattern: of the pictures.

    Any number of threads may use it; they take turns with its buffers.
    """

    def __init__(self, law: Law, pattern: Pattern) -> None:
        self._law = law
        self._lock = Lock()
        rows = 10 if law.mapped else 11
        self._sensitivity, self._around = pattern.sensitivity, pattern.around
        self._terms: Floats = np.repeat(pattern.terms[np.newaxis, :rows], AT_ONCE, axis=0)
        self._slope, self._unit = np.array(law.slope, np.float32), np.array(law.unit, np.float32)
        self._powers: Floats = np.ones((AT_ONCE, 6 if law.mapped else 4, PIXELS), np.float32)

    def solve(self, first: Half, second: Half, celsius: Celsius) -> Mask:
        """Write temperatures of both subpages, degC.

        Args:
            first: subpage 0.
            second: subpage 1.
            celsius: (n, 24, 32) float32, receives them.

        Returns:
            (n,) bool, False where only the long way is exact and what was written is no temperature.
        """
        law, one, two = self._law, first.readings, second.readings
        flat = celsius.reshape(len(celsius), PIXELS)
        with self._lock, np.errstate(all="ignore"):
            sums, surroundings = law.coefficients(one.dta, one.dv, one.gain, two.dta, two.dv, two.gain)
            less = np.stack((one.compensation / one.gain, two.compensation / two.gain), axis=1).astype(np.float32)
            coefficients, fourths = _rows(sums), _rows(surroundings)
            for part in _parts(len(flat)):
                counts = first.words[part, :PIXELS], second.words[part, :PIXELS]
                self._sum_up(counts, less[part], coefficients[part], flat[part])
            low, high = _extremes(flat)
            dim, bright = self._range_around(fourths) if law.mapped else surroundings
            fits, sound, weights = law.polynomial(low, high, dim, bright, np.sqrt)
            good: Mask = law.readable(one.gain, one.compensation, two.gain, two.compensation) & sound
            good &= law.holds(low, high, dim, bright)
            polynomials = _rows(weights)
            for part in _parts(len(flat)):
                self._solve(flat[part], fourths[part], polynomials[part], good[part] & ~fits[part])
        return good

    def _sum_up(self, counts: tuple[Words, Words], less: Floats, coefficients: Floats, x: Floats) -> None:
        terms = self._terms[: len(x)]
        scaled = terms[:, :2]
        for number in (0, 1):
            scaled[:, number] = counts[number].view(np.int16)
        if less.any():
            scaled -= less[:, :, np.newaxis]
        np.multiply(scaled, self._sensitivity, out=scaled)
        np.matmul(coefficients[:, np.newaxis], terms, out=x[:, np.newaxis])

    def _range_around(self, fourths: Floats) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Least and largest TaTr of each picture."""
        dim, bright = np.empty((2, len(fourths)))
        for part in _parts(len(fourths)):
            dim[part], bright[part] = _extremes(self._tatr(fourths[part])[:, 0])
        return dim, bright

    def _tatr(self, fourths: Floats) -> Floats:
        tatr = self._powers[: len(fourths), :1]
        np.matmul(fourths[:, np.newaxis], self._around, out=tatr)
        return tatr

    def _solve(self, x: Floats, fourths: Floats, weights: Floats, rough: Mask) -> None:
        """Overwrite x with temperatures."""
        mapped, powers = self._law.mapped, self._powers[: len(x)]
        powers[:, 1] = x
        np.multiply(x, x, out=powers[:, 2])
        np.multiply(powers[:, 2], x, out=powers[:, 3])
        if mapped:
            tatr = self._tatr(fourths)[:, 0]
            np.multiply(tatr, x, out=powers[:, 4])
            np.multiply(tatr, powers[:, 2], out=powers[:, 5])
        np.matmul(weights[:, np.newaxis], powers, out=x[:, np.newaxis])
        if rough.any():
            fourth, scratch = np.empty((2, np.count_nonzero(rough), PIXELS), np.float32)
            tatr = powers[rough, 0] if mapped else fourths[rough, :1]
            passes(powers[rough, 1], tatr, self._slope, self._unit, fourth, scratch)
            x[rough] = fourth
        np.sqrt(x, out=x)
        np.sqrt(x, out=x)
        np.subtract(x, np.float32(KELVIN), out=x)


def _parts(count: int) -> list[slice]:
    return [slice(start, start + AT_ONCE) for start in range(0, count, AT_ONCE)]


def _rows(numbers: tuple[NDArray[np.float64], ...]) -> Floats:
    """(n, k) float32 of k numbers a picture."""
    return np.stack(numbers, axis=1).astype(np.float32)


def _extremes(values: Floats) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    return values.min(axis=1).astype(np.float64), values.max(axis=1).astype(np.float64)
