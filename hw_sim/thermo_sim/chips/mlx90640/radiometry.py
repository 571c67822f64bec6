"""From a scene in degC to the counts an MLX90640 would give: the calibration equations, run backwards.

The truth is physics: a pixel's signal is

    alpha (1 + KsTa dTa) rangeGain[r] (1 + KsTo[r] (To - CT[r])) (e To^4 + (1 - e) Tr^4 - Ta^4)

in kelvin, with the range r chosen by the true To. A decoder chooses range and slope from a first estimate of To, so it
is not the exact inverse: on skin the difference is below a millikelvin, above CT3 (120 degC or more) kelvins.
The sensor's true response differs from its EEPROM by `ResponseError`; noise is a function of (seed, power cycle, index
of the subpage) alone, so that a subpage nobody looks at changes nothing in the others.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thermo_core.sensors.mlx90640.constants import Constants
from thermo_core.sensors.mlx90640.frames import COLUMNS, PIXELS, ROWS
from thermo_core.sensors.mlx90640.registers import (
    AUXILIARY_START,
    CP_SUBPAGE_0,
    CP_SUBPAGE_1,
    GAIN,
    INVALID_WORD,
    PTAT,
    VBE,
    VDD,
    ControlRegister,
    subpage_mask,
)
from thermo_core.units import KELVIN
from thermo_sim.surroundings import Conditions

Array = NDArray[np.float64]
Row = NDArray[np.int64]

AUXILIARY_ROW = 32
_SKIN_KELVIN = KELVIN + 35
_PTAT = 1690
"""Held constant; VBE alone carries the die temperature, so a rounding step of PTAT never shows as a jump of Ta."""
_UNUSED = (0x0702, 0x0704, 0x0706, 0x0713, 0x0717, 0x0721, 0x0723, 0x0725, 0x0727)
"""Auxiliary words that read 0x7FFF on real sensors; the others without documented meaning read small numbers here."""


@dataclass(frozen=True)
class ResponseError:
    """How far a sensor's true response is from what its EEPROM says.

    Attributes:
        gain: (24, 32) relative error of the sensitivity.
        offset_k: (24, 32) error of a pixel at skin temperature, kelvin.
        slope_k_per_k: (24, 32) change of that error a kelvin of die temperature above 25 degC.
        gain_ratio: gain counts over gain counts at calibration.
    """

    gain: Array
    offset_k: Array
    slope_k_per_k: Array
    gain_ratio: float = 0.99

    @classmethod
    def none(cls) -> "ResponseError":
        """A sensor that is exactly what its EEPROM says."""
        zero = np.zeros((ROWS, COLUMNS))
        return cls(zero, zero, zero)

    @classmethod
    def random(cls, seed: int) -> "ResponseError":
        """Errors of a real sensor's size: a blackbody at skin temperature shows about 0.7 K RMSE before calibration."""
        rng = np.random.default_rng([seed, 0xE44])
        rows, columns = np.linspace(-1, 1, ROWS)[:, None], np.linspace(-1, 1, COLUMNS)[None, :]
        tilt = rng.normal(0, 0.2) * rows + rng.normal(0, 0.2) * columns + rng.normal(0, 0.2) * (rows**2 + columns**2)
        white = rng.normal(0, 0.58, (ROWS, COLUMNS))
        common = rng.choice((-1.0, 1.0)) * rng.uniform(0.2, 0.35)
        return cls(
            gain=rng.normal(0, 0.01) + rng.normal(0, 0.03, (ROWS, COLUMNS)),
            offset_k=common + tilt - tilt.mean() + white,
            slope_k_per_k=rng.normal(0, 0.004, (ROWS, COLUMNS)),
            gain_ratio=1 + rng.normal(0, 0.01),
        )


@dataclass(frozen=True)
class Noise:
    """Noise of a sensor.

    Attributes:
        netd_k: RMS at 1 Hz in the centre on a 25 degC blackbody, kelvin, quantisation included; it grows with the
            square root of the refresh rate and, a kelvin being fewer counts there, towards the corners.
        subpage_k: RMS of the offset all pixels of one subpage share, kelvin.
        die_k: RMS of the die temperature, kelvin.
    """

    netd_k: float = 0.1
    subpage_k: float = 0.08
    die_k: float = 0.005

    @classmethod
    def none(cls) -> "Noise":
        """Quantisation alone."""
        return cls(0.0, 0.0, 0.0)


