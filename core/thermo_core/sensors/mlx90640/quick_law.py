"""What the short way from two subpages to a picture computes, for one picture in floats or for many in arrays.

With x = IR / (alpha * emissivity) and all fourth powers in kelvin, the datasheet gives a pixel of the second range as

    To^4 = x * r + TaTr    where r = 1 / (1 + slope * To), from To of an earlier pass

x is a sum of products: what a frame says (gain, Ta, Vdd) times what the EEPROM says (offset, kta, kv, alpha). So one
product of a vector with a matrix gives x of a whole picture. r depends on x alone, and hardly: a parabola through its values at three
Chebyshev nodes makes To^4 a polynomial of x. Where emissivity or what is reflected differ from pixel to pixel, TaTr has a value for
each: a product of what a frame says (Ta^4, Tr^4) with maps that are computed once, and r gets a slope along TaTr that is a line of x:

    To^4 = TaTr + x (a + b x + c x^2 + (d + e x) TaTr)

An error e of r makes an error of x e / (4 To^3) in To. The remainder of the parabola is the third derivative of r, times w^3 / 24, times
the Chebyshev polynomial T3, w being half the width of x. T3 has its largest values at the ends and half-way to the middle, and the
derivative falls as To^-11, so the remainder is largest at the cold end; it is measured at both. Along TaTr what is left out is bounded
by derivatives of To ~ (x + TaTr)^(1/4): with half the width of TaTr as s = half / (4 To^3) kelvin and the span of To as d, 1.5 s^2 / To
of the second order and 2.6 s d^2 / To^2 of the mixed one, both times slope. Where the sum could exceed TOLERANCE_K, `passes` does what
the datasheet says, in float32. Rounding in float32 adds up to ROUNDING_K.

Every method takes floats, or arrays of a number a picture: the operations and their order are the same, and so are the bytes.
"""

from collections.abc import Callable
from math import sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thermo_core.sensors.mlx90640.constants import Constants
from thermo_core.sensors.mlx90640.equations import OPEN_AIR_K, Array, background_terms
from thermo_core.sensors.mlx90640.frames import COLUMNS, PIXELS, ROWS
from thermo_core.sensors.mlx90640.limits import OBJECT_CELSIUS
from thermo_core.sensors.mlx90640.registers import INVALID_WORD, subpage_mask
from thermo_core.units import KELVIN

TOLERANCE_K = 4e-4
"""Largest error of the interpolation; where it could be more, it is not used."""
ROUNDING_K = 1e-4
"""What float32 adds."""
_NODE = sqrt(0.75)
MAX_SLOPE = 1e-3
"""Slope, 1/K, and TaTr, K^4, up to which no step below leaves the positive numbers for objects above 0 degC."""
MAX_TATR = 2.5e10

_ZERO_DTA = 25 + KELVIN
_ZERO_DTA_OPEN_AIR = _ZERO_DTA - OPEN_AIR_K

Floats = NDArray[np.float32]
Number = Any
"""A float, or (n,) float64 of n pictures."""
Truth = Any
"""A bool, or (n,) of them."""
Root = Callable[[Number], Number]


