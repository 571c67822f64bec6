"""What a lump with more blood and metabolism than its surroundings adds to the temperature of the skin above it, in closed form.

Pennes' equation (J. Appl. Physiol. 1, 1948), at rest: k lap T + w c (T_blood - T) + q = 0, with k the conductivity of tissue, w its
perfusion, c the heat capacity of a volume of blood and q the heat of metabolism; at the skin k dT/dz = h (T - T_air). Everything
that a sphere does not have more of obeys lap T = m^2 T with m^2 = w c / k, whose solutions about the sphere's middle are products of
modified spherical Bessel functions and Legendre polynomials. Temperature and flux are matched at the sphere's edge for each of them;
what comes back from the skin, as from a mirror image for each spatial frequency, drives the sphere again (a small linear system).

Taken for granted: one conductivity, and a sphere wholly beneath the skin. `tests/sim/test_bioheat.py` holds it to a finite-volume
solution of the whole equation.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Annotated

import numpy as np
from msgspec import Meta
from numpy.polynomial.legendre import leggauss
from numpy.typing import NDArray

from thermo_core.errors import UsageError
from thermo_core.schema import Record

Array = NDArray[np.float64]

BLOOD_J_M3K = 4.0e6
"""Heat capacity of a volume of blood."""
_ORDERS = 6
"""Of Legendre polynomials that are matched."""
_FREQUENCIES = 600
_DECADES = 30.0
"""e^-30 of the source is left where the integral ends."""


class Tissue(Record, frozen=True):
    """Healthy tissue between skin and lump; conductivities of fat, dermis and gland are 0.2 to 0.5 W/(m K).

    Attributes:
        conductivity: W/(m K).
        perfusion: of blood, 1/s.
        loss: of heat at the skin, to air and by radiation, W/(m2 K).
        blood_celsius: of arteries.
        skin_celsius: of the healthy skin.
    """

    conductivity: Annotated[float, Meta(ge=0.05, le=2)] = 0.35
    perfusion: Annotated[float, Meta(gt=0, le=0.02)] = 0.0005
    loss: Annotated[float, Meta(ge=0, le=100)] = 8.0
    blood_celsius: Annotated[float, Meta(ge=30, le=42)] = 37.0
    skin_celsius: Annotated[float, Meta(ge=10, le=42)] = 33.5

    @property
    def decay(self) -> float:
        """One over the length in which warmth is lost to blood, 1/m."""
        return decay_of(self.perfusion, self.conductivity)

    def celsius(self, depth_mm: float) -> float:
        """Temperature of healthy tissue so deep."""
        apart = self.blood_celsius - self.skin_celsius
        return float(self.blood_celsius - apart * np.exp(-self.decay * depth_mm / 1000))


class Tumour(Record, frozen=True):
    """A sphere of tissue that has more blood and metabolism.

    Attributes:
        depth_mm: of its middle.
        radius_mm: of it; less than the depth.
        perfusion: of blood, 1/s; 0.003 to 0.01 in inverse studies.
        metabolism: heat, W/m3, beyond that of healthy tissue.
    """

    depth_mm: Annotated[float, Meta(gt=0, le=60)] = 10.0
    radius_mm: Annotated[float, Meta(gt=0, le=30)] = 5.0
    perfusion: Annotated[float, Meta(gt=0, le=0.05)] = 0.006
    metabolism: Annotated[float, Meta(ge=0, le=100_000)] = 3000.0


@dataclass(frozen=True, slots=True)
class _Spectrum:
    """The half-space at some spatial frequencies.

    Attributes:
        frequency: (f,) 1/m.
        weight: (f,) of each in an integral over them.
        decay: (f,) 1/m, of a component with depth.
    """

    frequency: Array
    weight: Array
    decay: Array

    @classmethod
    def of(cls, tissue: Tissue, depth_m: float) -> "_Spectrum":
        nodes, weights = _nodes()
        most = _DECADES / depth_m
        frequency = 0.5 * most * (nodes + 1)
        return cls(frequency, 0.5 * most * weights, np.hypot(frequency, tissue.decay))


def decay_of(perfusion: float, conductivity: float) -> float:
    """sqrt(w c / k), 1/m."""
    return float(np.sqrt(perfusion * BLOOD_J_M3K / conductivity))


def surface_rise(tumour: Tumour, tissue: Tissue, distance_mm: Array) -> Array:
    """Rise of the skin's temperature at distances from the point above the tumour's middle, kelvin.

    Args:
        tumour: beneath the skin.
        tissue: around it.
        distance_mm: along the skin, any shape.

    Returns:
        Of the same shape.

    Raises:
        UsageError: the tumour is not wholly beneath the skin.
    """
    if not tumour.radius_mm < tumour.depth_mm:
        raise UsageError(
            f"A tumour of radius {tumour.radius_mm:g} mm in a depth of {tumour.depth_mm:g} mm reaches the skin; put it deeper."
        )
    depth, loss, m = tumour.depth_mm / 1000, tissue.loss / tissue.conductivity, tissue.decay
    spectrum = _Spectrum.of(tissue, depth)
    mu, shapes = spectrum.decay, _legendre(spectrum.decay / m)
    returned = spectrum.weight * spectrum.frequency / mu * (mu - loss) / (mu + loss) * np.exp(-2 * mu * depth)
    orders = 2 * np.arange(_ORDERS) + 1
    mirror = orders[:, None] / m * (shapes * returned) @ shapes.T
    of_drive, of_heat = _answer(tumour, tissue)
    apart = tissue.blood_celsius - tissue.celsius(tumour.depth_mm)
    strength = np.linalg.solve(np.eye(_ORDERS) + of_drive[:, None] * mirror, of_drive * apart * orders + of_heat)
    seen = spectrum.weight * spectrum.frequency * 2 / (m * (mu + loss)) * np.exp(-mu * depth) * (strength @ shapes)
    table_mm = np.linspace(0.0, max(float(distance_mm.max()), 1e-3), 128)
    rise = _bessel(np.outer(table_mm / 1000, spectrum.frequency)) @ seen
    return np.interp(distance_mm, table_mm, rise)


def line_profile(depth_mm: float, tissue: Tissue, distance_mm: Array) -> Array:
    """Rise of the skin across a straight vessel, a line of heat so deep, as a share of that above its axis; shape of `distance_mm`."""
    depth, loss = depth_mm / 1000, tissue.loss / tissue.conductivity
    spectrum = _Spectrum.of(tissue, depth)
    seen = spectrum.weight * np.exp(-spectrum.decay * depth) / (spectrum.decay + loss)
    table_mm = np.linspace(0.0, 20 * depth_mm, 400)
    rise = np.cos(np.outer(table_mm / 1000, spectrum.frequency)) @ seen
    return np.interp(distance_mm, table_mm, rise / rise[0], right=0.0)


def _answer(tumour: Tumour, tissue: Tissue) -> tuple[Array, Array]:
    """What a sphere gives to the outside, by order: for a drive i_l(m r) P_l of its blood, and for its metabolism."""
    radius, m = tumour.radius_mm / 1000, tissue.decay
    own = decay_of(tumour.perfusion, tissue.conductivity)
    steep = own * _slope_first(own * radius) / _first(own * radius)[:-1]
    drive, drive_slope = _first(m * radius)[:-1], m * _slope_first(m * radius)
    outside, outside_slope = _second(m * radius)[:-1], m * _slope_second(m * radius)
    across = outside * steep - outside_slope
    heat = np.zeros(_ORDERS)
    heat[0] = tumour.metabolism / (tissue.conductivity * own**2)
    return (drive * steep - drive_slope) / across, heat * steep / across


def _first(x: float) -> Array:
    """i_l(x) for l = 0 to `_ORDERS`, by their series."""
    found = np.empty(_ORDERS + 1)
    lead = 1.0
    for order in range(_ORDERS + 1):
        term = total = lead
        for step in range(1, 200):
            term *= x * x / (2 * step * (2 * order + 2 * step + 1))
            total += term
        found[order] = total
        lead *= x / (2 * order + 3)
    return found


def _second(x: float) -> Array:
    """k_l(x) for l = 0 to `_ORDERS`, exp(-x) / x the first, by their recurrence."""
    found = np.empty(_ORDERS + 1)
    found[0], found[1] = np.exp(-x) / x, np.exp(-x) * (1 / x + 1 / x**2)
    for order in range(1, _ORDERS):
        found[order + 1] = found[order - 1] + (2 * order + 1) / x * found[order]
    return found


def _slope_first(x: float) -> Array:
    found = _first(x)
    return found[1:] + np.arange(_ORDERS) / x * found[:-1]


def _slope_second(x: float) -> Array:
    found = _second(x)
    return -found[1:] + np.arange(_ORDERS) / x * found[:-1]


def _legendre(x: Array) -> Array:
    """(orders, n) P_l(x)."""
    found = np.empty((_ORDERS, len(x)))
    found[0], found[1] = 1.0, x
    for order in range(1, _ORDERS - 1):
        found[order + 1] = ((2 * order + 1) * x * found[order] - order * found[order - 1]) / (order + 1)
    return found


@cache
def _nodes() -> tuple[Array, Array]:
    gauss: Callable[[int], tuple[Array, Array]] = leggauss
    return gauss(_FREQUENCIES)


@cache
def _bessel_table() -> tuple[Array, Array]:
    """J0 on a fine grid by its integral, cos(x sin t) over half a turn, in which the trapezoid rule is exact to rounding."""
    x = np.linspace(0.0, 1000.0, 25_001)
    angles = (np.arange(1200) + 0.5) * np.pi / 1200
    found = np.empty_like(x)
    for start in range(0, len(x), 1000):
        found[start : start + 1000] = np.cos(np.outer(x[start : start + 1000], np.sin(angles))).mean(1)
    return x, found


def _bessel(x: Array) -> Array:
    """J0(x), to 2e-4, 0 beyond its table."""
    grid, found = _bessel_table()
    return np.interp(x, grid, found, right=0.0)