@dataclass(frozen=True, slots=True)
class Measurement:
    """One measured subpage.

    Attributes:
        pixels: counts of the pixels in `pattern(number, chess)`, row by row, as unsigned words.
        auxiliary: (32,) uint16, the row of auxiliary words this subpage refreshes (0x0700 or 0x0720).
    """

    pixels: NDArray[np.uint16]
    auxiliary: NDArray[np.uint16]


@dataclass(frozen=True)
class _Pattern:
    """What does not change between subpages, for the pixels of one subpage in one reading pattern."""

    where: NDArray[np.intp]
    alpha: Array
    offset: Array
    kta: Array
    kv: Array
    error_counts: Array
    error_slope: Array
    interleave: Array
    noise_scale: Array


@cache
def pattern(number: int, chess: bool) -> NDArray[np.intp]:
    """Indices (row * 32 + column) of the pixels subpage `number` measures."""
    indices = np.flatnonzero(subpage_mask(number, chess))
    indices.flags.writeable = False
    return indices


class Radiometry:
    """One sensor's way from temperatures to counts.

    Args:
        calibration: what the EEPROM says.
        error: how the true response differs.
        noise: as the name says.
        seed: of the noise.
    """

    def __init__(
        self, calibration: Constants, error: ResponseError | None = None, noise: Noise | None = None, seed: int = 0
    ) -> None:
        self.calibration = calibration
        self.error = error if error is not None else ResponseError.none()
        self.noise = noise if noise is not None else Noise()
        self._seed = seed
        self._per_kelvin = (
            float(calibration.alpha[10:14, 14:18].mean()) * _slope(KELVIN + 25) * _range_factor(calibration, 25.0)
        )
        self._skin_per_kelvin = float(calibration.alpha[10:14, 14:18].mean()) * _slope(_SKIN_KELVIN)
        self._patterns = {(number, chess): self._pattern(number, chess) for number in (0, 1) for chess in (False, True)}

    def _pattern(self, number: int, chess: bool) -> _Pattern:
        c, where = self.calibration, pattern(number, chess)
        rows, columns = where // COLUMNS, where % COLUMNS
        odd_row = rows % 2
        alive = np.ones(PIXELS)
        alive[list(c.broken)] = 0.0
        unrest = np.ones(PIXELS)
        unrest[list(c.outlier)] = 5.0
        interleave = np.zeros(where.size)
        if chess != c.chess_calibrated:
            shape = ((columns + 2) // 4 - (columns + 3) // 4 + (columns + 1) // 4 - columns // 4) * (1 - 2 * odd_row)
            interleave = c.il_chess_c[2] * (2 * odd_row - 1) - c.il_chess_c[1] * shape
        skin_counts = c.alpha.ravel()[where] * _slope(_SKIN_KELVIN)
        return _Pattern(
            where=where,
            alpha=(c.alpha * (1 + self.error.gain)).ravel()[where] * alive[where],
            offset=c.offset.ravel()[where],
            kta=c.kta.ravel()[where],
            kv=c.kv.ravel()[where],
            error_counts=self.error.offset_k.ravel()[where] * skin_counts,
            error_slope=self.error.slope_k_per_k.ravel()[where] * skin_counts,
            interleave=interleave,
            noise_scale=unrest[where],
        )

    def measure(
        self,
        celsius: NDArray[np.floating[Any]],
        number: int,
        index: int,
        control: ControlRegister,
        conditions: Conditions,
        power_cycle: int = 0,
    ) -> Measurement:
        """Counts of one subpage.

        Args:
            celsius: (24, 32) true temperatures, degC.
            number: subpage 0 or 1.
            index: running number of the subpage since power-on; selects its noise.
            control: refresh rate, resolution and reading pattern.
            conditions: surroundings.
            power_cycle: how often the sensor was powered on before; selects its noise.
        """
        (measured,) = self.measure_still(celsius, number, (index,), control, conditions, power_cycle)
        return measured

    def measure_still(
        self,
        celsius: NDArray[np.floating[Any]],
        number: int,
        indices: Sequence[int],
        control: ControlRegister,
        conditions: Conditions,
        power_cycle: int = 0,
    ) -> list[Measurement]:
        """Counts of subpages of what does not change between them: those that `measure` gives of each; only the noise is computed for each.

        Args:
            celsius: (24, 32) true temperatures, degC.
            number: subpage 0 or 1.
            indices: running number of each subpage since power-on; selects its noise.
            control: refresh rate, resolution and reading pattern.
            conditions: surroundings.
            power_cycle: how often the sensor was powered on before; selects its noise.
        """
        c, p = self.calibration, self._patterns[number, control.chess]
        scale = 2.0 ** (control.resolution_code - c.resolution_ee)
        gain_counts = round(c.gain * self.error.gain_ratio * scale)
        gain = c.gain / gain_counts
        white = np.empty((len(indices), p.where.size + 3))
        for row, index in zip(white, indices, strict=True):
            rng = np.random.Generator(np.random.Philox(key=[self._seed, power_cycle], counter=[0, 0, 0, index]))
            rng.standard_normal(out=row)
        d_ta, d_vdd = conditions.ta - 25, conditions.vdd - 3.3

        to = celsius.reshape(PIXELS)[p.where].astype(np.float64)
        fourth = np.square(np.square(to + KELVIN))
        ambient = (conditions.ta + KELVIN) ** 4
        reflected = (conditions.reflected + KELVIN) ** 4
        radiation = conditions.emissivity * fourth + ((1 - conditions.emissivity) * reflected - ambient)
        signal = p.alpha * (1 + c.ks_ta * d_ta) * _range_factor(c, to) * radiation

        offset = p.offset * (1 + p.kta * d_ta) * (1 + p.kv * d_vdd) + p.error_counts + p.error_slope * d_ta
        package = conditions.gradient_k * self._skin_per_kelvin
        shared = self.noise.subpage_k * self._per_kelvin * white[:, -1:] + package
        deviation = self._deviation(control.refresh_hz, gain)
        counts = signal + offset - p.interleave + shared + deviation * p.noise_scale * white[:, :-3]
        pixels = np.clip(np.rint(counts / gain), -32768, 32767).astype(np.int16).view(np.uint16)

        cp_offset = c.cp_offset[number]
        if number == 1 and control.chess != c.chess_calibrated:
            cp_offset += c.il_chess_c[0]
        cp_offset = cp_offset * (1 + c.cp_kta * d_ta) * (1 + c.cp_kv * d_vdd)
        measured = []
        for counted, (of_die, of_cp) in zip(pixels, white[:, -3:-1].tolist(), strict=True):
            cp = package + 0.5 * deviation * of_cp
            auxiliary = _auxiliary_template(number).copy()
            if number == 0:
                art = ((d_ta + self.noise.die_k * of_die) * c.kt_ptat + c.v_ptat25) * (1 + c.kv_ptat * d_vdd)
                _put(auxiliary, VBE, _PTAT * (2.0**18 / art - c.alpha_ptat))
                _put(auxiliary, CP_SUBPAGE_0, (cp + cp_offset) / gain)
                _put(auxiliary, GAIN, gain_counts)
            else:
                _put(auxiliary, PTAT, _PTAT)
                _put(auxiliary, CP_SUBPAGE_1, (cp + cp_offset) / gain)
                _put(auxiliary, VDD, (c.vdd25 + c.k_vdd * d_vdd) * scale)
            measured.append(Measurement(counted, auxiliary.astype(np.uint16)))
        return measured

    def _deviation(self, hz: float, gain: float) -> float:
        """Counts of noise to add before rounding, so that noise and rounding together are the NETD."""
        wanted = self.noise.netd_k * self._per_kelvin * hz**0.5
        return float(max(0.0, wanted**2 - gain**2 / 12) ** 0.5)


def _slope(kelvin: float) -> float:
    """d(T^4)/dT."""
    return float(4 * kelvin**3)


def _range_factor(calibration: Constants, to: Array | float) -> Array | float:
    """rangeGain (1 + KsTo (To - CT)) by the true To; cheap where all of it lies between 0 degC and CT3."""
    c = calibration
    low, high = (to, to) if isinstance(to, float) else (to.min(), to.max())
    if low >= c.ct[1] and high < c.ct[2]:
        return 1 + c.ks_to[1] * to
    r = np.searchsorted(c.ct[1:], to, side="right")
    factor: Array = np.take(c.range_gain, r) * (1 + np.take(c.ks_to, r) * (to - np.take(c.ct, r)))
    return factor


@cache
def _auxiliary_template(number: int) -> Row:
    row = np.arange(1, 1 + AUXILIARY_ROW, dtype=np.int64)
    for address in _UNUSED:
        position = address - AUXILIARY_START - AUXILIARY_ROW * number
        if 0 <= position < AUXILIARY_ROW:
            row[position] = INVALID_WORD
    return row


def _put(row: Row, address: int, value: float) -> None:
    row[(address - AUXILIARY_START) % AUXILIARY_ROW] = min(max(round(value), -32768), 32767) & 0xFFFF