class Law:
    """The short way of one sensor.

    Args:
        constants: constants of the sensor.
        emissivity: a number or (24, 32).
        reflected: degC, a number or (24, 32), or None for 8 K below the die.

    Attributes:
        slope, unit: r is 1 / (unit + slope * To), To in kelvin.
        mapped: whether emissivity or what is reflected differ from pixel to pixel.
        patterns: matrices of interleaved and chess pattern.
    """

    def __init__(self, constants: Constants, emissivity: Array, reflected: Array | None) -> None:
        self.mapped = emissivity.ndim > 0 or (reflected is not None and reflected.ndim > 0)
        self._ks_ta, self.slope = constants.ks_ta, constants.ks_to[1]
        self.unit = 1 - self.slope * KELVIN
        self._coldest = (constants.ct[1] + KELVIN) ** 4
        hottest = min(constants.ct[2], OBJECT_CELSIUS[1])
        self._hottest_gain = 1 + self.slope * hottest
        self._hottest = (hottest + KELVIN) ** 4 * self._hottest_gain
        self._most_tatr = MAX_TATR if abs(self.slope) <= MAX_SLOPE else 0.0
        self._floor = self._least_certain(constants)
        inverse = 1 / np.broadcast_to(emissivity, (ROWS, COLUMNS)).ravel() if self.mapped else np.ones(PIXELS)
        self._emissivity = 1.0 if self.mapped else float(emissivity)
        self._mirror = 1 - 1 / self._emissivity
        self._open_air = reflected is None
        self._mirrored = 0.0 if reflected is None or self.mapped else (float(reflected) + KELVIN) ** 2
        fixed = 1 - inverse
        if reflected is not None:
            fixed = fixed * (np.ravel(reflected) + KELVIN) ** 4
        self.patterns = tuple(Pattern(constants, chess, inverse, fixed) for chess in (False, True))

    def readable(self, gain0: Number, compensation0: Number, gain1: Number, compensation1: Number) -> Truth:
        """Whether a saturated pixel of either subpage is certain to leave the range, so that none is taken for a temperature."""
        floor = self._floor
        return (gain0 * INVALID_WORD - compensation0 >= floor) & (gain1 * INVALID_WORD - compensation1 >= floor)

    def coefficients(
        self, dta0: Number, dv0: Number, gain0: Number, dta1: Number, dv1: Number, gain1: Number
    ) -> tuple[tuple[Number, ...], tuple[Number, ...]]:
        """What x and TaTr are sums of.

        Args:
            dta0: ambient temperature of subpage 0 above 25 degC, K.
            dv0: its supply above 3.3 V, V.
            gain0: its gain.
            dta1: of subpage 1.
            dv1: likewise.
            gain1: likewise.

        Returns:
            11 numbers for the rows of `Pattern.terms`, or 10 for maps; and TaTr: its mean over both subpages and how far each is from
            it, K^4, or for maps 4 numbers for the rows of `Pattern.around`.
        """
        ks_ta, emissivity = self._ks_ta, self._emissivity
        die0, die1 = (dta0 + _ZERO_DTA) * (dta0 + _ZERO_DTA), (dta1 + _ZERO_DTA) * (dta1 + _ZERO_DTA)
        mirrored0 = mirrored1 = self._mirrored
        if self._open_air:
            open0, open1 = dta0 + _ZERO_DTA_OPEN_AIR, dta1 + _ZERO_DTA_OPEN_AIR
            mirrored0, mirrored1 = open0 * open0, open1 * open1
        scale0, scale1 = 1 / (emissivity * (1 + ks_ta * dta0)), 1 / (emissivity * (1 + ks_ta * dta1))
        sums = (
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
        if self.mapped:
            ones = dta0 * 0 + 1
            fixed = (mirrored0 * mirrored0, mirrored1 * mirrored1) if self._open_air else (ones, ones)
            return sums, (*fixed, die0 * die0, die1 * die1)
        tatr0 = mirrored0 * mirrored0 * self._mirror + die0 * die0 / emissivity
        tatr1 = mirrored1 * mirrored1 * self._mirror + die1 * die1 / emissivity
        tatr = (tatr0 + tatr1) / 2
        # The difference between the subpages' surroundings goes into x; r there is taken to be what it is at Ta.
        rest = (tatr0 - tatr) * (1 + self.slope * (dta0 + 25))
        return (*sums, rest), (tatr, abs(rest))

    def holds(self, low: Number, high: Number, dim: Number, bright: Number) -> Truth:
        """Whether all pixels lie in the second range, so that `polynomial` has no root of a negative number.

        Args:
            low: least x of the picture.
            high: largest.
            dim: TaTr as `coefficients` gives it; for maps the least of the picture.
            bright: how far each subpage's is from it; for maps the largest.
        """
        if not self.mapped:
            bright = dim
        return (
            (dim > 0)
            & (bright < self._most_tatr)
            & (low > self._coldest - dim)
            & (high < self._hottest - bright * self._hottest_gain)
        )

    def polynomial(
        self, low: Number, high: Number, dim: Number, bright: Number, root: Root = sqrt
    ) -> tuple[Truth, Truth, tuple[Any, ...]]:
        """How To^4 follows from x.

        Args:
            low: as for `holds`, as are the next three.
            high: see there.
            dim: see there.
            bright: see there.
            root: square root of such numbers.

        Returns:
            Whether no pixel can be off by more than the tolerance; whether none is with `passes` in place of the polynomial; the
            weights of 1, x, x^2, x^3, or for maps of TaTr, x, x^2, x^3, x TaTr, x^2 TaTr.
        """
        slope, unit, mapped = self.slope, self.unit, self.mapped
        tatr, half = ((dim + bright) / 2, (bright - dim) / 2) if mapped else (dim, bright)
        middle, width = (low + high) / 2, (high - low) / 2 + (high == low)
        aside = _NODE * width
        left, right = middle - aside, middle + aside
        cold, mild = self._second_pass(left, tatr, root), self._second_pass(middle, tatr, root)
        hot = self._second_pass(right, tatr, root)
        least, most, centre = 1 / (unit + slope * cold), 1 / (unit + slope * hot), 1 / (unit + slope * mild)
        quadratic = (least + most - 2 * centre) / (2 * aside * aside)
        linear = (most - least) / (2 * aside) - 2 * quadratic * middle
        constant = centre - (linear + quadratic * middle) * middle
        at_low, at_high = (quadratic * low + linear) * low + constant, (quadratic * high + linear) * high + constant
        coldest, hottest = root(root(low * at_low + tatr)), root(root(high * at_high + tatr))
        by_cold, by_hot = 4 * coldest * coldest * coldest, 4 * hottest * hottest * hottest
        reach = _larger(abs(low) / by_cold, abs(high) / by_hot)
        error = reach * _larger(abs(1 / (unit + slope * coldest) - at_low), abs(1 / (unit + slope * hottest) - at_high))
        half = half / by_cold
        if not mapped:
            between = reach * abs(slope) * half
            return error + between <= TOLERANCE_K, between <= TOLERANCE_K, (tatr, constant, linear, quadratic)
        span = (hottest - coldest) / coldest
        error = error + reach * abs(slope) * half * (3 * span * span + 2 * half / coldest)
        first, last = self._along(left, tatr, cold, least, root), self._along(right, tatr, hot, most, root)
        bend = (last - first) / (2 * aside)
        along = first - bend * left
        weights = (tatr * 0 + 1, constant - along * tatr, linear - bend * tatr, quadratic, along, bend)
        return error <= TOLERANCE_K, True, weights

    def _second_pass(self, x: Number, tatr: Number, root: Root) -> Any:
        """To of the second pass, K."""
        return root(root(x / (self.unit + self.slope * root(root(x + tatr))) + tatr))

    def _along(self, x: Number, tatr: Number, to: Number, r: Number, root: Root) -> Any:
        """How r changes with TaTr, 1/K^4."""
        once = root(root(x + tatr))
        near = 1 / (self.unit + self.slope * once)
        return -self.slope * r * r * (1 - self.slope * x * near * near / (4 * once * once * once)) / (4 * to * to * to)

    def _least_certain(self, constants: Constants) -> float:
        """Where gain times the largest reading exceeds this, a saturated pixel is certain to leave the range."""
        background = np.abs(background_terms(constants, True)).max(axis=(1, 2)) @ (1.0, 105.0, 0.9, 105.0 * 0.9)
        span = (1 + 105 * abs(constants.ks_ta)) * self._hottest
        return float(span * constants.alpha.max() + background + 100)


def passes(x: Floats, tatr: Any, slope: Floats, unit: Floats, to: Floats, scratch: Floats) -> None:
    """To^4 as the datasheet has it, in three passes.

    Args:
        x: (..., 768) float32.
        tatr: float32 of the same shape, or what spreads to it.
        slope: of `Law`, float32.
        unit: likewise.
        to: receives To^4.
        scratch: of the shape of x.
    """
    np.add(x, tatr, out=to)
    for _ in range(2):
        np.sqrt(to, out=to)
        np.sqrt(to, out=to)
        np.multiply(to, slope, out=scratch)
        np.add(scratch, unit, out=scratch)
        np.divide(x, scratch, out=to)
        np.add(to, tatr, out=to)


def _larger(one: Number, other: Number) -> Number:
    return (one + other + abs(one - other)) / 2


class Pattern:
    """The matrices of one reading pattern. A subpage's rows are 0 in the pixels of the other.

    Args:
        constants: of the sensor.
        chess: which pattern.
        inverse: (768,) what the sensitivities are multiplied with.
        fixed: (768,) what mirrored radiance is multiplied with.

    Attributes:
        terms: (11, 768) of x; the first two rows receive the counts of subpage 0 and 1 times sensitivity. OpenBLAS hands products
            from 12 rows on to threads, which costs more than it saves.
        sensitivity: (2, 768).
        around: (4, 768) of TaTr.
    """

    def __init__(self, constants: Constants, chess: bool, inverse: Array, fixed: Array) -> None:
        masks = np.stack([subpage_mask(number, chess).ravel() for number in (0, 1)])
        bad = list(constants.bad)
        alpha = constants.alpha.ravel().copy()
        alpha[bad] = 1.0
        sensitivity = masks / alpha * inverse
        sensitivity[:, bad] = 0.0
        background = -background_terms(constants, chess).reshape(4, PIXELS)
        rows = (
            np.zeros((2, PIXELS)),
            background * sensitivity[0],
            background * sensitivity[1],
            masks[0] - 1.0 * masks[1],
        )
        self.terms: Floats = np.vstack(rows).astype(np.float32)
        self.sensitivity: Floats = sensitivity.astype(np.float32)
        self.around: Floats = np.vstack((fixed * masks, inverse * masks)).astype(np.float32)
